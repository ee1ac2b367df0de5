"""Movements of elements, in the table of jaxprs."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import lax

from plait.backends.jax.lowerings.common import optimization_barrier
from tests.backends.jax.importing.cases import Case, X, Y, floats

z = floats(2, 3, 4)
CASES: list[Case] = [
    Case("broadcast", lambda x: lax.broadcast_in_dim(x, (5, 3, 2, 4), (1, 3)), (X,)),
    Case("stretch", lambda x: lax.broadcast_in_dim(x[:, :1], (3, 4), (0, 1)), (X,)),
    Case("reshape", lambda x: lax.reshape(x, (2, 6)), (X,)),
    Case("reshape_order", lambda x: lax.reshape(x, (12,), (1, 0)), (X,)),
    Case("squeeze", lambda x: lax.squeeze(x[None, :, None], (0, 2)), (X,)),
    Case("transpose", lambda x: lax.transpose(x, (2, 0, 1)), (z,)),
    Case("rev", lambda x: lax.rev(x, (0, 2)), (z,)),
    Case("slice", lambda x: lax.slice(x, (0, 1, 0), (2, 3, 4), (1, 1, 3)), (z,)),
    Case("concatenate", lambda x, y: lax.concatenate([x, y, x], 1), (X, Y)),
    Case("split", lambda x: lax.split(x, (1, 3), 1), (X,)),
    Case("tile", lambda x: jnp.tile(x, (2, 1, 3)), (X,)),
    Case("stack", lambda x, y: jnp.stack([x, y], 1), (X, Y)),
    Case("unstack", lambda x: jnp.unstack(x, axis=1)[2], (X,)),
    Case("pad", lambda x: lax.pad(x, 2.0, ((1, 2, 1), (0, 3, 2))), (X,)),
    Case("pad_negative", lambda x: lax.pad(x, 2.0, ((-1, 2, 1), (1, -3, 2))), (X,)),
    Case("pad_value", lambda x, v: lax.pad(x, v, ((1, 0, 0), (-1, 1, 0))), (X, X[0, 0])),
    Case("cut", lambda x: lax.pad(x, 0.0, ((-1, -1, 0), (0, -2, 0))), (X,)),
    Case("iota", lambda x: x + lax.broadcasted_iota(np.float32, (3, 4), 1), (X,)),
    Case("iota_half", lambda x: x + lax.iota(jnp.bfloat16, 4), (X,)),
    Case("eye", lambda x: x @ jnp.eye(4, dtype=np.float32) + jnp.tri(3, 4), (X,)),
    Case("expand", lambda x: lax.expand_dims(x, (0, 2)), (X,)),
    Case("scalar", lambda x: x[1, 2] * 2.0, (X,)),
    Case("barrier", lambda x, y: optimization_barrier((x * y, y))[0], (X, Y)),
]
