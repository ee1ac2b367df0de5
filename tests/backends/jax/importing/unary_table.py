"""Functions of one number, in the table of jaxprs."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.backends.jax.importing.cases import BOOLS, COMPLEX, INTS, POSITIVE, UNIT, Case, X, whole

anywhere = [
    "abs",
    "ceil",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "is_finite",
    "logistic",
    "neg",
    "sign",
    "sin",
    "sinh",
    "square",
    "tan",
    "tanh",
    "asinh",
    "atan",
    "cbrt",
    "round",
]
positive = ["sqrt", "rsqrt", "log", "log1p", "lgamma", "digamma"]
unit = ["asin", "acos", "atanh", "erf_inv"]
CASES: list[Case] = [Case(n, getattr(lax, n), (X,)) for n in anywhere]
CASES += [Case(n, getattr(lax, n), (POSITIVE,)) for n in positive]
CASES += [Case(n, getattr(lax, n), (UNIT,)) for n in unit]
CASES += [
    Case("acosh", lax.acosh, (POSITIVE + 1,)),
    Case("cube", lambda x: lax.integer_pow(x, 3), (X,)),
    Case("inverse_square", lambda x: lax.integer_pow(x, -2), (POSITIVE,)),
    Case("seventh", lambda x: lax.integer_pow(x, 7), (X,)),
    Case("away_from_zero", lax.round, (np.array([0.5, -0.5, 2.5, 0.49999997, -7.3], "f"),)),
    Case("to_even", lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN), (X * 3,)),
    Case("reduce_bf16", lambda x: lax.reduce_precision(x, 8, 7), (X,)),
    Case("reduce_odd", lambda x: lax.reduce_precision(x, 6, 3), (X,), foreign=1),
    Case(
        "polygamma", lambda x: lax.polygamma(jnp.full_like(x, 2.0), x), (POSITIVE,), gradients=False
    ),
    Case("clz", lax.clz, (INTS,)),
    Case("clz8", lax.clz, (whole(9, dtype=np.int8),)),
    Case("popcount", lax.population_count, (INTS,)),
    Case("not", lax.bitwise_not, (INTS,)),
    Case("not_bool", lax.bitwise_not, (BOOLS,)),
    Case("bessel_i1e", lax.bessel_i1e, (X,), foreign=1),
    Case("complex_parts", lambda z: lax.real(z) * lax.imag(z), (COMPLEX,)),
    Case("conj", lambda z: lax.conj(z) * z, (COMPLEX,)),
    Case("conj_real", lax.conj, (X,)),
    Case("complex_functions", lambda z: lax.exp(z) + lax.sin(z) * lax.sqrt(z), (COMPLEX,)),
    Case("complex_logistic", lax.logistic, (COMPLEX,)),
    Case("bitcast", lambda x: lax.bitcast_convert_type(x, np.int32), (X,), gradients=False),
    Case("bitcast_narrow", lambda x: lax.bitcast_convert_type(x, np.uint8), (INTS,)),
    Case("to_bool", lambda x: lax.convert_element_type(x, bool), (INTS,)),
    Case("to_half", lambda x: lax.convert_element_type(x, jnp.bfloat16), (X,), tolerance=1e-2),
    Case("to_complex", lambda x: lax.convert_element_type(x, np.complex64), (X,)),
    Case("stop_gradient", lambda x: lax.stop_gradient(x) * x, (X,)),
]
