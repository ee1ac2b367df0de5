"""Every op of the registry as a NumPy program of one op: the numbers of its reference."""

from __future__ import annotations

import pytest

from plait import ir
from plait.ir import Op
from tests.ir.op_cases import all_cases
from tests.plait.program.run import check_same_bits, one_op_graph


@pytest.mark.parametrize("op", tuple(ir.all_ops()), ids=lambda op: op.name)
def test_the_program_of_an_op_gives_its_numbers(op: Op) -> None:
    for case in [c for c in all_cases() if c.op is op]:
        graph = one_op_graph(case)
        try:
            check_same_bits(graph, case.operands)
        except Exception as error:
            error.add_note(f"in case {case}")
            raise
