"""Cases for every rewrite rule: what it makes of a graph, and a graph it must leave alone."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from plait import ir
from plait.ir import Graph, Literal, Value, ops

Build = Callable[..., Any]


@dataclass(frozen=True)
class RuleCase:
    """A rule, and three functions of values that build graphs.

    Attributes
    ----------
    rule : str
    inputs : str
        Types of the inputs, by spaces.
    before, after : callable
        The graph, and what the rule alone makes of it.
    refused : callable
        A near graph on which the rule must not fire.
    refused_inputs : str
        Types of its inputs, where they differ.
    """

    rule: str
    inputs: str
    before: Build
    after: Build
    refused: Build
    refused_inputs: str = ""


def make(inputs: str, build: Build) -> Graph:
    """The graph that a function of values builds."""
    builder = ir.GraphBuilder("case")
    values = [builder.input(ir.parse_type(text)) for text in inputs.split()]
    with builder:
        results = build(*values)
    return builder.build(results if isinstance(results, tuple) else [results])


def number(x: Value, content: Any) -> Value:
    """One number, in the type of ``x``."""
    array = np.asarray(content).astype(x.dtype)
    if x.shape == ():
        scalar: Value = ops.constant(value=Literal(array))
        return scalar
    filled: Value = ops.full(value=Literal(array), shape=x.shape)
    return filled


def array(content: Any, dtype: Any = np.float32) -> Value:
    """A constant."""
    made: Value = ops.constant(value=Literal(np.asarray(content, dtype)))
    return made


@cache
def all_cases() -> dict[str, RuleCase]:
    """Every case, by the name of its rule."""
    found: list[RuleCase] = []
    for module in pkgutil.iter_modules(__path__):
        found += importlib.import_module(f"{__name__}.{module.name}").CASES
    return {case.rule: case for case in found}
