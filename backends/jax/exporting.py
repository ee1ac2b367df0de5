"""Graphs as functions that jax transforms: jit, grad, vmap and jvp go through them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import jax
import numpy as np
from jax import lax

from plait.backends.jax.function import apply, as_function
from plait.backends.jax.lowerings import LOWERINGS
from plait.backends.jax.lowerings.common import Lowering, cast, shape_struct
from plait.ir import Graph, GraphBuilder, Op, TensorType, dispatch, get_op, is_inexact
from plait.ir.autodiff.forward import jvp_graph

__all__ = ["flatten", "is_array", "jax_function", "unflatten"]


def flatten(tree: Any) -> tuple[list[Any], Any]:
    """Leaves and structure of a nest, as jax sees containers."""
    leaves, structure = jax.tree_util.tree_flatten(tree)
    return leaves, structure


def unflatten(structure: Any, leaves: Sequence[Any]) -> Any:
    """The nest of a structure around leaves."""
    return jax.tree_util.tree_unflatten(structure, list(leaves))


def is_array(x: Any) -> bool:
    """Whether a leaf is an array, perhaps one that jax is tracing."""
    return isinstance(x, (jax.Array, np.ndarray, np.generic))


def jax_function(graph: Graph) -> Callable[..., list[Any]]:
    """A flat function of jax values that jax can trace and transform.

    It computes in the graph's dtypes, those of 64 bits among them; where jax is configured for 32
    bits, the results have these.
    """
    function = as_function(graph, TABLE)

    def run(*arguments: Any) -> list[Any]:
        with jax.enable_x64(True):
            pairs = zip(arguments, graph.inputs, strict=True)
            given = [as_argument(x, v.tensor_type) for x, v in pairs]
            results = function(*given)
        return [narrowed(x) for x in results]

    return run


def as_argument(x: Any, type_: TensorType) -> Any:
    """An argument in the dtype of an input."""
    return cast(x if hasattr(x, "dtype") else np.asarray(x), type_.dtype)


def narrowed(x: Any) -> Any:
    """A result in the dtypes that jax is configured for."""
    wanted = jax.dtypes.canonicalize_dtype(x.dtype)
    return x if wanted == x.dtype else lax.convert_element_type(x, wanted)


# Lowerings whose derivatives are those of the graph.


def lower_custom_vjp(*operands: Any, regions: Sequence[Any], name: str = "") -> tuple[Any, ...]:
    """By the regions: forward mode transposes ``backward``, where jax can; else reverse mode only.

    jax cannot where it is not linear, as one that clips what it is given.
    """
    primal, forward, backward = [region.graph for region in regions]
    make = _both_modes if has_transpose(backward, forward, primal) else _reverse_mode
    function = make(primal, forward, backward)
    result: tuple[Any, ...] = function(*operands)
    return result


def _places(values: Sequence[Any]) -> list[int]:
    """Which values have cotangents."""
    return [i for i, v in enumerate(values) if _is_smooth(v)]


_transposable: WeakKeyDictionary[Graph, bool] = WeakKeyDictionary()


def has_transpose(backward: Graph, forward: Graph, primal: Graph) -> bool:
    """Whether jax can transpose what pulls cotangents back."""
    known = _transposable.get(backward)
    if known is None:
        count = len(forward.outputs) - len(primal.outputs)
        specs = [_spec(v) for v in backward.inputs]
        pushed = [_spec(v) for v in backward.outputs]
        try:
            jax.eval_shape(
                lambda held, tangents: _transposed(backward, held, specs[count:], tangents),
                specs[:count],
                pushed,
            )
            known = True
        except Exception:  # whatever jax says of a function that is not linear
            known = False
        _transposable[backward] = known
    return known


def _spec(value: Any) -> Any:
    type_ = value.tensor_type
    return shape_struct(type_.shape, type_.dtype)


def _transposed(backward: Graph, held: Any, specs: Sequence[Any], tangents: Any) -> list[Any]:
    """Tangents of the results for those of the operands, given the residuals."""

    def pull(*cotangents: Any) -> list[Any]:
        return applied(backward, len(held), [*held, *cotangents])

    return list(jax.linear_transpose(pull, *specs)(list(tangents)))


def _both_modes(primal: Graph, forward: Graph, backward: Graph) -> Callable[..., Any]:
    count, inputs = len(primal.outputs), _places(primal.inputs)
    outputs = _places(primal.outputs)
    specs = [_spec(primal.outputs[i]) for i in outputs]
    function = jax.custom_jvp(lambda *xs: tuple(as_function(primal, TABLE)(*xs)))

    def push(primals: Any, tangents: Any) -> tuple[Any, Any]:
        with jax.enable_x64(True):
            found = as_function(forward, TABLE)(*primals)
            given = [tangents[i] for i in inputs]
            pushed = _transposed(backward, found[count:], specs, given) if specs else []
        made = dict(zip(outputs, pushed, strict=True))
        results = tuple(found[:count])
        zeros = [np.zeros(x.shape, jax.dtypes.float0) for x in results]
        return results, tuple([made.get(i, zeros[i]) for i in range(count)])

    function.defjvp(push)
    return function


def _reverse_mode(primal: Graph, forward: Graph, backward: Graph) -> Callable[..., Any]:
    count, inputs = len(primal.outputs), _places(primal.inputs)
    outputs = _places(primal.outputs)
    function = jax.custom_vjp(lambda *xs: tuple(as_function(primal, TABLE)(*xs)))

    def pull(residuals: Any, cotangents: Any) -> tuple[Any, ...]:
        with jax.enable_x64(True):
            given = [cotangents[i] for i in outputs]
            found = as_function(backward, TABLE)(*residuals, *given)
        made = dict(zip(inputs, found, strict=True))
        return tuple([made.get(i) for i in range(len(primal.inputs))])

    def push(*xs: Any) -> tuple[Any, Any]:
        with jax.enable_x64(True):
            found = as_function(forward, TABLE)(*xs)
        return tuple(found[:count]), tuple(found[count:])

    function.defvjp(push, pull)
    return function


def _is_smooth(value: Any) -> bool:
    return type(value.type) is TensorType and is_inexact(value.type.dtype)


def by_our_rule(name: str) -> Lowering:
    """The lowering of an op, with the op's own derivative: jax's of it is another, or none."""
    op, lowering = get_op(name), LOWERINGS[name]

    def lower(*operands: Any, **attributes: Any) -> Any:
        function = jax.custom_jvp(lambda *xs: lowering(*xs, **attributes))
        function.defjvp(partial(_push, op, attributes, lowering))
        return function(*operands)

    return lower


def _push(
    op: Op, attributes: Mapping[str, Any], lowering: Lowering, primals: Any, tangents: Any
) -> tuple[Any, Any]:
    """The result of an op and its tangent, which is linear in the tangents of the operands."""
    with jax.enable_x64(True):
        builder = GraphBuilder(op.name)
        inputs = [builder.input(TensorType(np.dtype(x.dtype), x.shape)) for x in primals]
        with dispatch.suspended():
            graph = builder.build([builder.run(op, tuple(inputs), attributes)])
            smooth = [i for i, v in enumerate(inputs) if is_inexact(v.dtype)]
            pushed, changed = jvp_graph(graph, smooth)
        result = lowering(*primals, **attributes)
        given = [tangents[i] for i in smooth]
        found = applied(pushed, len(primals), [*primals, *given])
    tangent = found[1] if changed else lax.full_like(result, 0)
    if not is_inexact(np.dtype(result.dtype)):
        tangent = np.zeros(result.shape, jax.dtypes.float0)
    return result, tangent


def applied(graph: Graph, count: int, arguments: Sequence[Any]) -> list[Any]:
    """Apply a graph whose inputs from ``count`` on are tangents: linearly in these."""
    values = dict(zip(graph.inputs, arguments, strict=True))
    moving = set(graph.inputs[count:])
    for node in graph.nodes:
        is_moving = not moving.isdisjoint(node.operands)
        table = LINEAR if is_moving else TABLE
        found = apply(node, [values[v] for v in node.operands], table)
        results = found if type(found) is tuple else (found,)
        values.update(zip(node.results, results, strict=True))
        if is_moving:
            moving.update(node.results)
    return [values[v] for v in graph.outputs]


@jax.custom_jvp
def _multiply_or_zero(x: Any, y: Any) -> Any:
    return LOWERINGS["multiply_or_zero"](x, y)


@_multiply_or_zero.defjvp
def _(primals: Any, tangents: Any) -> tuple[Any, Any]:
    (x, y), (dx, dy) = primals, tangents
    return _multiply_or_zero(x, y), lax.add(lax.mul(dx, y), lax.mul(x, dy))


@jax.custom_jvp
def _divide_or_zero(x: Any, y: Any) -> Any:
    return LOWERINGS["divide_or_zero"](x, y)


@_divide_or_zero.defjvp
def _(primals: Any, tangents: Any) -> tuple[Any, Any]:
    (x, y), (dx, dy) = primals, tangents
    found = _divide_or_zero(x, y)
    return found, lax.sub(lax.div(dx, y), lax.mul(found, lax.div(dy, y)))


def lower_scatter(x: Any, updates: Any, *indices: Any, **attributes: Any) -> Any:
    """As jax for ``set`` and ``add``, which it differentiates; the others by our rule."""
    if attributes.get("mode", "set") in ("set", "add"):
        return LOWERINGS["scatter"](x, updates, *indices, **attributes)
    return by_our_rule("scatter")(x, updates, *indices, **attributes)


def _position(find: Callable[..., Any], x: Any, *, axis: int) -> Any:
    """The position of an extremum: where jax is configured for 32 bits, found in these."""
    if x.size == 0:
        return lax.full(x.shape[:axis] + x.shape[axis + 1 :], np.int64(0))
    numbers = cast(x, np.uint8) if x.dtype.kind == "b" else x
    return cast(find(numbers, axis, np.int32), np.int64)


def drop_check(*_: Any, **__: Any) -> tuple[()]:
    """Nothing: a check cannot raise under jax's transformations."""
    return ()


#: Ops whose lowerings jax differentiates in another way, or not at all.
OURS = (
    "acosh",
    "copysign",
    "hypot",
    "logaddexp",
    "nextafter",
    "power",
    "relu",
    "remainder",
    "sign",
    "softplus",
)
TABLE: dict[str, Lowering] = {
    **LOWERINGS,
    **{name: by_our_rule(name) for name in OURS},
    "argmax": partial(_position, lax.argmax),
    "argmin": partial(_position, lax.argmin),
    "check": drop_check,
    "custom_vjp": lower_custom_vjp,
    "divide_or_zero": _divide_or_zero,
    "multiply_or_zero": _multiply_or_zero,
    "scatter": lower_scatter,
    "stop_gradient": lax.stop_gradient,
}
#: Of what depends on tangents: linear, so that jax can transpose them.
LINEAR: dict[str, Lowering] = {**TABLE, "divide_or_zero": lax.div, "multiply_or_zero": lax.mul}
