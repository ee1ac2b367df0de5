"""What a program is: types, values, graphs, op records, text."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from plait.ir import device as device
from plait.ir import dispatch as dispatch
from plait.ir import display as display
from plait.ir import errors as errors
from plait.ir import executable as executable
from plait.ir import frames as frames
from plait.ir import host as host
from plait.ir import location as location
from plait.ir import ops as ops
from plait.ir import template as template
from plait.ir import types as types
from plait.ir.builder import GraphBuilder as GraphBuilder
from plait.ir.builder import region as region
from plait.ir.display import register_renderer as register_renderer
from plait.ir.executable import Executable as Executable
from plait.ir.graph import Graph as Graph
from plait.ir.graph import Node as Node
from plait.ir.graph import Value as Value
from plait.ir.interpret import evaluate as evaluate
from plait.ir.literal import Literal as Literal
from plait.ir.location import UNKNOWN as UNKNOWN
from plait.ir.location import Location as Location
from plait.ir.location import display_name as display_name
from plait.ir.location import is_internal as is_internal
from plait.ir.location import user_frame as user_frame
from plait.ir.location import user_location as user_location
from plait.ir.op import Op as Op
from plait.ir.op import Trait as Trait
from plait.ir.op import all_ops as all_ops
from plait.ir.op import get_op as get_op
from plait.ir.op import register as register
from plait.ir.plan import Decision as Decision
from plait.ir.plan import ExecutionPlan as ExecutionPlan
from plait.ir.plan import Schedule as Schedule
from plait.ir.plan import Slot as Slot
from plait.ir.plan import Step as Step
from plait.ir.symbolic import bind_dims as bind_dims
from plait.ir.symbolic import specialize as specialize
from plait.ir.types import *  # noqa: F403

if TYPE_CHECKING:
    from plait.ir.analysis import LITERAL_BYTES as LITERAL_BYTES
    from plait.ir.analysis import CriticalPath as CriticalPath
    from plait.ir.analysis import Interval as Interval
    from plait.ir.analysis import Use as Use
    from plait.ir.analysis import critical_path as critical_path
    from plait.ir.analysis import is_ordered as is_ordered
    from plait.ir.analysis import levels as levels
    from plait.ir.analysis import live_bytes as live_bytes
    from plait.ir.analysis import liveness as liveness
    from plait.ir.analysis import nested_graphs as nested_graphs
    from plait.ir.analysis import spread_literals as spread_literals
    from plait.ir.analysis import to_networkx as to_networkx
    from plait.ir.analysis import uses as uses
    from plait.ir.cost import Cost as Cost
    from plait.ir.cost import cost_report as cost_report
    from plait.ir.cost import graph_cost as graph_cost
    from plait.ir.cost import node_cost as node_cost
    from plait.ir.hashing import attribute_key as attribute_key
    from plait.ir.hashing import structural_digest as structural_digest
    from plait.ir.hashing import structural_equal as structural_equal
    from plait.ir.hashing import structural_hash as structural_hash
    from plait.ir.text import large_constants as large_constants
    from plait.ir.text import load_graph as load_graph
    from plait.ir.text import name_values as name_values
    from plait.ir.text import parse as parse
    from plait.ir.text import print_graph as print_graph
    from plait.ir.text import print_node as print_node
    from plait.ir.text import print_plan as print_plan
    from plait.ir.text import save_graph as save_graph
    from plait.ir.verifier import verify as verify

# What eager code does without is loaded when it is first asked for, so that importing is quick.
_LAZY = {
    name: module
    for module, names in {
        "analysis": "CriticalPath Interval LITERAL_BYTES Use critical_path is_ordered levels "
        "live_bytes liveness nested_graphs spread_literals to_networkx uses",
        "cost": "Cost cost_report graph_cost node_cost",
        "hashing": "attribute_key structural_digest structural_equal structural_hash",
        "text": "large_constants load_graph name_values parse print_graph print_node print_plan "
        "save_graph",
        "verifier": "verify",
    }.items()
    for name in names.split()
}


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"plait.ir has no {name!r}")
    found = getattr(importlib.import_module(f"plait.ir.{module}"), name)
    globals()[name] = found
    return found
