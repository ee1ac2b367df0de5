"""Reference evaluation: what a graph means, by the NumPy reference of each of its ops."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from plait.ir.errors import PlaitError, SignatureError
from plait.ir.graph import Graph, Node, Value
from plait.ir.location import UNKNOWN
from plait.ir.symbolic import bind_dims, has_dims, specialize
from plait.ir.types import TensorType, TokenType, Type, token

Arrays = list[Any]
#: What a region op does: asks for evaluations of its regions, one by one, and returns its results.
Steps = Generator[tuple[Graph, Sequence[Any]], Arrays, Arrays]

_region_steps: dict[str, Callable[..., Steps]] = {}


def register_region_steps(name: str, steps: Callable[..., Steps]) -> Callable[..., Arrays]:
    """Register how a region op runs its regions; returns the op's reference.

    ``steps(*arrays, regions=, **attributes)`` is a generator: it yields a region with its
    arguments, receives the outputs, and returns the op's results. Nests of any depth then run
    without recursion.
    """
    _region_steps[name] = steps

    def reference(*arrays: Any, **attributes: Any) -> Any:
        return tuple(run_steps(steps(*arrays, **attributes)))

    return reference


def run_steps(steps: Steps) -> Arrays:
    """Drive a generator of region evaluations, and those that it leads to, to its end."""
    pending = [steps]
    sent: Arrays | None = None
    failure: BaseException | None = None
    while pending:
        try:
            if failure is None:
                graph, arrays = pending[-1].send(sent)  # type: ignore[arg-type]
            else:
                raised, failure = failure, None
                graph, arrays = pending[-1].throw(raised)
        except StopIteration as end:
            pending.pop()
            sent = end.value
        except BaseException as error:
            pending.pop()
            if not pending:
                raise
            failure = error
        else:
            pending.append(_evaluate(graph, arrays))
            sent = None
    assert sent is not None
    return sent


def evaluate(graph: Graph, arrays: Sequence[Any]) -> Arrays:
    """Run a graph on arrays of exactly its input types.

    Each node runs its op's reference; results become ndarrays of the inferred dtype; a value is
    freed after its last use; floating point warnings are off. Outputs may share memory with
    inputs and constants.

    Parameters
    ----------
    graph : Graph
    arrays : sequence of ndarray
        One for each input; ``plait.ir.token`` for a token. Symbolic dimensions take the sizes of
        the arrays.

    Returns
    -------
    list of ndarray
        One for each output.

    Raises
    ------
    SignatureError
        An array that is not of its input's type.

    Examples
    --------
    >>> from plait import ir
    >>> graph = ir.parse("graph f(%x: f32[2]) -> (f32[2]) { %0: f32[2] = add(%x, %x) return %0 }")
    >>> ir.evaluate(graph, [np.asarray([1, 2], np.float32)])
    [array([2., 4.], dtype=float32)]
    """
    operands = [check_argument(graph, v, a) for v, a in zip_arguments(graph, arrays)]
    if any(has_dims(t) for t in graph.input_types):
        sizes = bind_dims(graph.input_types, [getattr(a, "shape", ()) for a in operands])
        graph = specialize(graph, sizes)
    with np.errstate(all="ignore"):
        return run_steps(_evaluate(graph, operands))


def zip_arguments(graph: Graph, arrays: Sequence[Any]) -> list[tuple[Value, Any]]:
    """Inputs with their arguments; as many of one as of the other."""
    if len(arrays) != len(graph.inputs):
        raise SignatureError(
            f"graph {graph.name!r} takes {len(graph.inputs)} argument(s), got {len(arrays)}"
        )
    return list(zip(graph.inputs, arrays, strict=True))


def check_argument(graph: Graph, value: Value, array: Any) -> Any:
    """The array, which must be of exactly the input's type; symbolic dimensions take any size."""
    wanted = value.type
    if type(wanted) is not TensorType:
        if type(wanted) is TokenType and type(array) is not TokenType:
            raise SignatureError(f"{_input(graph, value)} is a token, got {type(array).__name__}")
        return array
    if type(array) is not np.ndarray:
        array = np.asarray(array)
    shape = wanted.shape
    fits = len(shape) == array.ndim and all(
        type(d) is not int or d == n for d, n in zip(shape, array.shape, strict=True)
    )
    if array.dtype != wanted.dtype or not fits:
        found = TensorType(array.dtype, array.shape) if array.dtype.kind != "O" else "an object"
        raise SignatureError(f"{_input(graph, value)} is {wanted}, got {found}")
    return array


def _input(graph: Graph, value: Value) -> str:
    return f"input {value.index} ({value.name or 'unnamed'}) of graph {graph.name!r}"


@dataclass(frozen=True, slots=True)
class _Step:
    """One node with its places in the list of live values."""

    node: Node
    operands: tuple[int, ...]
    results: tuple[int, ...]
    frees: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Program:
    steps: tuple[_Step, ...]
    outputs: tuple[int, ...]
    size: int


_programs: WeakKeyDictionary[Graph, _Program] = WeakKeyDictionary()


def _program(graph: Graph) -> _Program:
    """The graph's nodes with numbered values and the ends of their lives; made once a graph."""
    known = _programs.get(graph)
    if known is not None:
        return known
    numbers = {v: i for i, v in enumerate(graph.inputs)}
    for node in graph.nodes:
        for result in node.results:
            numbers[result] = len(numbers)
    outputs = tuple([numbers[v] for v in graph.outputs])
    alive = set(outputs)
    steps: list[_Step] = []
    for node in reversed(graph.nodes):
        operands = tuple([numbers[v] for v in node.operands])
        results = tuple([numbers[v] for v in node.results])
        frees = tuple({i for i in (*operands, *results) if i not in alive})
        alive.update(frees)
        steps.append(_Step(node, operands, results, frees))
    made = _programs[graph] = _Program(tuple(reversed(steps)), outputs, len(numbers))
    return made


def _evaluate(graph: Graph, arrays: Sequence[Any]) -> Steps:
    """Run the nodes in order; regions are asked of the driver."""
    program = _program(graph)
    values: Arrays = [*arrays, *[None] * (program.size - len(arrays))]
    for step in program.steps:
        node = step.node
        operands = [values[i] for i in step.operands]
        steps = _region_steps.get(node.op.name) if node.regions else None
        results: Sequence[Any]
        try:
            if steps is not None:
                results = yield from steps(*operands, regions=node.regions, **node.attributes)
            else:
                results = _apply(node, operands)
        except PlaitError as error:
            if node.location != UNKNOWN:
                error.at(node.location)
            raise
        for i, result, value in zip(step.results, results, node.results, strict=True):
            values[i] = as_payload(result, value.type)
        for i in step.frees:
            values[i] = None
    return [values[i] for i in program.outputs]


def _apply(node: Node, operands: Arrays) -> Sequence[Any]:
    """The results of a node by its op's reference, as a sequence."""
    if node.regions:
        found = node.op.reference(*operands, regions=node.regions, **node.attributes)
    else:
        found = node.op.reference(*operands, **node.attributes)
    if type(found) is tuple:
        return found
    return (found,) if node.results else ()


def as_payload(result: Any, expected: Type) -> Any:
    """A reference's result as an ndarray of the inferred dtype."""
    if type(expected) is TensorType:
        if type(result) is np.ndarray and result.dtype is expected.dtype:
            return result
        return np.asarray(result, expected.dtype)
    return token if type(expected) is TokenType else result
