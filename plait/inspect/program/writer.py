"""The writer: a graph as a function of Python, its regions as loops, branches and functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plait.inspect.program.comments import Lines
from plait.inspect.program.entry import Entry
from plait.inspect.program.names import identifier
from plait.inspect.program.pages import Pages
from plait.inspect.program.scope import Scope
from plait.ir import Dim, ExecutionPlan, Graph, TensorType, TokenType, Value


@dataclass(frozen=True, slots=True)
class Program:
    """A NumPy program.

    Attributes
    ----------
    text : str
    function : str
        The name of its function.
    constants : mapping of str to ndarray
        What it loads from the file beside it; empty where all is in the text.
    """

    text: str
    function: str
    constants: Mapping[str, Any] = field(default_factory=dict)


def python(graph: Graph) -> str:
    """A graph as a NumPy program: a function of the graph's name that gives the same numbers.

    Loops are loops of Python, branches are ``if``, checks raise, calls are functions; the user's
    lines are comments. It needs NumPy, and scipy or ml_dtypes where the graph has special
    functions or bfloat16, and nothing of Plait. Where the reference backend is NumPy, it gives
    the same bits for arguments in C order.

    Parameters
    ----------
    graph : Graph

    Examples
    --------
    >>> from plait import inspect, ir
    >>> graph = ir.parse("graph f(%x: f32[2]) -> (f32[2]) { %0: f32[2] = tanh(%x) return %0 }")
    >>> program = {}
    >>> exec(inspect.python(graph), program)
    >>> program["f"](np.zeros(2, np.float32))
    array([0., 0.], dtype=float32)
    """
    shown = graph.graph if isinstance(graph, ExecutionPlan) else graph
    return write_program(shown).text


def write_program(
    graph: Graph,
    entry: Entry | None = None,
    beside: str | None = None,
    lines: Lines | None = None,
) -> Program:
    """A graph as a NumPy program.

    Parameters
    ----------
    graph : Graph
    entry : Entry, optional
        How its function is called; by default with the graph's inputs.
    beside : str, optional
        Name of the ``.npz`` file that is to hold the large constants.
    lines : mapping of (str, int) to str, optional
        The user's lines by file and number, where the files may be gone.
    """
    pages = Pages(beside, lines)
    name = pages.names.take(graph.name)
    if entry is not None:
        pages.globals += entry.globals
        pages.names.avoid(entry.avoided)
        pages.state_name = entry.state_name
        for line in entry.imports:
            pages.load(line)
        for helper in entry.helpers:
            pages.helper(helper)
        for value in graph.inputs:
            pages.dtype(value.tensor_type.dtype)
    text = '@np.errstate(all="ignore")\n' + function_text(pages, graph, name, entry)
    pages.functions.append(text)
    pages.state = {n: pages.literal(a) for n, a in entry.state} if entry is not None else {}
    title = f"{graph.name}{_types(graph.inputs)} -> {_types(graph.outputs)}"
    title = title if entry is None else f"{name}({entry.parameters})"
    constants = pages.constants if beside is not None else {}
    return Program(pages.text(title), name, constants)


def _types(values: Sequence[Value]) -> str:
    return f"({', '.join([str(v.type) for v in values])})"


def function_text(pages: Pages, graph: Graph, name: str, entry: Entry | None) -> str:
    """The function of a graph; those that it calls go to the pages."""
    scope = Scope(pages, lambda g, n: _callee(pages, g, n))
    for taken in entry.names if entry is not None else ():
        scope.names.take(taken)
    wanted = [v.name if isinstance(v.type, TensorType) else "_token" for v in graph.inputs]
    inputs = [scope.names.take(n or f"arg{i}") for i, n in enumerate(wanted)]
    bound = dict(zip(graph.inputs, inputs, strict=True))
    given = [bound[v] for v in graph.inputs if type(v.type) is not TokenType]
    sizes = scope.bind_sizes(graph, bound)
    if entry is None:
        entry = Entry(", ".join(given + scope.unbound_sizes(graph)), lambda _: [])
    for line in [*entry.begin(given), *sizes]:
        scope.line(line)
    outputs = scope.block(graph, bound, scope.dense_inputs(graph))
    shown = [
        t for t, v in zip(outputs, graph.outputs, strict=True) if type(v.type) is not TokenType
    ]
    for line in entry.end(shown):
        scope.line(line)
    doc = [f"    {line}".rstrip() for line in entry.doc]
    return "\n".join([f"def {name}({entry.parameters}):", *doc, *scope.lines])


def _callee(pages: Pages, graph: Graph, wanted: str) -> str:
    """Write the function of a region; its name."""
    name = pages.names.take(identifier(wanted))
    text = function_text(pages, graph, name, None)
    pages.functions.append(text)
    return name


def dims_of(graph: Graph) -> list[Dim]:
    """The symbolic sizes of a graph's inputs, in order."""
    types = [v.type for v in graph.inputs]
    found = [d for t in types if isinstance(t, TensorType) for d in t.shape if type(d) is Dim]
    return list(dict.fromkeys(found))


__all__ = ["Program", "python", "write_program"]
