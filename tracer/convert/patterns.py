"""``match`` over values as a chain of ``if``, so that its subject may be traced."""

from __future__ import annotations

import ast
from typing import Any

from plait.tracer.convert.nodes import AND, assign, constant, load, where

_OR = ast.Or()


def as_ifs(node: Any, subject: str) -> list[ast.stmt] | None:
    """The statements that stand for a ``match`` of values; None when it has other patterns."""
    if not all(_is_value(case.pattern) for case in node.cases):
        return None
    chain: list[ast.stmt] = []
    for case in reversed(node.cases):
        chain = _case(case, subject, chain)
    return [assign(subject, node.subject, where(node.subject)), *chain]


def without_guards(node: Any, subject: str, flag: str) -> list[ast.stmt] | None:
    """A ``match`` with guards as one without, whose names the guards then test by ``if``.

    The first guard is taken out: ``flag`` says whether its pattern matches, and is None where a
    case before it did. Cases behind it are another ``match``. None when there is no guard.
    """
    first = next((i for i, case in enumerate(node.cases) if case.guard is not None), None)
    if first is None:
        return None
    at, guarded, behind = where(node), node.cases[first], node.cases[first + 1 :]
    found = assign(flag, constant(True, at), at)
    cases = [*node.cases[:first], ast.match_case(guarded.pattern, None, [found])]
    if not _always_matches(guarded.pattern):
        missed = assign(flag, constant(False, at), at)
        cases.append(ast.match_case(ast.MatchAs(None, None, **at), None, [missed]))
    both = ast.BoolOp(AND, [load(flag, at), guarded.guard], **where(guarded.guard))
    rest: list[ast.stmt] = [ast.Match(load(subject, at), behind, **at)] if behind else []
    steps: list[ast.stmt] = [ast.If(both, guarded.body, rest, **where(guarded.pattern))]
    if first:
        test = ast.Compare(load(flag, at), [ast.IsNot()], [constant(None, at)], **at)
        steps = [ast.If(test, steps, [], **at)]
    return [
        assign(subject, node.subject, where(node.subject)),
        assign(flag, constant(None, at), at),
        ast.Match(load(subject, at), cases, **at),
        *steps,
    ]


def _always_matches(pattern: Any) -> bool:
    if isinstance(pattern, ast.MatchOr):
        return any(map(_always_matches, pattern.patterns))
    return isinstance(pattern, ast.MatchAs) and (
        pattern.pattern is None or _always_matches(pattern.pattern)
    )


def _is_value(pattern: Any) -> bool:
    if isinstance(pattern, ast.MatchOr):
        return all(map(_is_value, pattern.patterns))
    if isinstance(pattern, ast.MatchAs):  # case _ and case name
        return pattern.pattern is None
    return isinstance(pattern, (ast.MatchValue, ast.MatchSingleton))


def _case(case: Any, subject: str, orelse: list[ast.stmt]) -> list[ast.stmt]:
    pattern = case.pattern
    at = where(pattern)
    test = _test(pattern, subject)
    if isinstance(pattern, ast.MatchAs) and pattern.name is not None:
        bind = assign(pattern.name, load(subject, at), at)
        if case.guard is None:
            return [bind, *case.body]
        return [bind, ast.If(case.guard, case.body, orelse, **at)]
    tests = [t for t in (test, case.guard) if t is not None]
    if not tests:
        return [ast.Pass(**at), *case.body]  # the line of the case counts for coverage
    both = tests[0] if len(tests) == 1 else ast.BoolOp(AND, tests, **at)
    return [ast.If(both, case.body, orelse, **at)]


def _test(pattern: Any, subject: str) -> ast.expr | None:
    """The test that a pattern stands for; None when it always matches."""
    at = where(pattern)
    if isinstance(pattern, ast.MatchAs):
        return None
    if isinstance(pattern, ast.MatchSingleton):
        return ast.Compare(load(subject, at), [ast.Is()], [constant(pattern.value, at)], **at)
    if isinstance(pattern, ast.MatchValue):
        return ast.Compare(load(subject, at), [ast.Eq()], [pattern.value], **at)
    tests = [_test(p, subject) for p in pattern.patterns]
    known = [test for test in tests if test is not None]
    return ast.BoolOp(_OR, known, **at) if len(known) == len(tests) else None
