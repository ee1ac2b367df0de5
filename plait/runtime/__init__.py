"""Eager state, compile driver, devices."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from plait.runtime import device as device
from plait.runtime import inspected as inspected
from plait.runtime import shipping as shipping
from plait.runtime.explain import Explanation as Explanation
from plait.runtime.export_report import ExportReport as ExportReport
from plait.runtime.graph_function import GraphFunction as GraphFunction
from plait.runtime.graph_function import graph_function as graph_function
from plait.runtime.loops import loop_gradients as loop_gradients
from plait.runtime.memory import MemoryAnalysis as MemoryAnalysis
from plait.runtime.memory import memory_lines as memory_lines
from plait.runtime.memory import memory_of as memory_of
from plait.runtime.memory import plan_memory as plan_memory
from plait.runtime.options import Options as Options
from plait.runtime.options import make_options as make_options
from plait.runtime.records import TraceRecord as TraceRecord
from plait.runtime.results import value_of as value_of
from plait.runtime.rows import RowFunction as RowFunction
from plait.runtime.rows import Rows as Rows
from plait.runtime.rows import Stream as Stream
from plait.runtime.rows import is_array as is_array
from plait.runtime.shipping import register_exporter as register_exporter
from plait.runtime.shipping import register_saver as register_saver
from plait.runtime.staging import Optimized as Optimized
from plait.runtime.staging import Traced as Traced
from plait.runtime.variable import Variable as Variable

if TYPE_CHECKING:
    from plait.runtime.custom import custom_gradient as custom_gradient
    from plait.runtime.custom import remat as remat
    from plait.runtime.custom import stop_gradient as stop_gradient
    from plait.runtime.derivatives import hessian as hessian
    from plait.runtime.derivatives import jacobian as jacobian
    from plait.runtime.derivatives import jvp as jvp
    from plait.runtime.gradients import grad as grad
    from plait.runtime.gradients import gradients_function as gradients_function
    from plait.runtime.gradients import implicit_gradients as implicit_gradients
    from plait.runtime.gradients import implicit_value_and_gradients as implicit_value_and_gradients
    from plait.runtime.gradients import value_and_grad as value_and_grad
    from plait.runtime.gradients import value_and_gradients_function as value_and_gradients_function
    from plait.runtime.gradients import vjp as vjp
    from plait.runtime.played import all_gradients as all_gradients
    from plait.runtime.tape import GradientTape as GradientTape

# What differentiates is loaded when it is first asked for, so that importing is quick.
_LAZY = {
    name: module
    for module, names in {
        "custom": "custom_gradient remat stop_gradient",
        "derivatives": "hessian jacobian jvp",
        "gradients": "grad gradients_function implicit_gradients implicit_value_and_gradients "
        "value_and_grad value_and_gradients_function vjp",
        "played": "all_gradients",
        "tape": "GradientTape",
    }.items()
    for name in names.split()
}


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"plait.runtime has no {name!r}")
    found = getattr(import_module(f"plait.runtime.{module}"), name)
    globals()[name] = found
    return found
