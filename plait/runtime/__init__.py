"""Eager state, compile driver, devices."""

from plait.runtime import device as device
from plait.runtime import shipping as shipping
from plait.runtime.explain import Explanation as Explanation
from plait.runtime.graph_function import GraphFunction as GraphFunction
from plait.runtime.graph_function import graph_function as graph_function
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
from plait.runtime.staging import Optimized as Optimized
from plait.runtime.staging import Traced as Traced
from plait.runtime.variable import Variable as Variable
