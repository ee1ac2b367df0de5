"""Reductions, running reductions and orders, in the table of jaxprs."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.backends.jax.importing.cases import BOOLS, COMPLEX, INTS, INTS_2, Case, X, floats

z = floats(2, 3, 4)
found = [
    Case(f"reduce_{n}", lambda x, n=n: getattr(lax, f"reduce_{n}")(x, (0, 2)), (z,))
    for n in ("sum", "max", "min", "prod")
]
found += [
    Case(n, lambda x, n=n: getattr(lax, n)(x, axis=1), (z,))
    for n in ("cumsum", "cumprod", "cummax", "cummin")
]
found += [
    Case(n, lambda x, n=n: getattr(lax, n)(x, 1, np.int32), (z,)) for n in ("argmax", "argmin")
]
CASES: list[Case] = [
    *found,
    Case("reduce_and", lambda x: lax.reduce_and(x, (1,)), (BOOLS,)),
    Case("reduce_or", lambda x: lax.reduce_or(x, (0, 1)), (BOOLS,)),
    Case("reduce_xor", lambda x: lax.reduce_xor(x, (1,)), (BOOLS,)),
    Case("reduce_bits", lambda x: lax.reduce_or(x, (1,)), (INTS,), foreign=1),
    Case("reduce", lambda x: lax.reduce(x, np.float32(1), lax.add, (0,)), (X,)),
    Case(
        "reduce_pair",
        lambda x, i: lax.reduce(
            (x, i),
            (np.float32(0), np.int32(0)),
            lambda a, b: (a[0] + b[0], lax.max(a[1], b[1])),
            (0,),
        ),
        (X, INTS),
        foreign=1,
        gradients=False,
    ),
    Case("reduce_none", lambda x: lax.reduce_max(x[:0], (0,)), (X,)),
    Case("cumsum_back", lambda x: lax.cumsum(x, axis=0, reverse=True), (X,)),
    Case("cumlogsumexp", lambda x: lax.cumlogsumexp(x, axis=1), (X,), foreign=1),
    Case("sort", lambda x: lax.sort(x, dimension=1), (X,)),
    Case("sort_pairs", lambda i, x: lax.sort((i, x), dimension=0, num_keys=1), (INTS % 3, X)),
    Case("sort_keys", lambda i, j, x: lax.sort((i, j, x), num_keys=2), (INTS % 2, INTS_2 % 3, X)),
    Case("sort_complex", lambda z: lax.sort(z), (COMPLEX,), gradients=False),
    Case("argsort", lambda x: jnp.argsort(x, axis=0), (X,)),
    Case("top_k", lambda x: lax.top_k(x, 2), (X,)),
    Case("top_k_axis", lambda x: lax.top_k(x, 2, axis=0), (X,)),
    Case("median", lambda x: jnp.median(x, axis=1), (X,)),
    Case("softmax", lambda x: jax.nn.softmax(x) * jax.nn.log_softmax(x, axis=0), (X,)),
    Case("statistics", lambda x: jnp.std(x, 0) + jnp.var(x, 0) * jnp.mean(x), (X,)),
    Case("norm", lambda x: jnp.linalg.norm(x, axis=1), (X,)),
]
