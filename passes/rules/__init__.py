"""Rewrite rules, a file per algebra."""

from __future__ import annotations

from functools import cache

from plait.ir.errors import UnknownNameError
from plait.passes.rewriter import Rule, RuleSet

FAMILIES = ("canonical", "arithmetic", "casts", "shape", "reduction", "control")


@cache
def rules_of(family: str) -> tuple[Rule, ...]:
    """The rules of one family.

    Raises
    ------
    UnknownNameError
        No family has this name.
    """
    from plait.passes.rules import arithmetic, canonical, casts, control, reduction, shape

    modules = {
        "canonical": canonical,
        "arithmetic": arithmetic,
        "casts": casts,
        "shape": shape,
        "reduction": reduction,
        "control": control,
    }
    if family not in modules:
        raise UnknownNameError(
            f"unknown family of rules {family!r}; families: {', '.join(FAMILIES)}"
        )
    found: tuple[Rule, ...] = modules[family].RULES
    return found


def all_rules() -> dict[str, Rule]:
    """Every rule by name."""
    return {rule.name: rule for family in FAMILIES for rule in rules_of(family)}


@cache
def rule_set(families: tuple[str, ...], *, exact: bool) -> RuleSet:
    """The rules of some families, without those that change rounding when ``exact``."""
    rules = [rule for family in families for rule in rules_of(family)]
    return RuleSet([rule for rule in rules if rule.exact or not exact])
