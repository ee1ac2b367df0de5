"""Eager ops away from the host: each is one cached XLA executable per types and attributes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np

from plait.backends.jax import devices
from plait.backends.jax.executable import XlaExecutable, compile
from plait.backends.jax.keys import attributes_key
from plait.ir import GraphBuilder, Op, TensorType, Trait, dispatch
from plait.ir.device import CPU, Device, register_reader
from plait.ir.errors import DeviceError
from plait.ir.types import TokenType

__all__ = [
    "OnDevice",
    "cache_size",
    "device_of",
    "execute",
    "find",
    "list_devices",
    "move",
    "register",
]

device_of, find = devices.device_of, devices.find
list_devices, move = devices.list_devices, devices.move

CACHE_SIZE = 4096

_cache: OrderedDict[Any, tuple[XlaExecutable, bool]] = OrderedDict()
_lock = threading.Lock()


def register() -> None:
    """Let eager ops on jax arrays run where these live."""
    kind = devices.array_class()
    register_reader(kind, devices.device_of)
    dispatch.EAGER.register_executor(kind, execute)


def cache_size() -> int:
    """Number of executables that are kept."""
    return len(_cache)


def execute(
    op: Op, operands: tuple[Any, ...], attributes: Mapping[str, Any], regions: tuple[Any, ...]
) -> Any:
    """Run an op where its operands live. NumPy operands go along; two devices do not mix."""
    kind = devices.array_class()
    places = {devices.device_of(x) for x in operands if type(x) is kind} - {CPU}
    if len(places) > 1:
        shown = " and ".join(sorted(map(str, places)))
        raise DeviceError(
            f"{op.name}: operands live on {shown}; move them to one device with x.to(...)"
        )
    return run_on(places.pop() if places else CPU, op, operands, attributes, regions)


class OnDevice:
    """The interpreter of a device scope: every op runs there, operands are moved.

    Parameters
    ----------
    device : Device
    """

    def __init__(self, device: Device) -> None:
        self.device = device

    def run(
        self,
        op: Op,
        operands: tuple[Any, ...],
        attributes: Mapping[str, Any],
        regions: tuple[Any, ...],
    ) -> Any:
        """Run an op on the scope's device."""
        return run_on(self.device, op, operands, attributes, regions)

    def place(self, payload: Any) -> Any:
        """A copy of an ndarray on the scope's device."""
        return payload.copy() if self.device.is_host else _put(payload, self.device)


def run_on(
    device: Device,
    op: Op,
    operands: tuple[Any, ...],
    attributes: Mapping[str, Any],
    regions: tuple[Any, ...],
) -> Any:
    """Run an op on one device."""
    if device.is_host or op.has(Trait.HOST) or op.is_effect:
        arrays = tuple([x if type(x) is TokenType else devices.to_host(x) for x in operands])
        results = dispatch.EAGER.run(op, arrays, attributes, regions)
        return results if device.is_host else _map(results, lambda x: _put(x, device))
    placed = [_put(x, device) for x in operands]
    types = tuple([x if type(x) is TokenType else TensorType(x.dtype, x.shape) for x in placed])
    executable, several = _executable(device, op, types, attributes, regions)
    results = executable.call(*placed)
    return tuple(results) if several else results[0]


def _map(results: Any, function: Any) -> Any:
    if type(results) is tuple:
        return tuple([function(x) for x in results])
    return None if results is None else function(results)


def _put(x: Any, device: Device) -> Any:
    if type(x) is TokenType:
        return x
    if type(x) is devices.array_class() and devices.device_of(x) == device:
        return x
    return devices.move(np.asarray(x) if type(x) is not devices.array_class() else x, device)


def _executable(
    device: Device,
    op: Op,
    types: tuple[Any, ...],
    attributes: Mapping[str, Any],
    regions: tuple[Any, ...],
) -> tuple[XlaExecutable, bool]:
    key = (device, op, types, regions, attributes_key(attributes))
    with _lock:
        found = _cache.get(key)
        if found is not None:
            _cache.move_to_end(key)
            return found
    made = _compile(device, op, types, attributes, regions)
    with _lock:
        _cache[key] = made
        while len(_cache) > CACHE_SIZE:
            _cache.popitem(last=False)
    return made


def _compile(
    device: Device,
    op: Op,
    types: tuple[Any, ...],
    attributes: Mapping[str, Any],
    regions: tuple[Any, ...],
) -> tuple[XlaExecutable, bool]:
    """A graph of the one op, compiled; and whether the op gives a tuple."""
    builder = GraphBuilder(op.name)
    inputs = [builder.input(t) for t in types]
    results = builder.run(op, tuple(inputs), attributes, regions)
    several = type(results) is tuple
    graph = builder.build(results if several else (results,))
    return compile(graph, device=device), several
