"""Functions of two and three numbers, in the table of jaxprs."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.backends.jax.importing.cases import (
    BITS,
    BOOLS,
    INTS,
    INTS_2,
    POSITIVE,
    UNIT,
    UNSIGNED,
    Case,
    X,
    Y,
)

smooth = [
    Case(n, getattr(lax, n), (X, Y)) for n in ["add", "sub", "mul", "div", "atan2", "max", "min"]
]
compare = [Case(n, getattr(lax, n), (INTS, INTS_2)) for n in ["eq", "ne", "lt", "le", "gt", "ge"]]
bits = [
    Case(f"bitwise_{n}", getattr(lax, f"bitwise_{n}"), (INTS, INTS_2)) for n in ["and", "or", "xor"]
]
CASES: list[Case] = [
    *smooth,
    *compare,
    *bits,
    Case("pow", lax.pow, (POSITIVE, Y)),
    Case("pow_int", lax.pow, (POSITIVE, np.int32(3))),
    Case("rem", lax.rem, (X, Y)),
    Case("nextafter", lax.nextafter, (X, Y), gradients=False),
    Case("complex", lax.complex, (X, Y)),
    Case("int_div", lax.div, (INTS, INTS_2)),
    Case("int_rem", lax.rem, (INTS, INTS_2)),
    Case("uint_div", lax.div, (UNSIGNED, UNSIGNED[::-1] % 5)),
    Case("shift_left", lambda x: lax.shift_left(x[:, None], BITS[None]), (UNSIGNED[0],)),
    Case(
        "shift_right",
        lambda x: lax.shift_right_logical(x, lax.bitwise_and(x, jnp.int32(31))),
        (INTS,),
    ),
    Case("shift_signed", lambda x: lax.shift_right_arithmetic(x, jnp.full_like(x, 3)), (INTS,)),
    Case("shift_wide", lambda x: lax.shift_right_logical(x[:, None], BITS[None]), (UNSIGNED[0],)),
    Case("clamp", lambda x: lax.clamp(-1.0, x, 1.5), (X,)),
    Case("clamp_arrays", lambda x, y: lax.clamp(y - 1, x, y + 0.5), (X, Y)),
    Case("select", lax.select_n, (BOOLS, X, Y)),
    Case("select_scalar", lambda x, y: lax.select_n(jnp.asarray(True), x, y), (X, Y)),
    Case("select_many", lambda i, x, y: lax.select_n(i, x, y, x * y), (np.abs(INTS) % 3, X, Y)),
    Case("igamma", lambda x: lax.igamma(jnp.full_like(x, 1.5), x), (POSITIVE,), foreign=1),
    Case("igammac", lax.igammac, (POSITIVE, POSITIVE + 1), foreign=1, gradients=False),
    Case("betainc", lambda x: jax.scipy.special.betainc(2.0, 3.0, x), (np.abs(UNIT),), foreign=1),
    Case(
        "zeta",
        lambda q: lax.zeta(jnp.full_like(q, 2.5), q),
        (POSITIVE + 1,),
        foreign=1,
        gradients=False,
    ),
    Case("numpy", lambda x, y: jnp.logaddexp(x, y) + jnp.hypot(x, y) + jnp.sinc(x), (X, Y)),
]
