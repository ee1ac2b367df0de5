"""Devices that jax sees: listing, moving arrays, and running eager ops there."""

from __future__ import annotations

from functools import cache
from typing import Any

import jax
import numpy as np

from plait.ir.device import CPU, PLATFORMS, Device
from plait.ir.errors import DeviceError

__all__ = ["array_class", "device_of", "jax_device", "list_devices", "move", "to_host"]


@cache
def array_class() -> type:
    """Class of jax's arrays that hold data; jax gives it no public name."""
    return type(jax.device_put(np.zeros((), np.bool_)))


def list_devices() -> tuple[Device, ...]:
    """Every device of this machine that jax can use, CPUs first."""
    return tuple(
        [Device(name, i) for name in PLATFORMS for i in range(len(_devices_of(name)))]
    ) or (CPU,)


def _devices_of(platform: str) -> list[Any]:
    try:
        return list(jax.local_devices(backend=platform))
    except RuntimeError:
        return []  # jax's way to say that there is none.


def find(device: Device) -> Any:
    """The object of jax for a device.

    Raises
    ------
    DeviceError
        The device is not there; lists those that are.
    """
    known = _devices_of(device.platform)
    if device.index >= len(known):
        there = ", ".join(map(str, list_devices()))
        raise DeviceError(f"there is no device {device}; devices of this machine: {there}")
    return known[device.index]


def jax_device(device: Device | None) -> Any:
    """The object of jax for a device, or None where jax would run there of its own accord."""
    if device is None or device.is_host:
        return None if jax.default_backend() == "cpu" else find(CPU)
    return find(device)


def device_of(array: Any) -> Device:
    """Where a jax array lives; the first place of one that is spread over several."""
    places = array.devices()
    return _named(next(iter(places)) if len(places) == 1 else min(places, key=lambda d: d.id))


@cache
def _named(place: Any) -> Device:
    """The name of a jax device."""
    platform = place.platform if place.platform in PLATFORMS else "gpu"
    known = _devices_of(platform)
    return Device(platform, known.index(place) if place in known else place.id)


def to_host(array: Any) -> Any:
    """A read-only ndarray of a jax array's data; a view where memory is shared."""
    return np.asarray(array)


def move(array: Any, device: Device) -> Any:
    """A NumPy or jax array as one on ``device``: an ndarray on the host, else a jax array."""
    if device.is_host:
        return to_host(array)
    # A copy, because jax may read the buffer after the call has returned.
    owned = np.array(array) if type(array) is np.ndarray else array
    with jax.enable_x64(True):
        return jax.device_put(owned, find(device))
