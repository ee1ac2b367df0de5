"""Devices for users: the scope, the list of them, and moving arrays; jax only when it is needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from plait import backends
from plait.ir import Value, dispatch
from plait.ir.autodiff.function import Apply, Pull
from plait.ir.device import (
    CPU,
    Device,
    as_device,
    current,
    device_of,
    register_mover,
    scopes,
)
from plait.ir.errors import DeviceError, TraceError
from plait.tracer import recorded, recorder

__all__ = ["CPU", "Device", "current", "device", "device_of", "devices", "move", "placement"]


def devices() -> list[Device]:
    """The devices of this machine: CPUs, then GPUs or TPUs.

    Returns
    -------
    list of Device

    Examples
    --------
    >>> pl.devices()[0]
    pl.Device('cpu:0')
    """
    return list(backends.device_support().list_devices())


def find(name: Any) -> Device:
    """The device of a name or itself, which is on this machine.

    Raises
    ------
    DeviceError
        Not a device's name, or not a device of this machine; lists those that are.
    """
    found = as_device(name)
    if not found.is_host:
        support = backends.device_support()
        support.find(found)
        support.register()
    return found


@contextmanager
def device(name: str | Device) -> Iterator[Device]:
    """Run the block's ops on a device: what is made there lives there, operands are moved there.

    Parameters
    ----------
    name : str or Device
        Such as ``"cpu:0"`` or ``"gpu:0"``.

    Raises
    ------
    DeviceError
        Not a device of this machine; lists those that are.

    Examples
    --------
    >>> with pl.device("cpu:0"):
    ...     x = pl.add([1.0], 2.0)
    >>> x.device
    pl.Device('cpu:0')
    """
    found = find(name)
    scopes.items.append(found)
    try:
        interpreter = _interpreter(found)
        if interpreter is None:
            yield found
        else:
            with dispatch.use(interpreter):
                yield found
    finally:
        scopes.items.pop()


def _interpreter(found: Device) -> Any:
    """What runs the scope's eager ops; None where plain eager or an enclosing trace does."""
    if (segments := recorder()) is not None:
        segments.flush()
    running = dispatch.interpreters() if segments is None else ()
    redirected = running and isinstance(running[-1], _redirection())
    if running and not redirected:
        return None
    if found.is_host and not redirected:
        return None
    return backends.device_support().OnDevice(found)


def _redirection() -> Any:
    """The class of interpreters that redirect to a device; nothing is one before jax is loaded."""
    return backends.device_support().OnDevice if dispatch.EAGER.executors else ()


def placement(leaves: Iterable[Any]) -> Device | None:
    """Where a compiled function is to run: where its inputs live, else the scope's device.

    Parameters
    ----------
    leaves : iterable
        Arguments: tensors, arrays, anything else.

    Returns
    -------
    Device or None
        None for the host.

    Raises
    ------
    DeviceError
        Two inputs live on different devices.
    """
    found: set[Device] = set()
    for leaf in leaves:
        data = getattr(leaf, "_data", leaf)
        if type(data).__module__.partition(".")[0] == "jaxlib":
            found.add(backends.device_support().device_of(data))
    found.discard(CPU)
    if len(found) > 1:
        shown = " and ".join(sorted(map(str, found)))
        raise DeviceError(f"arguments live on {shown}; move them to one device with x.to(...)")
    place = found.pop() if found else current()
    if place is None or place.is_host:
        return None
    backends.device_support().register()
    return place


def move(payload: Any, name: str | Device) -> Any:
    """The payload on another device; itself when it is there.

    Raises
    ------
    DeviceError
        Not a device of this machine; lists those that are.
    TraceError
        The payload is a value of a graph: a compiled function runs on one device.
    """
    if type(payload) is Value:
        raise TraceError(
            f"a tensor cannot move to {as_device(name)} while tracing: a compiled function runs "
            "where its inputs live; move them before the call"
        )
    target = find(name)
    if device_of(payload) == target and (type(payload) is np.ndarray or not target.is_host):
        return payload
    if recorded.is_known(payload):
        return dispatch.apply(Move(target, device_of(payload)), (payload,))[0]
    return backends.device_support().move(payload, target)


class Move:
    """A move to a device, as tapes see it: cotangents go back to where its operand lives.

    Parameters
    ----------
    target, origin : Device
    """

    name = "to"

    def __init__(self, target: Device, origin: Device) -> None:
        self.target, self.origin = target, origin

    def apply(self, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        """The operand on the device."""
        return (move(operands[0], self.target),)

    def linearize(
        self, operands: tuple[Any, ...], needs: tuple[bool, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], Pull]:
        """The operand on the device, and the move back."""

        def pull(cotangents: Sequence[Any], wanted: tuple[bool, ...]) -> Sequence[Any]:
            return dispatch.apply(Move(self.origin, self.target), (cotangents[0],))

        return apply(self, operands), pull

    def push_forward(
        self, operands: tuple[Any, ...], tangents: tuple[Any, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The operand and its tangent on the device."""
        return apply(self, operands), apply(self, tangents)


register_mover(move)
