"""``graph_function``: capture a Python function as a graph, compile it, call it."""

from __future__ import annotations

import functools
import inspect
import os
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any, overload

from plait.ir import Graph, dispatch, user_location
from plait.ir.autodiff import capacity
from plait.ir.errors import LoopCapacityError, PlaitError, SignatureError
from plait.ir.frames import boundary, hide_internals
from plait.runtime.call import call_in_trace
from plait.runtime.explain import Explanation, explain
from plait.runtime.fast import MISMATCH, Quick, fast_call
from plait.runtime.identity import IdentityMap
from plait.runtime.inspected import Inspected
from plait.runtime.options import Options, make_options
from plait.runtime.program import Program
from plait.runtime.request import Request, bind
from plait.runtime.segments import SegmentRunner, warn
from plait.runtime.shipping import Shipped
from plait.runtime.specialize import Specializer
from plait.runtime.staging import Traced
from plait.tracer import Break, Trace, flatten, recorder


class GraphFunction(Shipped, Inspected):
    """A function that is captured per signature of its arguments and runs compiled.

    Made by ``graph_function``; called like the function it wraps, ``__wrapped__``.
    """

    __wrapped__: Callable[..., Any]

    def __init__(self, function: Callable[..., Any], options: Options) -> None:
        self._function = function
        self._options = options
        self._specializer = Specializer(function_name(function, options), options)
        self._segments = SegmentRunner(self._specializer.name, options)
        self._fast: Quick | None = None
        self._instances: IdentityMap[GraphFunction] = IdentityMap()
        self._bind = bind(function)
        functools.update_wrapper(self, function, updated=())

    @property
    def signature(self) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """The specs given as ``signature=``: positional and named."""
        return self._options.signature

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        try:
            fast = self._fast
            if fast is not None and not dispatch.active:
                try:
                    result = fast(args, kwargs)
                except Break:  # arguments that share memory with what it writes to
                    result = MISMATCH
                if result is not MISMATCH:
                    return result
            return self._call(args, kwargs)
        except Exception as error:
            if isinstance(error, LoopCapacityError) and self._specializer.make_room(error.trips):
                self._fast = None
                return self(*args, **kwargs)
            try:
                raise self._shown(error)
            except Exception as shown:
                hide_internals(shown)
                raise

    def _shown(self, error: Exception) -> Exception:
        """The error that the user is to see."""
        if isinstance(error, PlaitError):
            return error.at(user_location())
        return error

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if os.environ.get("PLAIT_DISABLE_GRAPH", "") not in ("", "0"):
            return self._function(*args, **kwargs)
        if (running := recorder()) is not None:
            return self._call_between(running, args, kwargs)
        request = self._bind(args, kwargs, self._options)
        current = dispatch.current()
        if isinstance(current, Trace):
            return call_in_trace(current, self._specializer, self._function, request)
        request.refuse_leaks()
        if dispatch.recording and dispatch.tapes():
            return self._call_taped(request, args, kwargs)
        with dispatch.suspended():
            program = self._found(request)
            if isinstance(program, Break):
                return self._call_broken(program, args, kwargs)
            result = program.call(request.leaves, request.given, request.found)
        if capacity.is_default():
            self._fast = fast_call(program, request, args, kwargs, self._function)
        return result

    def _call_taped(self, request: Request, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function while tapes of this thread record."""
        with dispatch.suspended():
            program = self._found(request)
        if not isinstance(program, Break):
            from plait.runtime.taped import call_taped  # it imports what differentiates

            return call_taped(program, request)
        if self._options.fullgraph:
            raise program.as_error()
        self._note_break(program)
        return self._function(*args, **kwargs)

    def _found(self, request: Request) -> Program | Break:
        """The program for a request, or why there is none."""
        try:
            return self._specializer.program(self._function, request)
        except Break as found:
            return found.with_traceback(None)

    def _call_broken(self, found: Break, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function that has no whole graph for its arguments: in segments."""
        if self._options.fullgraph:
            raise found.as_error()
        self._fast = None
        if found.is_error:  # raised again here, after what the function did before
            result = self._segments.call(self._function, args, kwargs)
            self._note_break(found)
            return result
        self._note_break(found)
        return self._segments.call(self._function, args, kwargs)

    def _note_break(self, found: Break) -> None:
        if self._specializer.history.breaks.note(found.reason, found.location):
            warn(self._specializer.name, found)

    def _call_between(self, running: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Called from a function that runs in segments: after what it has recorded, unless alike.

        A function that is known to break goes on in the segments of its caller.
        """
        if self._specializer.is_broken and self._options.backend == running.backend:
            return self._function(*args, **kwargs)
        running.flush()
        with dispatch.suspended():
            return self._call(args, kwargs)

    def trace(self, *args: Any, **kwargs: Any) -> Traced:
        """Capture for these arguments or specs, without compiling.

        Parameters
        ----------
        *args, **kwargs
            Arguments, or ``TensorSpec`` in the place of tensors; the ``signature`` when none. A
            string that is a tensor type, such as ``"f32[8,16]"``, is taken as a spec, unless its
            argument is ``static``; any other string is a value.

        Returns
        -------
        Traced
            ``.graph``, ``.optimize()``, ``.lower()``, ``.compile()``.

        Examples
        --------
        >>> double = pl.graph_function(lambda x: x + x)
        >>> print(double.trace(pl.TensorSpec((2,), "float32")).optimize().graph.outputs[0].type)
        f32[2]
        >>> print(double.trace("f32[2]").graph.inputs[0].type)
        f32[2]
        """
        try:
            given, _ = flatten((args, kwargs))
            if not args and not kwargs and self.signature is not None:
                args, kwargs = self.signature
            request = self._bind(args, kwargs, self._options)
            request.read_types(given)
            with dispatch.suspended():
                program = self._found(request)
            if isinstance(program, Break):
                raise program.as_error()
            return Traced(program)
        except Exception as error:
            try:
                raise self._shown(error)
            except Exception as shown:
                hide_internals(shown)
                raise

    @boundary
    def graph(self, *args: Any, stage: str = "optimized", **kwargs: Any) -> Any:
        """The graph for these arguments or specs, at a stage of its compilation.

        Parameters
        ----------
        *args, **kwargs
            As for ``trace``.
        stage : str
            ``"traced"`` or ``"optimized"`` (a ``Graph``), ``"plan"`` (an ``ExecutionPlan``),
            ``"stablehlo"`` or ``"hlo"`` (text).

        Raises
        ------
        UnknownNameError
            The stage does not exist.

        Examples
        --------
        >>> double = pl.graph_function(lambda x: x + x)
        >>> len(double.graph(pl.TensorSpec((2,), "float32")).nodes)
        1
        """
        return self.trace(*args, **kwargs).at_stage(stage)

    @boundary
    def explain(self, *, fixes: bool = True) -> Explanation:
        """What happened so far: each capture and why, times, breaks, unseen calls, and fixes.

        Parameters
        ----------
        fixes : bool
            Whether to look for changes that spare captures. A fix is told only after it was tried:
            the function may be captured again for it, and its compiled programs run on random
            values.

        Returns
        -------
        Explanation
            A sequence of frozen records: ``.traces``, ``.breaks``, ``.unseen``,
            ``.side_effects``, ``.unrolled``, ``.fixes``; also ``.as_dict()``, and a table as text
            or in a notebook.

        Examples
        --------
        >>> double = pl.graph_function(lambda x: x + x, name="double")
        >>> double(pl.zeros(2)), double(pl.zeros(3))
        (pl.Tensor([0., 0.], dtype=float32, shape=(2,)), pl.Tensor([0., 0., 0.], ...))
        >>> double.explain().traces[1].reason
        'x: f32[2] -> f32[3]'
        """
        held = [f._specializer for f in self._instances.values()]
        mine = [self._specializer] if len(self._specializer.history) or not held else []
        return explain(self._function, [*mine, *held], fixes=fixes)

    @property
    def last_graph(self) -> Graph | None:
        """The optimized graph of the signature that was captured or found last; None before."""
        program = self._specializer.last
        return program.optimized.graph if program is not None else None

    def clear_cache(self) -> None:
        """Forget all captured graphs and compiled programs.

        Examples
        --------
        >>> double = pl.graph_function(lambda x: x + x)
        >>> double.clear_cache()
        """
        self._specializer.clear()
        self._segments.clear()
        self._fast = None
        self._instances.clear()

    def __get__(self, instance: Any, owner: type | None = None) -> GraphFunction:
        if instance is None:
            return self
        return self._instances.get(instance, self._bound_to)

    def _bound_to(self, instance: Any) -> GraphFunction:
        # The method is looked up on a weak reference so that the cache does not keep the instance.
        reference = weakref.ref(instance)

        @functools.wraps(self._function)
        def method(*args: Any, **kwargs: Any) -> Any:
            return self._function(reference(), *args, **kwargs)

        signature = inspect.signature(self._function)
        first, *rest = signature.parameters.values()
        if first.kind is not first.VAR_POSITIONAL:
            signature = signature.replace(parameters=rest)
        method.__signature__ = signature  # type: ignore[attr-defined]
        method.__plait_self__ = reference  # type: ignore[attr-defined]
        method.__plait_inside__ = bool(dispatch.interpreters())  # type: ignore[attr-defined]
        static = {s - 1 if isinstance(s, int) else s for s in self._options.static}
        return GraphFunction(method, replace(self._options, static=frozenset(static)))

    def __repr__(self) -> str:
        return f"<graph_function {self._specializer.name}, {len(self._specializer)} graph(s)>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from plait.ir.display import mime_bundle

        return mime_bundle(self)

    def __reduce__(self) -> Any:
        raise SignatureError(
            f"{self!r} cannot be pickled or copied; pickle the function that it wraps"
        )


def function_name(function: Any, options: Options) -> str:
    """The name of a function's graph."""
    if options.name:
        return options.name
    while isinstance(function, functools.partial):
        function = function.func
    name: str = getattr(function, "__name__", type(function).__name__)
    if name == "__call__":
        owner = f".{function.__qualname__}".split(".")[-2]
        return owner if owner.isidentifier() else "call"
    return "lambda_" if name == "<lambda>" else name


@overload
def graph_function(
    function: Callable[..., Any],
    /,
    *,
    backend: str = "xla",
    signature: Any = None,
    static: Any = None,
    passes: str | None = None,
    checks: str = "on",
    cache_size: int = 128,
    name: str | None = None,
    max_traces: int | None = None,
    fullgraph: bool = False,
    residuals: str = "min-cut",
) -> GraphFunction: ...
@overload
def graph_function(
    function: None = None,
    /,
    *,
    backend: str = "xla",
    signature: Any = None,
    static: Any = None,
    passes: str | None = None,
    checks: str = "on",
    cache_size: int = 128,
    name: str | None = None,
    max_traces: int | None = None,
    fullgraph: bool = False,
    residuals: str = "min-cut",
) -> Callable[[Callable[..., Any]], GraphFunction]: ...
def graph_function(
    function: Callable[..., Any] | None = None,
    /,
    *,
    backend: str = "xla",
    signature: Any = None,
    static: Any = None,
    passes: str | None = None,
    checks: str = "on",
    cache_size: int = 128,
    name: str | None = None,
    max_traces: int | None = None,
    fullgraph: bool = False,
    residuals: str = "min-cut",
) -> Any:
    """Compile a function: captured as a graph at the first call of each signature.

    Use it bare or with options, on functions, methods, lambdas and partials. The compiled function
    takes and returns what the plain one does: tensors, NumPy arrays, jax arrays, and any nest of
    dicts, lists, tuples, named tuples and dataclasses of them.

    Nothing goes stale: tensors, variables and NumPy arrays that it uses from outside are inputs of
    the graph, and all else that it reads there (globals, attributes, items, functions) is compared
    at each call; after ``model.scale = 3.0`` the next call uses 3.0. What it changes outside is
    changed at each call, when the call has succeeded.

    Python arguments (bool, int, str, None, other hashables) are part of the signature. A float, or
    an int that changes from call to call, becomes a runtime input when the function is traced
    again, unless control flow or a shape needs its value.

    Parameters
    ----------
    function : callable, optional
        The function; left out in ``@pl.graph_function(...)``.
    backend : {"xla", "planned", "reference"}
        Who runs the graph.
    signature : str or sequence of TensorSpec, optional
        Default specs for ``trace``, ``graph`` and the command line, such as ``"f32[8,16]"``.
    static : str, int or sequence of them, optional
        Arguments (by name, or by position, ``self`` counted) whose numbers always are part of
        the signature.
    passes : str, optional
        The pass pipeline, such as ``"fold,cse,dce"``; the default pipeline when None.
    checks : {"on", "off"}
        Whether index and assertion checks run in compiled code.
    cache_size : int
        How many signatures are kept; the least recently used goes.
    name : str, optional
        Name of the graph in dumps.
    max_traces : int, optional
        How often the function may be captured; one more raises an error that says what differs.
    fullgraph : bool
        Whether what cannot be one graph is an error, where it would run in segments.
    residuals : {"min-cut", "save-all", "recompute-all"}
        What calls under a tape keep for the backward pass, and what that computes again; see
        ``trace(...).differentiate()``.

    Raises
    ------
    TraceError
        When called: the function does what cannot be captured, at the user's line.
    SignatureError
        When called: arguments that the function does not take, or that cannot be a signature.
    RetraceError
        When called: one more capture than ``max_traces``.

    Examples
    --------
    >>> @pl.graph_function
    ... def scaled(x, factor):
    ...     return pl.tanh(x) * factor
    >>> scaled(pl.zeros((2,)), 3.0)
    pl.Tensor([0., 0.], dtype=float32, shape=(2,))
    """
    options = make_options(
        backend=backend,
        signature=signature,
        static=static,
        passes=passes,
        checks=checks,
        cache_size=cache_size,
        name=name,
        max_traces=max_traces,
        fullgraph=fullgraph,
        residuals=residuals,
    )
    if function is None:
        return lambda f: graph_function_of(f, options)
    return graph_function_of(function, options)


def graph_function_of(function: Any, options: Options) -> GraphFunction:
    """Wrap one function.

    Raises
    ------
    SignatureError
        Not a callable.
    """
    if isinstance(function, (staticmethod, classmethod)):
        raise SignatureError("put @graph_function below @staticmethod or @classmethod")
    if not callable(function):
        raise SignatureError(f"graph_function takes a callable, got {type(function).__name__}")
    if isinstance(function, GraphFunction):
        function = function._function
    refuse_suspending(function)
    refuse_unknown(function, options.static)
    return GraphFunction(function, options)


def refuse_suspending(function: Any) -> None:
    """Demand a function that runs to its end when called."""
    kinds = {
        "a coroutine function": inspect.iscoroutinefunction,
        "a generator function": inspect.isgeneratorfunction,
        "an asynchronous generator function": inspect.isasyncgenfunction,
    }
    for kind, is_kind in kinds.items():
        if is_kind(function):
            raise SignatureError(
                f"{function.__name__} is {kind}, which cannot be captured; compile the function "
                "that it calls for each value instead"
            )


def refuse_unknown(function: Any, names: frozenset[str | int]) -> None:
    """Demand that ``static`` names arguments of the function."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return
    kinds = {p.kind for p in parameters.values()}
    most = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters.values())
    for position in names:
        bounded = isinstance(position, int) and inspect.Parameter.VAR_POSITIONAL not in kinds
        if isinstance(position, int) and (position < 0 or (bounded and position >= most)):
            raise SignatureError(
                f"static: there is no positional argument {position}; the function has {most}, "
                "counted from 0"
            )
    if inspect.Parameter.VAR_KEYWORD in kinds:
        return
    for name in names:
        if isinstance(name, str) and name not in parameters:
            known = ", ".join(parameters) or "none"
            raise SignatureError(f"static: there is no argument {name!r}; arguments: {known}")
