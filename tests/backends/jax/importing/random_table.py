"""Random keys and bits, in the table of jaxprs: equal to those of jax."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.backends.jax.importing.cases import Case

KEY = np.array([7, 123456789], np.uint32)


def key(data: Any, impl: str = "threefry2x32") -> Any:
    return jax.random.wrap_key_data(data, impl=impl)


def case(name: str, function: Any, foreign: int = 0, data: Any = KEY) -> Case:
    return Case(f"random_{name}", function, (data,), foreign, False, 1e-5)


r = jax.random
CASES: list[Case] = [
    case("bits", lambda k: r.bits(key(k), (3, 5))),
    case("bits_8", lambda k: r.bits(key(k), (7,), "uint8")),
    case("split", lambda k: r.key_data(r.split(key(k), 3))),
    case("split_uneven", lambda k: r.key_data(r.split(key(k), (3, 1)))),
    case("fold_in", lambda k: r.key_data(r.fold_in(key(k), 11))),
    case("seed", lambda s: r.key_data(r.key(s)), data=np.uint32(42)),
    case("uniform", lambda k: r.uniform(key(k), (5,), minval=-1, maxval=3)),
    case("normal", lambda k: r.normal(key(k), (2, 3))),
    case("legacy", lambda k: r.normal(k, (4,))),
    case("randint", lambda k: r.randint(key(k), (6,), -3, 8)),
    case("permutation", lambda k: r.permutation(key(k), 9)),
    case("bernoulli", lambda k: r.bernoulli(key(k), 0.3, (9,))),
    case("categorical", lambda k: r.categorical(key(k), jnp.log(jnp.arange(1.0, 5)), shape=(7,))),
    case("truncated", lambda k: r.truncated_normal(key(k), -1, 1, (4,))),
    case("exponential", lambda k: r.exponential(key(k), (4,))),
    case("gamma", lambda k: r.gamma(key(k), 2.0, (3,)), 1),
    case("rows", lambda k: jax.vmap(lambda a: r.normal(a, (2,)))(r.split(key(k), 3))),
    case("indexed", lambda k: r.key_data(r.split(key(k), 4)[jnp.array([3, 1])])),
    case(
        "loop", lambda k: lax.scan(lambda c, _: (r.split(c)[0], r.uniform(c)), key(k), None, 3)[1]
    ),
    case("rbg", lambda k: r.bits(key(k, "rbg"), (4,)), 1, np.arange(4, dtype=np.uint32)),
]
