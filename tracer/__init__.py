"""Python to graph: tensors, argument structure, tracing."""

from plait.tracer.arguments import NUMBER_TYPES as NUMBER_TYPES
from plait.tracer.arguments import LeafSpec as LeafSpec
from plait.tracer.arguments import classify as classify
from plait.tracer.pytree import TreeDef as TreeDef
from plait.tracer.pytree import flatten as flatten
from plait.tracer.pytree import leaf_paths as leaf_paths
from plait.tracer.pytree import map_leaves as map_leaves
from plait.tracer.pytree import register_pytree as register_pytree
from plait.tracer.pytree import unflatten as unflatten
from plait.tracer.spec import TensorSpec as TensorSpec
from plait.tracer.spec import parse_specs as parse_specs
from plait.tracer.tensor import Tensor as Tensor
from plait.tracer.tensor import lift as lift
from plait.tracer.tensor import rewrap as rewrap
from plait.tracer.tensor import unwrap as unwrap
from plait.tracer.tensor import wrap as wrap
from plait.tracer.trace import Capture as Capture
from plait.tracer.trace import NumberNeeded as NumberNeeded
from plait.tracer.trace import Output as Output
from plait.tracer.trace import Trace as Trace
from plait.tracer.trace import TracedFunction as TracedFunction
from plait.tracer.trace import trace_function as trace_function
