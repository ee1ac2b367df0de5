"""Devices by name, which one a payload lives on, and the scope's; knows no accelerator library."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from plait.ir.errors import DeviceError, DTypeError, UnknownNameError
from plait.ir.types import as_dtype

__all__ = [
    "CPU",
    "Device",
    "as_device",
    "current",
    "device_of",
    "move",
    "register_mover",
    "register_reader",
    "scopes",
]

PLATFORMS = ("cpu", "gpu", "tpu")
_NAME = re.compile(rf"({'|'.join(PLATFORMS)})(?::(\d+))?\Z")


class Device:
    """A place where tensors live and ops run. ``str()`` gives ``gpu:0``; equal to that string.

    Parameters
    ----------
    platform : str
        ``"cpu"``, ``"gpu"`` or ``"tpu"``.
    index : int
        Counted from 0 on this machine.

    Examples
    --------
    >>> pl.zeros(2).device
    pl.Device('cpu:0')
    >>> pl.zeros(2).device == "cpu:0"
    True
    """

    __slots__ = ("index", "platform")

    platform: str
    index: int

    def __init__(self, platform: str, index: int = 0) -> None:
        object.__setattr__(self, "platform", platform)
        object.__setattr__(self, "index", index)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Device is immutable; cannot set {name!r}")

    @property
    def is_host(self) -> bool:
        """Whether this is the CPU that NumPy runs on."""
        return self.platform == "cpu" and self.index == 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (Device, str)) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return (Device, (self.platform, self.index))

    def __str__(self) -> str:
        return f"{self.platform}:{self.index}"

    def __repr__(self) -> str:
        return f"pl.Device({str(self)!r})"


CPU = Device("cpu", 0)


def as_device(name: Any) -> Device:
    """The device of a name such as ``"gpu:0"`` or ``"gpu"``; whether it is there is not asked.

    Raises
    ------
    DeviceError
        Not the name of a device.
    """
    if isinstance(name, Device):
        return name
    match = _NAME.match(name) if isinstance(name, str) else None
    if match is None:
        raise DeviceError(
            f"{name!r} is not a device; devices are named cpu:0, gpu:0, gpu:1 and so on"
            + ("; astype gives another dtype" if _is_dtype(name) else "")
        )
    return Device(match.group(1), int(match.group(2) or 0))


def _is_dtype(name: Any) -> bool:
    try:
        as_dtype(name)
    except (DTypeError, UnknownNameError):
        return False
    return name is not None


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.items: list[Device] = []


#: This thread's device scopes, outermost first.
scopes = _Scopes()


def current() -> Device | None:
    """The device of the innermost scope of this thread; None outside of any."""
    return scopes.items[-1] if scopes.items else None


_readers: dict[type, Callable[[Any], Device]] = {}


def register_reader(kind: type, reader: Callable[[Any], Device]) -> None:
    """Register the function that says where an array of a class lives."""
    _readers[kind] = reader


_mover: Callable[[Any, Device], Any] | None = None


def register_mover(mover: Callable[[Any, Device], Any]) -> None:
    """Register the function that copies a payload to a device."""
    global _mover
    _mover = mover


def move(payload: Any, device: Device) -> Any:
    """The payload on a device, by the registered mover."""
    if _mover is None:
        raise DeviceError(f"nothing can move tensors to {device}: import plait first")
    return _mover(payload, device)


def device_of(payload: Any) -> Device:
    """Where a payload lives: the host for NumPy arrays; the scope's device for a graph's value."""
    kind = type(payload)
    if kind is np.ndarray:
        return CPU
    reader = _readers.get(kind)
    if reader is not None:
        return reader(payload)
    return current() or CPU
