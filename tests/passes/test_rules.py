"""Each rule: the graph expected, equal numbers, a second run that changes nothing, a refusal."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.ir import Graph
from plait.passes import Firing, Rewriter, Rule, RuleSet, all_rules
from plait.passes.dce import remove_dead
from plait.passes.rules import FAMILIES, rules_of
from tests.passes.arrays import same_values, special_arguments
from tests.passes.rule_cases import RuleCase, all_cases, make

RULES = all_rules()
each_case = pytest.mark.parametrize("case", all_cases().values(), ids=lambda case: case.rule)


def apply(name: str, graph: Graph, merge: bool = True) -> tuple[Graph, list[Firing]]:
    firings: list[Firing] = []
    # A broadcast that is left over after its axes are gone is the rule's own affair.
    helpers = [RULES["broadcast-same"]] if name.startswith(("reduce", "sum")) else []
    rules = RuleSet([RULES[name], *helpers])
    return Rewriter(rules, merge=merge, firings=firings).run(graph), firings


def test_every_rule_has_a_case() -> None:
    assert all_cases().keys() == RULES.keys()


def test_names_are_unique_and_equations_are_there() -> None:
    rules = [rule for family in FAMILIES for rule in rules_of(family)]
    assert len({rule.name for rule in rules}) == len(rules)
    assert all(" = " in r.equation or "[a:b:c]" in r.equation or "==" in r.equation
               or " < " in r.equation for r in rules)  # fmt: skip


@each_case
def test_gives_the_graph_expected(case: RuleCase) -> None:
    found, firings = apply(case.rule, make(case.inputs, case.before))
    wanted = remove_dead(make(case.inputs, case.after))
    wanted = Rewriter(RuleSet(()), merge=True).run(wanted)
    assert case.rule in {f.rule for f in firings}
    assert ir.structural_equal(found, wanted), f"{found}\nwanted\n{wanted}"


@each_case
def test_keeps_the_numbers(case: RuleCase) -> None:
    graph = make(case.inputs, case.before)
    found, _ = apply(case.rule, graph)
    for seed in range(4):
        arrays = special_arguments(graph, seed) if RULES[case.rule].exact else plain(graph, seed)
        for a, b in zip(ir.evaluate(graph, arrays), ir.evaluate(found, arrays), strict=True):
            if RULES[case.rule].exact:
                assert same_values(a, b), f"{a}\nbecame\n{b}\nfor {arrays}"
            else:
                np.testing.assert_allclose(b, a, rtol=3e-7)


def plain(graph: Graph, seed: int) -> list[Any]:
    """Positive numbers: rules that change rounding promise nothing about special values."""
    source = np.random.default_rng(seed)
    return [(source.random(v.shape) + 0.5).astype(v.dtype) for v in graph.inputs]


DTYPES = ("f16", "bf16", "f32", "f64", "c64", "i8", "i32", "i64", "u8", "u32", "bool")


@each_case
def test_keeps_the_numbers_in_every_dtype_it_takes(case: RuleCase) -> None:
    rule = RULES[case.rule]
    tried = 0
    for dtype in DTYPES:
        try:
            inputs = re.sub(r"\b(f32|i32)\[", f"{dtype}[", case.inputs)
            graph = make(inputs, case.before)
        except (ir.errors.PlaitError, OverflowError):
            continue
        tried += 1
        arrays = special_arguments(graph, tried)
        found, _ = apply(case.rule, graph)
        wanted, got = ir.evaluate(graph, arrays), ir.evaluate(found, arrays)
        for a, b in zip(wanted, got, strict=True):
            assert not rule.exact or same_values(a, b), f"{dtype}: {a}\nbecame\n{b}\nfor {arrays}"
    assert tried


@each_case
def test_second_run_changes_nothing(case: RuleCase) -> None:
    found, _ = apply(case.rule, make(case.inputs, case.before))
    assert apply(case.rule, found)[0] is found


@each_case
def test_is_never_worse(case: RuleCase) -> None:
    graph = make(case.inputs, case.before)
    found, _ = apply(case.rule, graph)
    assert computing(found) <= computing(graph)


def computing(graph: Graph) -> int:
    """Elements read and written by nodes that compute or move; views and constants are free."""
    working = [n for n in graph.nodes if n.op.view is None and not n.op.has(ir.Trait.CONSTANT)]
    return sum(v.size for n in working for v in (*n.operands, *n.results))


@each_case
def test_refuses_what_is_only_near(case: RuleCase) -> None:
    graph = make(case.refused_inputs or case.inputs, case.refused)
    found, firings = apply(case.rule, graph, merge=False)
    assert case.rule not in {f.rule for f in firings}
    assert found is graph


def test_a_rule_that_changes_the_type_is_an_error() -> None:
    wrong = Rule("wrong", "x = x + x", ir.ops.tanh, lambda r, n: r.fill(0, ir.parse_type("f32[]")))
    graph = make("f32[4]", ir.ops.tanh)
    with pytest.raises(ir.errors.GraphError, match=r"rule 'wrong' gave \(f32\[\]\) for \(f32\[4\]"):
        Rewriter(RuleSet([wrong]), merge=True).run(graph)


def test_rules_that_never_end_are_an_error() -> None:
    loop = Rule("loop", "-x = -x", ir.ops.negative, lambda r, n: r.like(n, *n.operands))
    graph = make("f32[4]", ir.ops.negative)
    with pytest.raises(ir.errors.GraphError, match="rule 'loop' fires without end"):
        Rewriter(RuleSet([loop]), merge=False).run(graph)
