"""``pl.from_jax``: a function of jax as one of tensors, which passes and tapes see inside."""

from __future__ import annotations

import functools
import inspect
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from plait.ir import TensorType, dispatch, ops, user_location
from plait.ir.errors import PlaitError, SignatureError
from plait.ir.frames import boundary, public_methods
from plait.ir.types import SHORT_NAMES
from plait.runtime import GraphFunction, Options, Traced, Variable, graph_function
from plait.runtime.graph_function import function_name
from plait.tracer import Tensor, TensorSpec, Trace, spec_from_text, unwrap, wrap

if TYPE_CHECKING:
    from plait.backends.jax import importing

CACHE_SIZE = 128


@boundary
def from_jax(
    fn: Callable[..., Any],
    *,
    variables: Any = None,
    x64: bool | None = None,
    backend: str = "xla",
    name: str | None = None,
) -> ImportedFunction:
    """Make a function of jax one of tensors: captured as a graph at the types of its arguments.

    ``jax.make_jaxpr`` traces it, and its primitives become ops: passes, dumps, tapes, ``vmap`` and
    ``save`` see inside. A primitive that has no ops stays one node, ``foreign``, which runs and
    differentiates by jax. It works eagerly, in compiled functions, and under tapes, to any order.

    As under ``jax.jit``, what it reads from outside is read once for each signature. Booleans,
    ints, strings and other objects among the arguments are part of the signature; tensors, arrays
    and floats are not.

    Parameters
    ----------
    fn : callable
        Takes and returns arrays in containers that jax knows: flax and equinox models, their
        parameters and states among them. Random keys of jax are taken; they come out as their data.
    variables : pytree, optional
        The first argument of ``fn``, once for all: its floating arrays become ``pl.Variable``
        objects, ``.variables``, which tapes watch and optimizers update.
    x64 : bool, optional
        Whether jax computes in 64 bits; by default as it is configured. Where it does not, int64
        becomes int32, and float64 is an error.
    backend : {"xla", "planned", "reference"}
        Who runs it where it is called eagerly.
    name : str, optional
        Name of the graph in dumps.

    Returns
    -------
    ImportedFunction

    Raises
    ------
    SignatureError
        ``fn`` is no function.
    DTypeError, ShapeError
        When called: arguments that jax does not take. Errors of ``fn`` itself come as they are.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> length = pl.from_jax(lambda v: jnp.sqrt(jnp.sum(v * v)))
    >>> length(pl.asarray([3.0, 4.0]))
    pl.Tensor(5., dtype=float32)
    >>> pl.grad(length)(pl.asarray([3.0, 4.0]))
    pl.Tensor([0.6, 0.8], dtype=float32, shape=(2,))
    """
    if isinstance(fn, (ImportedFunction, GraphFunction)) or not callable(fn):
        raise SignatureError(f"from_jax takes a function of jax, got {type(fn).__name__}")
    options = graph_function(fn, backend=backend, name=name)._options
    return ImportedFunction(fn, variables, x64, options)


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """The arguments of a call, and the program for their types."""

    program: _Program
    tensors: list[Any]


class _Program:
    """A function of jax at some types: its graph, as a compiled function of flat tensors."""

    def __init__(
        self, imported: importing.Imported, options: Options, names: Sequence[str]
    ) -> None:
        self.imported = imported
        self.function = GraphFunction(_applied(imported, names), options)

    def result(self, found: Sequence[Any]) -> Any:
        """The result as the function gave it, around tensors."""
        from plait.backends.jax import importing

        leaves = [v if i is None else found[i] for i, v in self.imported.outputs]
        return importing.unflatten(self.imported.out_tree, leaves)


def _applied(imported: importing.Imported, names: Sequence[str]) -> Callable[..., Any]:
    """The function of flat tensors that applies a graph; its parameters are ``names``."""
    graph = imported.graph
    constants = [wrap(x) for x in imported.constants]

    def apply(*tensors: Any) -> Any:
        operands = [unwrap(x) for x in (*tensors, *constants)]
        results: Any = ops.call(*operands, regions=(graph,), name=graph.name)
        return tuple([wrap(x) for x in results])

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    apply.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, kind) for name in names]
    )
    apply.__name__ = apply.__qualname__ = graph.name
    return apply


@public_methods
class ImportedFunction:
    """A function of jax, called with tensors; made by ``from_jax``.

    Attributes
    ----------
    variables : tuple of Variable
        What ``from_jax(..., variables=...)`` made of arrays.
    """

    def __init__(
        self, function: Callable[..., Any], variables: Any, x64: bool | None, options: Options
    ) -> None:
        self._function = function
        self._x64 = x64
        self._options = options
        self._name = function_name(function, options)
        self._programs: OrderedDict[Any, _Program] = OrderedDict()
        self._lock = threading.RLock()
        self._held: tuple[Any, ...] = () if variables is None else (_as_variables(variables),)
        self.variables: tuple[Variable, ...] = _variables_in(self._held)
        functools.update_wrapper(self, function, ("__name__", "__qualname__", "__doc__"), ())

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        trace = dispatch.current()
        if isinstance(trace, Trace):
            trace.root.notes.unseen(self._name)
        bound = self._bind(args, kwargs)
        return bound.program.result(bound.program.function(*bound.tensors))

    def trace(self, *args: Any, **kwargs: Any) -> Traced:
        """The graph for these arguments or specs, without compiling; as of compiled functions."""
        bound = self._bind(args, kwargs, specs=True)
        return bound.program.function.trace(*bound.tensors)

    def graph(self, *args: Any, stage: str = "optimized", **kwargs: Any) -> Any:
        """The graph for these arguments or specs at a stage of its compilation.

        Examples
        --------
        >>> import jax.numpy as jnp
        >>> print(pl.from_jax(jnp.tanh, name="squash").graph("f32[2]"))
        graph squash(%x: f32[2]) -> (f32[2]) {
          %0: f32[2] = tanh(%x)...
          return %0
        }
        """
        return self.trace(*args, **kwargs).at_stage(stage)

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any], specs: bool = False) -> Bound:
        from plait.backends.jax import importing

        leaves, structure = importing.flatten(((*self._held, *args), kwargs))
        if specs:
            leaves = [_read_spec(x) for x in leaves]
        described = [_describe(x) for x in leaves]
        key = (structure, tuple([_key(leaf) for leaf, _ in described]), importing.configuration())
        with self._lock:
            program = self._programs.get(key)
            if program is None:
                program = self._trace(structure, [leaf for leaf, _ in described])
                self._programs[key] = program
                if len(self._programs) > CACHE_SIZE:
                    self._programs.popitem(last=False)
            self._programs.move_to_end(key)
        return Bound(program, [x for leaf, x in described if leaf.type is not None])

    def _trace(self, structure: Any, leaves: Sequence[importing.Leaf]) -> _Program:
        from plait.backends.jax import importing

        every = importing.argument_names(structure, parameter_names(self._function))
        names = [n for n, leaf in zip(every, leaves, strict=True) if leaf.type is not None]
        try:
            found = importing.trace(self._function, structure, leaves, names, self._name, self._x64)
        except PlaitError as error:
            raise error.at(user_location()) from None
        return _Program(found, replace(self._options, name=self._name), names)

    def __repr__(self) -> str:
        return f"<function of jax {self._name}, {len(self._programs)} graph(s)>"


# Leaves.


def parameter_names(function: Callable[..., Any]) -> list[str]:
    """Names of a function's positional parameters, as far as there are any."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in kinds]


def _describe(x: Any) -> tuple[importing.Leaf, Any]:
    """How a leaf is traced, and what a call passes for it."""
    from plait.backends.jax import importing

    kind = type(x)
    if kind is Tensor or kind is Variable or isinstance(x, Variable):
        weak = kind is Tensor and x._kind == "number"
        return importing.Leaf(TensorType(x.dtype, tuple(x.shape)), weak), x
    if kind is float or kind is complex:
        return importing.Leaf(TensorType(np.dtype(kind), ()), True), np.asarray(x)
    if isinstance(x, (np.ndarray, np.generic)) and x.dtype.newbyteorder("=") in SHORT_NAMES:
        return importing.Leaf(TensorType(x.dtype.newbyteorder("="), x.shape)), x
    if kind is TensorSpec:
        return importing.Leaf(TensorType(x.dtype, tuple(x.shape))), x
    payload, keys = importing.array_payload(x)
    if payload is not None:
        return importing.Leaf(
            TensorType(np.dtype(payload.dtype), payload.shape), keys=keys
        ), payload
    return importing.Leaf(value=x), None


def _read_spec(x: Any) -> Any:
    """A string that is a type as a spec."""
    return spec_from_text(x) if type(x) is str and "[" in x else x


class _Same:
    """A value that is known by identity, because it does not hash."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def _key(leaf: importing.Leaf) -> Any:
    """What two leaves share for which one trace serves."""
    if leaf.type is not None:
        return (leaf.type, leaf.is_weak, leaf.keys)
    try:
        hash(leaf.value)
    except TypeError:
        return _Same(leaf.value)
    return (type(leaf.value), leaf.value)


def _as_variables(tree: Any) -> Any:
    """The nest with variables in the place of floating arrays."""
    from plait.backends.jax import importing

    leaves, structure = importing.flatten(tree)
    made = [_as_variable(x, n) for x, n in zip(leaves, importing.leaf_names(tree), strict=True)]
    return importing.unflatten(structure, made)


def _as_variable(x: Any, name: str) -> Any:
    if isinstance(x, Variable) or not hasattr(x, "dtype") or x.dtype.kind not in "fcV":
        return x
    try:
        return Variable(np.array(x), name=name)
    except PlaitError:
        return x


def _variables_in(tree: Any) -> tuple[Variable, ...]:
    from plait.backends.jax import importing

    if not tree:
        return ()
    return tuple([x for x in importing.flatten(tree)[0] if isinstance(x, Variable)])


__all__ = ["ImportedFunction", "from_jax"]
