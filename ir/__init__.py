"""What a program is: types, values, graphs, op records, text."""

from plait.ir import dispatch as dispatch
from plait.ir import errors as errors
from plait.ir import ops as ops
from plait.ir.analysis import levels as levels
from plait.ir.builder import GraphBuilder as GraphBuilder
from plait.ir.graph import Graph as Graph
from plait.ir.graph import Node as Node
from plait.ir.graph import Value as Value
from plait.ir.interpret import evaluate as evaluate
from plait.ir.literal import Literal as Literal
from plait.ir.location import UNKNOWN as UNKNOWN
from plait.ir.location import Location as Location
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
from plait.ir.text import large_constants as large_constants
from plait.ir.text import parse as parse
from plait.ir.text import print_graph as print_graph
from plait.ir.types import *  # noqa: F403
