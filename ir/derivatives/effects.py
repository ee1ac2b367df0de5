"""Derivatives of effects: a barrier hands cotangents on; a user's code has none."""

from __future__ import annotations

from typing import Any

from plait.ir import ops
from plait.ir.derivatives.define import Application, define_vjp, no_gradient

__all__: list[str] = []


@define_vjp(ops.barrier)
def _barrier(at: Application, *gs: Any) -> tuple[Any, ...]:
    return gs


no_gradient(ops.create_token, ops.print_, ops.callback, ops.check)
