"""Ops without operands, which all rows share."""

from __future__ import annotations

from plait.ir import ops
from plait.ir.batching.define import without_rows

for _op in (ops.constant, ops.full, ops.iota, ops.create_token):
    without_rows(_op, "it has no operands")
