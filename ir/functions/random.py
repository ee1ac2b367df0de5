"""Random numbers as pure functions: (state, ...) -> (values, next state).

A state is uint64[2]: a key, which names a stream, and a counter, the place in it. Bits are equal on
every backend; what is computed from them by exp, log or erfinv is equal within tolerance.
"""

from plait.ir.functions.distributions import exponential as exponential
from plait.ir.functions.distributions import gumbel as gumbel
from plait.ir.functions.distributions import normal as normal
from plait.ir.functions.distributions import random_bits as random_bits
from plait.ir.functions.distributions import seed_state as seed_state
from plait.ir.functions.distributions import split as split
from plait.ir.functions.distributions import truncated_normal as truncated_normal
from plait.ir.functions.distributions import uniform as uniform
from plait.ir.functions.sampling import bernoulli as bernoulli
from plait.ir.functions.sampling import categorical as categorical
from plait.ir.functions.sampling import choice as choice
from plait.ir.functions.sampling import permutation as permutation
from plait.ir.functions.sampling import randint as randint

__all__ = [
    "bernoulli",
    "categorical",
    "choice",
    "exponential",
    "gumbel",
    "normal",
    "permutation",
    "randint",
    "random_bits",
    "seed_state",
    "split",
    "truncated_normal",
    "uniform",
]
