"""Pictures, tables and documents of graphs; loaded when first used, so that importing is quick."""

import importlib
from typing import TYPE_CHECKING, Any

from plait.inspect import notebook

if TYPE_CHECKING:
    from plait.inspect.comparison import GraphChange as GraphChange
    from plait.inspect.comparison import GraphDifference as GraphDifference
    from plait.inspect.comparison import compare as compare
    from plait.inspect.document import elements_json as elements_json
    from plait.inspect.document import to_json as to_json
    from plait.inspect.graphviz import dot as dot
    from plait.inspect.inspector import Inspection as Inspection
    from plait.inspect.picture import svg as svg
    from plait.inspect.program import python as python
    from plait.inspect.tables import table as table

__all__ = [
    "GraphChange",
    "GraphDifference",
    "Inspection",
    "compare",
    "dot",
    "elements_json",
    "python",
    "svg",
    "table",
    "to_json",
]

_HOMES = {
    "GraphChange": "comparison",
    "GraphDifference": "comparison",
    "Inspection": "inspector",
    "compare": "comparison",
    "dot": "graphviz",
    "elements_json": "document",
    "python": "program",
    "svg": "picture",
    "table": "tables",
    "to_json": "document",
}

notebook.register()


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"plait.inspect has no {name!r}; it has {', '.join(__all__)}")
    value = getattr(importlib.import_module(f"plait.inspect.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
