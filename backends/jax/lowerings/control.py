"""Control flow in jax.lax; regions come as functions of jax values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jax import lax

from plait.backends.jax.lowerings.common import Table

Region = Callable[..., tuple[Any, ...]]


def lower_cond(pred: Any, *operands: Any, regions: Sequence[Region]) -> Any:
    """One of two branches."""
    then, other = regions
    return lax.cond(pred, then, other, *operands)


def lower_while(
    *operands: Any, regions: Sequence[Region], num_consts: int, bound: int | None = None
) -> Any:
    """A loop on a condition; constants are closed over. XLA needs no bound."""
    condition, body = regions
    consts, carry = operands[:num_consts], operands[num_consts:]
    return lax.while_loop(
        lambda state: condition(*consts, *state)[0], lambda state: body(*consts, *state), carry
    )


def lower_scan(
    *operands: Any,
    regions: Sequence[Region],
    num_consts: int,
    num_carry: int,
    length: int,
    reverse: bool = False,
) -> Any:
    """A loop over leading axes."""
    (body,) = regions
    first = num_consts + num_carry
    consts, carry, xs = operands[:num_consts], operands[num_consts:first], operands[first:]

    def step(state: Any, slices: Any) -> Any:
        results = body(*consts, *state, *slices)
        return results[:num_carry], results[num_carry:]

    last, stacked = lax.scan(step, carry, xs, length=length, reverse=reverse)
    return (*last, *stacked)


def lower_call(
    *operands: Any, regions: Sequence[Region], name: str = "", remat: bool = False
) -> Any:
    """The callee, or the primal function, in place; XLA would inline it anyway."""
    return regions[0](*operands)


TABLE: Table = {
    "cond": lower_cond,
    "while": lower_while,
    "scan": lower_scan,
    "call": lower_call,
    "custom_vjp": lower_call,
}
