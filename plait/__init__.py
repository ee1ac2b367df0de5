"""Plait: eager tensors, and compiled graphs wherever you ask for them.

``import plait as pl``. Functions take tensors, NumPy and jax arrays, lists and numbers, and have
NumPy's meaning; ``pl.graph_function`` compiles a Python function of them.
"""

from __future__ import annotations

from collections.abc import Callable as _Callable
from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from plait import inspect as inspect
from plait import random as random
from plait.creation import CREATION as _CREATION
from plait.creation import asarray as asarray
from plait.creation import astype as astype
from plait.creation import on_device as _on_device
from plait.creation import reshape as reshape
from plait.deploy import load as load
from plait.dtypes import array_namespace_info as array_namespace_info
from plait.dtypes import can_cast as can_cast
from plait.dtypes import finfo as finfo
from plait.dtypes import iinfo as iinfo
from plait.dtypes import isdtype as isdtype
from plait.dtypes import result_type as result_type
from plait.ir import bfloat16 as bfloat16
from plait.ir import bool_ as bool_
from plait.ir import complex64 as complex64
from plait.ir import complex128 as complex128
from plait.ir import errors as errors
from plait.ir import float16 as float16
from plait.ir import float32 as float32
from plait.ir import float64 as float64
from plait.ir import int8 as int8
from plait.ir import int16 as int16
from plait.ir import int32 as int32
from plait.ir import int64 as int64
from plait.ir import uint8 as uint8
from plait.ir import uint16 as uint16
from plait.ir import uint32 as uint32
from plait.ir import uint64 as uint64
from plait.ir.device import Device as Device
from plait.printing import print as print
from plait.runtime import Variable as Variable
from plait.runtime import graph_function as graph_function
from plait.runtime import loop_gradients as loop_gradients
from plait.runtime.device import device as device
from plait.runtime.device import devices as devices
from plait.tracer import Tensor as Tensor
from plait.tracer import TensorSpec as TensorSpec
from plait.tracer import convert_modules as convert_modules
from plait.tracer import from_dlpack as from_dlpack
from plait.tracer import public_functions as _public_functions
from plait.tracer import register_pytree as register_pytree

if _TYPE_CHECKING:
    from plait.deploy import from_jax as from_jax
    from plait.deploy import to_jax as to_jax
    from plait.runtime import GradientTape as GradientTape
    from plait.runtime import custom_gradient as custom_gradient
    from plait.runtime import grad as grad
    from plait.runtime import gradients_function as gradients_function
    from plait.runtime import hessian as hessian
    from plait.runtime import implicit_gradients as implicit_gradients
    from plait.runtime import implicit_value_and_gradients as implicit_value_and_gradients
    from plait.runtime import jacobian as jacobian
    from plait.runtime import jvp as jvp
    from plait.runtime import remat as remat
    from plait.runtime import stop_gradient as stop_gradient
    from plait.runtime import value_and_grad as value_and_grad
    from plait.runtime import value_and_gradients_function as value_and_gradients_function
    from plait.runtime import vjp as vjp
    from plait.vectorized import vmap as vmap

__version__ = "0.1.0"
__array_api_version__ = "2024.12"
__array_namespace_info__ = array_namespace_info

# Constants.
e = 2.718281828459045
inf = float("inf")
nan = float("nan")
newaxis = None
pi = 3.141592653589793

# Every function on payloads under its name, for tensors.
_functions: dict[str, _Callable[..., _Any]] = {
    name: _on_device(function) if name in _CREATION else function
    for name, function in _public_functions().items()
}
_functions |= {"array": asarray, "asarray": asarray, "astype": astype, "reshape": reshape}
globals().update(_functions)
bool = bool_

_OTHERS = (
    "Device Tensor TensorSpec Variable __array_api_version__ __array_namespace_info__ "
    "array_namespace_info asarray bfloat16 bool bool_ can_cast complex128 complex64 "
    "GradientTape convert_modules custom_gradient device devices e errors finfo float16 float32 "
    "float64 from_dlpack from_jax grad gradients_function hessian implicit_gradients "
    "implicit_value_and_gradients jacobian jvp loop_gradients remat stop_gradient value_and_grad "
    "value_and_gradients_function vjp "
    "graph_function iinfo inf int16 int32 int64 int8 isdtype load nan newaxis pi print random "
    "register_pytree result_type to_jax uint16 uint32 uint64 uint8 vmap"
)
# What is loaded when it is first asked for, so that importing is quick.
_LAZY = dict.fromkeys(
    (
        "GradientTape",
        "custom_gradient",
        "grad",
        "gradients_function",
        "hessian",
        "implicit_gradients",
        "implicit_value_and_gradients",
        "jacobian",
        "jvp",
        "remat",
        "stop_gradient",
        "value_and_grad",
        "value_and_gradients_function",
        "vjp",
    ),
    "plait.runtime",
) | {"vmap": "plait.vectorized", "from_jax": "plait.deploy", "to_jax": "plait.deploy"}
__all__ = sorted({*_functions, *_OTHERS.split()})


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__", "inspect"})


def __getattr__(name: str) -> _Any:
    """Load what is loaded late; say what to use for a name that does not exist."""
    if name in _LAZY:
        found = globals()[name] = getattr(_import_module(_LAZY[name]), name)
        return found
    from plait.other_names import hint

    # The interpreter adds a hint of its own to an error that carries the module.
    raise AttributeError(f"plait has no {name!r}{hint(name, __all__)}", name=name, obj=None)
