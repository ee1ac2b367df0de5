"""The inspector: one self-contained HTML file about a compilation; loaded when first used."""

from plait.inspect.inspector.front import inspect_function as inspect_function
from plait.inspect.inspector.front import inspect_graph as inspect_graph
from plait.inspect.inspector.front import inspect_passes as inspect_passes
from plait.inspect.inspector.front import inspect_plan as inspect_plan
from plait.inspect.inspector.page import Inspection as Inspection

__all__ = ["Inspection", "inspect_function", "inspect_graph", "inspect_passes", "inspect_plan"]
