"""One program per signature: keys, the bounded cache, runtime numbers, tracing once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from plait.ir import dispatch
from plait.ir.autodiff import capacity
from plait.ir.errors import DTypeError, SignatureError, TraceError
from plait.ir.location import Location, raised_at, user_location
from plait.runtime import device
from plait.runtime.aliases import same_objects
from plait.runtime.history import Attempt, History
from plait.runtime.options import Options
from plait.runtime.program import Program
from plait.runtime.programs import OutsideNumbers, Programs
from plait.runtime.request import Request
from plait.runtime.retrace import Asked
from plait.runtime.segments import Broken
from plait.tracer import (
    NUMBER_TYPES,
    Break,
    LeafSpec,
    NumberNeeded,
    Trace,
    TracedFunction,
    classify,
    layout_of_leaf,
    trace_function,
)

#: How long a call waits for another thread that traces the same; then it traces for itself.
PATIENCE = 60.0
#: How often a function is captured whose guards fail right after it.
TRIES = 3


_ENDLESS = (
    "{} calls itself without end while it is traced: a branch on a tensor's value cannot stop it; "
    "let a Python argument count down, or loop inside of it"
)

#: Why a number is no input.
NEEDED = "its value decides a shape or a branch"
FAILS = "the code fails when it is an input of the graph"


class _Depth(threading.local):
    """How many functions the thread is tracing."""

    value = 0


_depth = _Depth()


@dataclass(slots=True)
class _Family:
    """Signatures that differ in the values of Python numbers only."""

    last: dict[int, Any] = field(default_factory=dict)
    dynamic: set[int] = field(default_factory=set)
    static: set[int] = field(default_factory=set)
    needs: dict[int, tuple[str, Location]] = field(default_factory=dict)

    def note(self, numbers: dict[int, Any]) -> None:
        """Make inputs of the numbers that differ from those of the call before."""
        self.dynamic |= {
            i
            for i, value in numbers.items()
            if i not in self.static and i in self.last and self.last[i] != value
        }
        self.last = dict(numbers)

    def fix(self, positions: set[int], why: str, location: Location) -> None:
        """Keep numbers in the signature."""
        self.static |= positions
        self.dynamic -= positions
        self.needs |= dict.fromkeys(positions, (why, location))

    def free(self, positions: set[int]) -> None:
        """Let numbers be inputs again."""
        self.static -= positions
        self.dynamic |= positions


class Specializer:
    """The programs of one function, by signature."""

    def __init__(self, name: str, options: Options) -> None:
        self.name = name
        self.options = options
        self.history = History(name, options.backend, options.max_traces)
        self._lock = threading.Lock()
        self._programs = Programs(options.cache_size)
        self._outside = OutsideNumbers()
        self._families: OrderedDict[Any, _Family] = OrderedDict()
        self._room = 1
        self._busy: dict[Any, threading.Event] = {}
        self.broken = Broken(options.cache_size)

    def __len__(self) -> int:
        return len(self._programs)

    @property
    def is_broken(self) -> bool:
        """Whether no signature could be captured so far, and one could not."""
        return bool(self.broken) and not self._programs

    @property
    def last(self) -> Program | None:
        """The program used last, as far as it was looked up here."""
        with self._lock:
            return self._programs.last

    def clear(self) -> None:
        """Forget all programs."""
        with self._lock:
            self._programs.clear()
            self._families.clear()
            self._outside = OutsideNumbers()
        self.history.clear()
        self.broken.clear()

    def program(self, function: Callable[..., Any], request: Request) -> Program:
        """The program for a request, traced when it is new."""
        found = self._laid_out(function, request, ())
        if found.traced.mutated:
            same = same_objects(found.traced, request)
            if same:
                found = self._laid_out(function, request, same)
                same_objects(found.traced, request)
        return found

    def _laid_out(
        self, function: Callable[..., Any], request: Request, same: tuple[int, ...]
    ) -> Program:
        """The program for how arguments lie in memory, as far as that matters."""
        found = self._program(function, request, same)
        while found.traced.layouts:
            known = {i: layout_of_leaf(request.leaves[i]) for i in found.traced.layouts}
            known = {**request.layouts, **{i: x for i, x in known.items() if x is not None}}
            if known == request.layouts:
                break
            request.layouts = known
            found = self._program(function, request, same)
        return found

    def _program(
        self, function: Callable[..., Any], request: Request, same: tuple[int, ...]
    ) -> Program:
        place = device.placement(request.leaves)
        specs = self._specs(request)
        numbers = _numbers(request)
        family = self._family(request, specs, numbers) if numbers else None
        loops = self._loops()
        key = (request.tree, place, same, loops, *specs)
        found = self._find(key, request)
        if found is not None:
            return found
        self.broken.demand(key, request)
        if family is not None:
            family.note(numbers)
        attempt = Attempt(self.history)
        while True:
            if family is not None:
                _set_dynamic(specs, numbers, family)
            key = (request.tree, place, same, loops, *specs)
            with self._alone(key):
                found = self._find(key, request)
                if found is not None:
                    return found
                self._outside.note(self._candidates(key), request)
                self.broken.demand(key, request)
                needs = self._outside.needs | (family.needs if family else {})
                asked = Asked(request, specs, place, same, loops, needs)
                attempt.trace(asked, key, self._known())
                try:
                    traced = partial(self._trace, function, request, specs, numbers, family, same)
                    program = self._settled(traced, request, place)
                except Break as found_break:
                    if not found_break.is_error:
                        self.broken.note(key, found_break)
                        self.history.broke(found_break, asked)
                    raise
                if program is not None:
                    program.loops = loops
                    key = (request.tree, place, same, loops, *specs)
                    return self._keep(key, program, attempt)

    def _loops(self) -> capacity.LoopOptions:
        """How loops in gradients are captured: as the thread says, with the room that they took."""
        options = capacity.current()
        room = max(options.capacity, self._room)
        return replace(options, capacity=room, residuals=self.options.residuals)

    def make_room(self, trips: int) -> bool:
        """Capture gradients of loops for more trips from now on; False when there is room."""
        wanted = capacity.next_capacity(trips)
        grows = wanted > self._loops().capacity
        self._room = max(self._room, wanted)
        return grows

    def _known(self) -> list[Program]:
        with self._lock:
            return self._programs.known()

    def _candidates(self, key: Any) -> tuple[Program, ...]:
        with self._lock:
            return self._programs.candidates(key)

    def _find(self, key: Any, request: Request) -> Program | None:
        """The program of a signature for which outside is as it was, the one used last first."""
        for program in self._candidates(key):
            found = program.look(request.leaves, request.given)
            if found is not None:
                request.found = found
                with self._lock:
                    self._programs.use(key, program)
                return program
        return None

    @contextmanager
    def _alone(self, key: Any) -> Iterator[None]:
        """Let one thread at a time trace for a key, where waiting can do no harm.

        A thread that is tracing does not wait: the other one might wait for it in turn.
        """
        with self._lock:
            other = self._busy.get(key)
            mine = None if other is not None else self._busy.setdefault(key, threading.Event())
        if other is not None and not _depth.value:
            other.wait(PATIENCE)
        try:
            yield
        finally:
            if mine is not None:
                with self._lock:
                    del self._busy[key]
                mine.set()

    def _specs(self, request: Request) -> list[LeafSpec]:
        specs = []
        for i, leaf in enumerate(request.leaves):
            try:
                specs.append(classify(leaf, ""))
            except (SignatureError, DTypeError, TypeError):
                specs.append(_classified(leaf, request.paths()[i]))
        for i, layout in request.layouts.items():
            specs[i] = replace(specs[i], layout=layout)
        return specs

    def _family(self, request: Request, specs: list[LeafSpec], numbers: dict[int, Any]) -> _Family:
        base = [
            LeafSpec("number", None, type(numbers[i])) if i in numbers else spec
            for i, spec in enumerate(specs)
        ]
        key = (request.tree, *base)
        with self._lock:
            family = self._families.setdefault(key, _Family())
            self._families.move_to_end(key)
            while len(self._families) > self.options.cache_size:
                self._families.popitem(last=False)
        _set_dynamic(specs, numbers, family)
        return family

    def _settled(
        self, trace: Callable[[], TracedFunction | None], request: Request, place: Any
    ) -> Program | None:
        """A program whose guards hold; None when a number has to become static first.

        Another thread may change what is read meanwhile: then it is captured again.

        Raises
        ------
        Break
            What is read is another one each time.
        """
        program: Program | None = None
        is_inner = bool(_depth.value)  # the trace around it guards what it reads
        for _ in range(TRIES):
            traced = trace()
            if traced is None:
                return None
            program = Program(traced, self.options, place)
            found = program.settle(request.leaves, request.given, is_inner)
            if found is not None:
                request.found = found
                return program
        assert program is not None
        raise program.unsettled(request.leaves, request.given)

    def _trace(
        self,
        function: Callable[..., Any],
        request: Request,
        specs: list[LeafSpec],
        numbers: dict[int, Any],
        family: _Family | None,
        same: tuple[int, ...],
    ) -> TracedFunction | None:
        """The captured function; None when a number has to become static first."""
        dynamic = family.dynamic & numbers.keys() if family is not None else set()
        try:
            return self._trace_settled(function, request, specs, same)
        except NumberNeeded as needed:
            if not needed.is_own:
                raise
            self._outside.fix(needed.positions, NEEDED, needed.location)
            _make_static(needed, request, numbers, family)
            return None
        except (Exception, Break) as error:
            outside = self._outside.dynamic
            if not dynamic and not outside:
                raise
            where = raised_at(error)
        # Perhaps the code does with a number what only a number can do.
        self._outside.fix(outside, FAILS, where)
        if family is not None:
            family.fix(dynamic, FAILS, where)
            _set_dynamic(specs, numbers, family)
        try:
            return self._trace_settled(function, request, specs, same)
        except BaseException:
            self._outside.free(outside)
            if family is not None:
                family.free(dynamic)
            raise

    def _trace_settled(
        self,
        function: Callable[..., Any],
        request: Request,
        specs: list[LeafSpec],
        same: tuple[int, ...],
    ) -> TracedFunction:
        """Trace; once more when variables were made out of sight, which exist from then on."""
        traced = self._trace_once(function, request, specs, same)
        if traced.made is not None and not traced.keeps:
            traced = self._trace_once(function, request, specs, same)
        if traced.made is not None and not traced.keeps:
            raise TraceError(
                f"{self.name} makes a pl.Variable at every call; make it once, outside or when "
                "it is not there yet, and keep it",
                traced.made,
            )
        return traced

    def _trace_once(
        self,
        function: Callable[..., Any],
        request: Request,
        specs: list[LeafSpec],
        same: tuple[int, ...],
    ) -> TracedFunction:
        _depth.value += 1
        try:
            with capacity.use(self._loops()):
                return trace_function(
                    function,
                    request.tree,
                    specs,
                    request.paths(),
                    self.name,
                    same,
                    self._outside.decisions(),
                )
        except TraceError as error:
            if type(error) is not TraceError:
                raise
            raise Break(error.message, error.location, error) from None
        except RecursionError:
            raise Break(_ENDLESS.format(self.name), user_location()) from None
        finally:
            _depth.value -= 1

    def _keep(self, key: Any, program: Program, attempt: Attempt) -> Program:
        attempt.finish(program)
        if program.is_for_once:
            return program
        with self._lock:
            for old in self._programs.add(key, program):
                self.history.drop(old)
        return program


def _classified(leaf: Any, path: str) -> LeafSpec:
    """The spec of an argument that may be no part of a graph.

    Raises
    ------
    Break
        It is an array of another kind than tensors.
    SignatureError
        It cannot be hashed.
    """
    try:
        return classify(leaf, path)
    except DTypeError as error:
        raise Break(error.message, error=error) from None


def _numbers(request: Request) -> dict[int, Any]:
    """The Python numbers that may become runtime inputs, by leaf."""
    found = {
        i: leaf
        for i, leaf in enumerate(request.leaves)
        if type(leaf) in (float, complex) or (type(leaf) is int and -(2**63) <= leaf < 2**63)
    }
    if found and request.static:
        fixed = request.static_leaves()
        found = {i: leaf for i, leaf in found.items() if i not in fixed}
    return found


def _set_dynamic(specs: list[LeafSpec], numbers: dict[int, Any], family: _Family) -> None:
    for i, value in numbers.items():
        if i in family.dynamic:
            specs[i] = LeafSpec("number", NUMBER_TYPES[type(value)], type(value))
        else:
            specs[i] = classify(value, "")


def _make_static(
    needed: NumberNeeded, request: Request, numbers: dict[int, Any], family: _Family | None
) -> None:
    """Fix numbers whose value the trace needs; those of an outer trace are fixed there."""
    for i in needed.positions:
        if not isinstance(i, int):
            continue  # a number from outside
        leaf = request.leaves[i]
        if i in numbers and family is not None:
            family.fix({i}, NEEDED, needed.location)
            continue
        outer = dispatch.current()
        if isinstance(outer, Trace):
            outer.number_needed(leaf._data)
        path = request.paths()[i]
        raise Break(
            f"control flow or a shape needs the value of argument {path}, which is computed in "
            "the graph; pass a Python number"
        )


__all__ = ["Specializer"]
