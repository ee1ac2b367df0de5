"""Forward mode: rules by transposition, graphs, nests of tapes, JAX's tangents."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from plait import ir
from plait.ir import TensorType, dispatch, ops, parse_type
from plait.ir.autodiff import Recording
from plait.ir.autodiff.forward import ForwardRecording, jvp_graph, op_jvp
from plait.ir.errors import GraphError
from tests.gradients import pullback, push_forward
from tests.ir.autodiff.loops import number

F64_2 = parse_type("f64[2]")


def test_a_rule_is_the_reverse_rule_transposed() -> None:
    made = op_jvp(ops.tanh, [F64_2], {}, (True,))
    assert made.results == (0,)
    assert str(made.graph) == (
        "graph tanh_tangents(%x0: f64[2], %y0: f64[2], %dx0: f64[2]) -> (f64[2]) {\n"
        "  %0: f64[2] = full() {value = 1.0: f64[], shape = (2,)}\n"
        "  %1: f64[2] = square(%y0)\n"
        "  %2: f64[2] = subtract(%0, %1)\n"
        "  %3: f64[2] = multiply(%dx0, %2)\n"
        "  return %3\n"
        "}"
    )


def test_a_rule_has_tangents_of_the_active_operands_only() -> None:
    both, one = (op_jvp(ops.multiply, [F64_2, F64_2], {}, a) for a in ((True, True), (False, True)))
    assert [len(made.graph.inputs) for made in (both, one)] == [5, 4]
    assert [n.op for n in one.graph.nodes] == [ops.multiply]


def test_rules_are_derived_once() -> None:
    axes = {"axes": (0,)}
    assert op_jvp(ops.reduce_sum, [F64_2], axes, (True,)) is op_jvp(
        ops.reduce_sum, (F64_2,), dict(axes), [True]
    )


@pytest.mark.parametrize("op", [ops.floor, ops.sign])
def test_ops_without_gradient_give_no_tangents(op: ir.Op) -> None:
    assert op_jvp(op, [F64_2], {}, (True,)).results == ()
    assert push_forward(op, [np.ones(2)], [np.ones(2)]) == [None]


def test_an_attribute_without_hash_is_no_obstacle() -> None:
    made = op_jvp(ops.reduce_sum, [F64_2], {"axes": [0]}, (True,))
    assert made.results == (0,)


X = np.asarray([0.3, 0.7, -1.2])
Z = np.asarray([0.3 + 1j, -0.7j, -1.2])
Y = np.asarray([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]])


def _softmaxed(x: Any) -> Any:
    shifted = ops.exp(ops.subtract(x, ops.broadcast_to(ops.reduce_max(x, axes=(0,)), shape=(3,))))
    return ops.divide(shifted, ops.broadcast_to(ops.reduce_sum(shifted, axes=(0,)), shape=(3,)))


PROGRAMS: dict[str, tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...]]] = {
    "softmax": (_softmaxed, lambda x: jnp.exp(x - x.max()) / jnp.exp(x - x.max()).sum(), (X,)),
    "matmul": (
        lambda y, x: ops.matmul(y, ops.reshape(ops.sin(x), shape=(3, 1))),
        lambda y, x: y @ jnp.sin(x).reshape(3, 1),
        (Y, X),
    ),
    "gather": (
        lambda x: ops.gather(ops.square(x), np.asarray([2, 0, 2]), axes=(0,)),
        lambda x: (x**2)[jnp.asarray([2, 0, 2])],
        (X,),
    ),
    "sort": (lambda x: ops.sort(ops.sin(x), axis=0), lambda x: jnp.sort(jnp.sin(x)), (X,)),
    "where": (
        lambda x: ops.select(ops.greater(x, np.zeros(3)), ops.log(x), np.zeros(3)),
        lambda x: jnp.where(x > 0, jnp.log(x), 0.0),
        (X,),
    ),
    "cumulative": (
        lambda x: ops.cumsum(ops.exp(x), axis=0),
        lambda x: jnp.cumsum(jnp.exp(x)),
        (X,),
    ),
    "holomorphic": (
        lambda z: ops.multiply(ops.sin(z), ops.exp(z)),
        lambda z: jnp.sin(z) * jnp.exp(z),
        (Z,),
    ),
    "parts": (
        lambda z: ops.multiply(ops.real(ops.multiply(z, z)), ops.imag(z)),
        lambda z: (z * z).real * z.imag,
        (Z,),
    ),
    "conjugate": (
        lambda z: ops.multiply(ops.conj(ops.sin(z)), z),
        lambda z: jnp.conj(jnp.sin(z)) * z,
        (Z,),
    ),
    "modulus": (lambda z: ops.absolute(z), jnp.abs, (Z,)),
    "complex": (
        lambda x, y: ops.exp(ops.complex_(x, y)),
        lambda x, y: jnp.exp(lax.complex(x, y)),
        (X, X[::-1].copy()),
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_tangents_are_those_of_jax(name: str) -> None:
    ours, theirs, operands = PROGRAMS[name]
    random = np.random.default_rng(0)
    tangents = [random.normal(size=x.shape).astype(x.dtype) for x in operands]
    tangents = [t + 0.5j if t.dtype.kind == "c" else t for t in tangents]
    with np.errstate(all="ignore"):
        (found,) = push_forward(ours, operands, tangents)
    graph = ir.region("f", [TensorType(x.dtype, x.shape) for x in operands], ours)
    made, outputs = jvp_graph(graph, range(len(operands)))
    with jax.enable_x64(True):
        _, wanted = jax.jvp(theirs, operands, tuple(tangents))
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14)
    assert outputs == (0,)
    np.testing.assert_allclose(ir.evaluate(made, [*operands, *tangents])[1], found, rtol=1e-13)


def cubed(x: Any) -> Any:
    return ops.multiply(ops.multiply(x, x), x)


def _forward(function: Any) -> Any:
    return lambda x: push_forward(function, [x], [np.ones_like(x)])[0]


def _reverse(function: Any) -> Any:
    return lambda x: pullback(function, [x], [np.ones_like(x)])[0]


@pytest.mark.parametrize("outer", [_forward, _reverse])
@pytest.mark.parametrize("middle", [_forward, _reverse])
@pytest.mark.parametrize("inner", [_forward, _reverse])
def test_modes_nest_in_any_order(outer: Any, middle: Any, inner: Any) -> None:
    x = np.asarray([0.5, -2.0])
    np.testing.assert_allclose(middle(inner(cubed))(x), 6 * x)
    np.testing.assert_allclose(outer(middle(inner(cubed)))(x), [6, 6])
    np.testing.assert_allclose(outer(middle(inner(ops.sin)))(x), -np.cos(x))


@pytest.mark.parametrize("outer", [_forward, _reverse])
@pytest.mark.parametrize("inner", [_forward, _reverse])
def test_perturbations_are_not_mixed_up(outer: Any, inner: Any) -> None:
    """d/dx (x * d/dy (x + y)) = 1, and with x as its own tangent."""
    x = np.asarray(3.0)

    def function(x: Any) -> Any:
        return ops.multiply(x, inner(lambda y: ops.add(x, y))(np.asarray(2.0)))

    assert outer(function)(x) == 1.0

    def own(x: Any) -> Any:
        return push_forward(cubed, [x], [x])[0]  # 3 x^3

    np.testing.assert_allclose(outer(own)(x), 81.0)


def test_no_trajectory_is_kept() -> None:
    recording = ForwardRecording()
    x = np.ones(3)
    recording.watch(x, np.ones(3))
    with recording.recording():
        for _ in range(50):
            x = ops.sin(x)
    gc.collect()
    assert len(recording._tangents) == 1
    assert recording.tangent_of(x) is not None


def test_what_no_tangent_reaches_has_none() -> None:
    x, y = np.ones(2), np.ones(2)
    recording = ForwardRecording()
    recording.watch(x, np.ones(2))
    with recording.recording():
        free, bound = ops.sin(y), ops.greater(x, y)
    assert recording.tangent_of(free) is None
    assert recording.tangent_of(bound) is None
    assert recording.number(x) is not None
    assert recording.number(y) is None


def test_an_array_can_stand_for_another() -> None:
    x = np.ones(2)
    recording = ForwardRecording()
    recording.watch(x, np.full(2, 3.0))
    copied = x.copy()
    recording.alias(copied, x)
    assert recording.tangent_of(copied)[0] == 3.0
    recording.alias(copied, np.ones(2))
    assert recording.tangent_of(copied) is None


def test_regions_opened_after_the_tape_are_left_alone() -> None:
    recording = ForwardRecording()
    x = np.ones(2)
    recording.watch(x, np.ones(2))
    with recording.recording():
        inner = ir.region("inner", [F64_2], ops.sin)
        assert recording.tangent_of(ops.sin(x)) is not None
    assert [n.op for n in inner.nodes] == [ops.sin]


class Halved:
    """A function with a derivative of its own, which is wrong on purpose."""

    name = "halved"

    def apply(self, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        return (operands[0] / 2,)

    def linearize(self, operands: Any, needs: Any, apply: Any) -> Any:
        raise AssertionError("forward mode does not ask for it")

    def push_forward(self, operands: Any, tangents: Any, apply: Any) -> Any:
        return apply(self, operands), (ops.multiply(tangents[0], np.asarray(100.0)),)


def test_functions_with_derivatives_of_their_own_push_forward() -> None:
    found = push_forward(
        lambda x: dispatch.apply(Halved(), (ops.sin(x),)), [np.asarray(0.5)], [np.asarray(1.0)]
    )
    np.testing.assert_allclose(found[0], 100 * np.cos(0.5))


def test_effects_run_once_and_have_no_tangents(capsys: pytest.CaptureFixture[str]) -> None:
    def function(x: Any) -> Any:
        ops.print_(ops.create_token(), x, template="x={:.1f}")
        ops.check(ops.less(x, np.asarray(9.0)), error="CheckError", message="large")
        return ops.sin(x)

    (found,) = push_forward(function, [np.asarray(1.0)], [np.asarray(2.0)])
    assert capsys.readouterr().out == "x=1.0\n"
    np.testing.assert_allclose(found, 2 * np.cos(1.0))


def test_a_graph_has_tangents_of_the_outputs_that_change() -> None:
    def function(x: Any, n: Any) -> list[Any]:
        return [n, ops.sin(x), number(2.0, np.float64), x]

    graph = ir.region("f", [F64_2, parse_type("i64[]")], function)
    made, outputs = jvp_graph(graph, [0])
    assert outputs == (1, 3)
    assert [v.name for v in made.inputs] == ["arg0", "arg1", "d_arg0"]
    assert made.outputs[-1] is made.inputs[-1]
    assert jvp_graph(graph, (0,))[0] is made
    assert jvp_graph(graph, [])[1] == ()
    with pytest.raises(GraphError, match=r"input 1 of graph 'f', i64\[\], has no tangent"):
        jvp_graph(graph, [1])


def test_a_rule_that_reads_its_cotangent_gets_zeros_for_it() -> None:
    """Linear, but not in a way that transposition can see through."""
    from plait.ir.derivatives.define import define_vjp

    odd = ir.Op(name="odd", family="test", doc="3 x", infer=lambda x: x, reference=lambda x: 3 * x)

    @define_vjp(odd)
    def _(at: Any, g: Any) -> Any:
        three = ops.broadcast_to(number(3.0, np.float64), shape=(2,))
        return (ops.select(ops.equal(g, g), ops.multiply(three, g), g),)

    made = op_jvp(odd, [F64_2], {}, (True,))
    assert [v.name for v in made.graph.inputs] == ["x0", "y0", "dx0"]
    (found,) = push_forward(odd, [np.ones(2)], [np.asarray([1.0, 2.0])])
    np.testing.assert_allclose(found, [3, 6])


def test_a_recording_inside_sees_no_tangents() -> None:
    """What the outer tape computes for its tangents is nothing the inner one did."""
    outer, inner = ForwardRecording(), Recording()
    x = np.ones(2)
    outer.watch(x, np.ones(2))
    inner.watch(x)
    with outer.recording(), inner.recording():
        ops.tanh(x)
    assert [record.name for record in inner.records] == ["tanh"]
