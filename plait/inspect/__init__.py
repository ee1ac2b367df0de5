"""Pictures, tables and explanations of graphs."""

from plait.inspect import notebook
from plait.inspect.document import elements_json as elements_json
from plait.inspect.document import to_json as to_json
from plait.inspect.dot import dot as dot
from plait.inspect.svg import svg as svg
from plait.inspect.table import table as table

notebook.register()

__all__ = ["dot", "svg", "table", "to_json"]
