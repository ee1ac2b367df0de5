"""Graph breaks: which signatures have no whole graph, and how their calls run in segments."""

from __future__ import annotations

import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from plait import ir  # its hashes are loaded when asked for
from plait.ir import (
    Graph,
    GraphBuilder,
    TensorType,
    Trait,
    Value,
    evaluate,
)
from plait.ir.errors import GraphBreakWarning
from plait.runtime import device
from plait.runtime.options import Options
from plait.runtime.program import Program
from plait.runtime.request import Request
from plait.tracer import (
    SMALL,
    Break,
    Check,
    Output,
    Recorder,
    Segment,
    TracedFunction,
    compile_check,
    flatten,
)

#: A function whose signatures broke this often at one line is not traced for others.
MOST = 8
#: How often a signature that broke is traced once more, when what was read outside has changed.
AGAIN = 3
#: Microseconds that a call of XLA costs at least, those of a call of NumPy, and the elements that
#: NumPy reads or writes in one.
XLA_CALL, NUMPY_CALL, ELEMENTS = 50.0, 1.5, 4000.0
#: Segments kept for each signature that may be kept.
SEGMENTS = 4


@dataclass(frozen=True, slots=True)
class _Known:
    """A signature that broke.

    Attributes
    ----------
    found : Break
    check : Check or None
        Whether outside is as it was then; None when nothing was read there.
    again : int
        How often it was traced once more, because outside had changed.
    """

    found: Break
    check: Check | None
    again: int


class Broken:
    """The signatures of one function that cannot be captured as one graph."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._lock = threading.Lock()
        self._breaks: OrderedDict[Any, _Known] = OrderedDict()
        self._counts: dict[Any, int] = {}
        self._everywhere: Break | None = None

    def __bool__(self) -> bool:
        return bool(self._breaks)

    def demand(self, key: Any, request: Request) -> None:
        """Raise for a signature that is known to have no graph, outside being as it was.

        Raises
        ------
        Break
        """
        if not self._breaks:
            return
        with self._lock:
            everywhere, known = self._everywhere, self._breaks.get(key)
        if everywhere is not None:
            raise everywhere.again()
        if known is None:
            return
        check = known.check if known.again < AGAIN else None
        if check is None or check(request.leaves, request.given) is not None:
            raise known.found.again()

    def note(self, key: Any, found: Break) -> None:
        """Remember a signature, so that it is not traced again."""
        if found.is_error:
            return  # the next call may well be right
        kept = found.again()
        if kept.error is not None:
            kept.error.__traceback__ = None
        check = compile_check(found.guards, ()) if found.guards else None
        with self._lock:
            old = self._breaks.get(key)
            self._breaks[key] = _Known(kept, check, 0 if old is None else old.again + 1)
            count = self._counts.get(kept.location, 0) + (old is None)
            self._counts[kept.location] = count
            if count >= MOST:
                self._everywhere = kept
            while len(self._breaks) > self._bound:
                self._breaks.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._breaks.clear()
            self._counts.clear()
            self._everywhere = None


def warn(name: str, found: Break) -> None:
    """Say at the user's line that a function runs in segments."""
    location = found.location
    message = (
        f"{name} cannot be captured as one graph: {found.reason} (at {location}). It runs in "
        "segments instead, compiled pieces with Python between them, which is slower; "
        "graph_function(fullgraph=True) makes this an error"
    )
    warnings.warn_explicit(message, GraphBreakWarning, location.file, max(location.line, 1))


class SegmentRunner:
    """Compiles and runs the segments of one function; each kind of segment is compiled once.

    Parameters
    ----------
    name : str
        Of the function.
    options : Options
    """

    def __init__(self, name: str, options: Options) -> None:
        self.name = name
        self.options = options
        self._lock = threading.Lock()
        self._pieces: OrderedDict[Any, _Piece] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pieces)

    def clear(self) -> None:
        """Forget all compiled segments."""
        with self._lock:
            self._pieces.clear()

    def call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> Any:
        """Run a function as Python, its ops in segments."""
        with Recorder(self.name, self.execute, self.options.backend):
            return function(*args, **kwargs)

    def execute(self, segment: Segment) -> tuple[Sequence[Any], Exception | None]:
        """Run a segment; the arrays of its outputs, and what a check of it found."""
        place = device.placement(segment.payloads)
        key = (place, *segment_key(segment))
        with self._lock:
            piece = self._pieces.get(key)
            if piece is not None:
                self._pieces.move_to_end(key)
        if piece is None:
            piece = _Piece(f"{self.name}_segment", segment, self.options, place)
            with self._lock:
                piece = self._pieces.setdefault(key, piece)
                while len(self._pieces) > SEGMENTS * self.options.cache_size:
                    self._pieces.popitem(last=False)
        return piece.run(segment)


class _Piece:
    """One kind of segment: its numbers are constants of the graph as long as they stay the same."""

    def __init__(self, name: str, segment: Segment, options: Options, place: Any) -> None:
        self._name = name
        self._options = options
        self._place = place
        self._lock = threading.Lock()
        self._baked = {i: segment.payloads[i].tobytes() for i in segment.literals}
        self._is_small = place is None and options.backend == "xla" and _is_small(segment)
        self._program: Program | None = None

    def run(self, segment: Segment) -> tuple[Sequence[Any], Exception | None]:
        """The outputs' arrays, and the error of a check that failed."""
        with self._lock:
            program = self._program_for(segment)
            baked = self._baked
        payloads = [x for i, x in enumerate(segment.payloads) if i not in baked]
        if self._is_small:
            results: Any = evaluate(program.runnable, [np.asarray(x) for x in payloads])
        else:
            if self._options.backend != "xla":
                payloads = [np.asarray(x) for x in payloads]
            results = program.executable(*payloads)
        found = [_settled(x) for x in results[: len(segment.outputs)]]
        if program.checks:
            try:
                program.raise_status(results[-1])
            except Exception as error:
                return found, error
        return found, None

    def _program_for(self, segment: Segment) -> Program:
        """The program; made anew where a number that was a constant of it has changed."""
        changed = [i for i, data in self._baked.items() if segment.payloads[i].tobytes() != data]
        if changed:
            self._baked = {i: data for i, data in self._baked.items() if i not in changed}
            self._program = None
        if self._program is None:
            graph = segment_graph(self._name, segment, frozenset(self._baked))
            self._program = Program(_as_traced(graph), self._options, self._place)
        return self._program


def _settled(result: Any) -> Any:
    """Small arrays on the host as NumPy's, which eager code is quickest with."""
    if type(result) is np.ndarray or result.size > SMALL or not device.device_of(result).is_host:
        return result
    return np.asarray(result)


def _is_small(segment: Segment) -> bool:
    """Whether to evaluate op by op, as eager code does, costs less than a call of XLA."""
    cost = 0.0
    for node in segment.nodes:
        values = (*node.operands, *node.results)
        size = sum(v.size for v in values if type(v.type) is TensorType)
        heavy = node.op.has(Trait.CONTRACTION) and size > SMALL
        if node.regions or heavy or cost > XLA_CALL:
            return False
        cost += NUMPY_CALL + size / ELEMENTS
    return cost <= XLA_CALL


def segment_key(segment: Segment) -> tuple[Any, ...]:
    """What segments of one program share: ops, types, attributes; not the arrays."""
    numbers: dict[Value, int] = {v: i for i, v in enumerate(segment.inputs)}
    keys: list[Any] = [tuple([v.type for v in segment.inputs]), segment.literals]
    for node in segment.nodes:
        operands = tuple([numbers[v] for v in node.operands])
        for result in node.results:
            numbers[result] = len(numbers)
        attributes = tuple([(name, _attribute(x)) for name, x in node.attributes.items()])
        regions = tuple([ir.structural_digest(r) for r in node.regions]) if node.regions else ()
        keys.append((node.op.name, operands, attributes, regions))
    keys.append(tuple([numbers[v] for v in segment.outputs]))
    return tuple(keys)


def _attribute(value: Any) -> Any:
    """A key of an attribute: ``1``, ``1.0`` and ``True`` differ."""
    kind = type(value)
    if kind is tuple:
        return tuple([_attribute(x) for x in value])
    return (kind, value) if kind in (int, str, bool) else ir.attribute_key(value)


def segment_graph(name: str, segment: Segment, baked: frozenset[int]) -> Graph:
    """The graph of a segment, with some of its inputs as constants."""
    builder = GraphBuilder(name)
    mapping: dict[Value, Value] = {}
    for i, value in enumerate(segment.inputs):
        if i not in baked:
            mapping[value] = builder.input(value.type, f"input{len(builder.inputs)}")
    for i in sorted(baked):
        mapping[segment.inputs[i]] = builder.constant(segment.payloads[i])
    for node in segment.nodes:
        results = builder.copy(node, [mapping[v] for v in node.operands])
        mapping.update(zip(node.results, results, strict=True))
    return builder.build([mapping[v] for v in segment.outputs])


def _as_traced(graph: Graph) -> TracedFunction:
    nothing = flatten(((), {}))[1]
    outputs = tuple([Output("tensor", i) for i in range(len(graph.outputs))])
    out_tree = flatten([0] * len(outputs))[1]
    return TracedFunction(graph, nothing, out_tree, (), (), outputs, (), ())


__all__ = ["Broken", "SegmentRunner", "segment_graph", "segment_key", "warn"]
