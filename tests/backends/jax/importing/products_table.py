"""Products, convolutions, windows and linear algebra, in the table of jaxprs."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.backends.jax.importing.cases import INTS, INTS_2, Case, X, Y, floats


def convolve(x: Any, k: Any, **options: Any) -> Any:
    return lax.conv_general_dilated(x, k, **options)


image, kernel = floats(2, 7, 6, 4), floats(3, 2, 4, 5, seed=1)
line, taps = floats(4, 6, 9), floats(4, 3, 3, seed=2)
grouped = floats(3, 3, 2, 6, seed=3)
nhwc = {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}
CASES: list[Case] = [
    Case("dot", lambda x, y: lax.dot(x, y), (X, Y.T)),
    Case(
        "dot_general",
        lambda x, y: lax.dot_general(x, y, (((2,), (1,)), ((0,), (2,)))),
        (floats(2, 3, 4), floats(5, 4, 2)),
    ),
    Case(
        "dot_wide",
        lambda x, y: lax.dot_general(
            x, y, (((1,), (1,)), ((), ())), preferred_element_type=np.float32
        ),
        (X.astype(jnp.bfloat16), Y.astype(jnp.bfloat16)),
        gradients=False,
    ),
    Case(
        "dot_ints",
        lambda x, y: lax.dot_general(
            x, y, (((1,), (1,)), ((), ())), preferred_element_type=np.int32
        ),
        (INTS.astype(np.int8), INTS_2.astype(np.int8)),
    ),
    Case("outer", lambda x, y: lax.dot_general(x, y, (((), ()), ((), ()))), (X[0], Y[1])),
    Case(
        "einsum", lambda x, y: jnp.einsum("bij,bkj->kbi", x, y), (floats(2, 3, 4), floats(2, 5, 4))
    ),
    Case(
        "convolution",
        lambda x, k: convolve(x, k, window_strides=(2, 1), padding=((1, 2), (0, -1)), **nhwc),
        (image, kernel),
    ),
    Case(
        "convolution_dilated",
        lambda x, k: convolve(
            x,
            k,
            window_strides=(1, 1),
            padding=((1, 1), (2, 2)),
            lhs_dilation=(2, 1),
            rhs_dilation=(1, 2),
            **nhwc,
        ),
        (image, kernel),
    ),
    Case(
        "convolution_groups",
        lambda x, k: convolve(
            x, k, window_strides=(1, 1), padding="VALID", feature_group_count=2, **nhwc
        ),
        (image, grouped),
    ),
    Case(
        "convolution_line",
        lambda x, k: convolve(x, k, window_strides=(2,), padding=((1, 1),), feature_group_count=2),
        (line, taps),
    ),
    Case(
        "convolution_batch_groups",
        lambda x, k: convolve(x, k, window_strides=(1,), padding=((1, 1),), batch_group_count=2),
        (floats(4, 3, 9), taps),
    ),
    Case(
        "convolution_order",
        lambda x, k: convolve(
            x, k, window_strides=(1, 1), padding="SAME", dimension_numbers=("CWNH", "OIHW", "NHCW")
        ),
        (floats(4, 5, 2, 6), floats(3, 4, 2, 3)),
    ),
    Case(
        "convolution_transposed",
        lambda x, k: lax.conv_transpose(x, k, (2, 2), "SAME"),
        (image, kernel),
    ),
    Case(
        "max_pool",
        lambda x: lax.reduce_window(x, -np.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"),
        (image,),
    ),
    Case(
        "min_pool",
        lambda x: lax.reduce_window(x, np.inf, lax.min, (1, 3, 2, 1), (1, 2, 1, 1), "SAME"),
        (image,),
        gradients=False,
    ),
    Case(
        "sum_pool",
        lambda x: lax.reduce_window(
            x, 0.0, lax.add, (2, 2), (1, 1), ((1, 0), (0, 1)), (2, 1), (1, 2)
        ),
        (X,),
    ),
    Case(
        "prod_pool",
        lambda x: lax.reduce_window(x, np.float32(1), lax.mul, (2, 2), (1, 1), "VALID"),
        (X,),
        foreign=1,
        gradients=False,
    ),
    Case(
        "general_pool",
        lambda x: lax.reduce_window(
            x, np.float32(0), lambda a, b: lax.add(a, b), (2, 2), (1, 1), "VALID"
        ),
        (X,),
        gradients=False,
    ),
    Case(
        "cut_pool",
        lambda x: lax.reduce_window(x, -np.inf, lax.max, (2, 2), (1, 1), ((-1, 1), (0, 0))),
        (X,),
        gradients=False,
    ),
    Case("cholesky", lambda x: jnp.linalg.cholesky(x @ x.T + 3 * jnp.eye(3)), (X,), foreign=1),
    Case("inverse", lambda x: jnp.linalg.inv(x @ x.T + 3 * jnp.eye(3)), (X,), foreign=2),
    Case("fft", lambda x: jnp.abs(jnp.fft.fft(x)), (X,), foreign=1),
]
