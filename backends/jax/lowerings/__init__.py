"""One line of jax.lax for each op, in a table for each family."""

from __future__ import annotations

from plait.backends.jax.lowerings import (
    control,
    creation,
    cumulative,
    effects,
    elementwise,
    encoding,
    foreign,
    indexing,
    linear,
    manipulation,
    normalization,
    order,
    random,
    reductions,
    windows,
)
from plait.backends.jax.lowerings.common import Lowering, Table

TABLES: tuple[Table, ...] = (
    elementwise.TABLE,
    creation.TABLE,
    manipulation.TABLE,
    linear.TABLE,
    indexing.TABLE,
    reductions.TABLE,
    cumulative.TABLE,
    order.TABLE,
    normalization.TABLE,
    encoding.TABLE,
    windows.TABLE,
    random.TABLE,
    control.TABLE,
    effects.TABLE,
    foreign.TABLE,
)
#: Op name to lowering.
LOWERINGS: dict[str, Lowering] = {name: f for table in TABLES for name, f in table.items()}
