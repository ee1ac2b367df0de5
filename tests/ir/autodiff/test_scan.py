"""Derivatives of scans are those of jax, in both modes and to second order."""

from __future__ import annotations

import pytest

from tests.ir.autodiff.against_jax import (
    arguments,
    check_forward,
    check_reverse,
    check_second,
)
from tests.ir.autodiff.scans import SCANS


@pytest.mark.parametrize("name", SCANS)
def test_cotangents(name: str) -> None:
    scan = SCANS[name]
    graph = scan.graph()
    check_reverse(graph, scan.in_jax, arguments(graph))


@pytest.mark.parametrize("name", SCANS)
def test_tangents(name: str) -> None:
    scan = SCANS[name]
    graph = scan.graph()
    check_forward(graph, scan.in_jax, arguments(graph))


@pytest.mark.parametrize("name", ["lstm", "power", "overwritten", "integer carry", "no trip"])
def test_second_order(name: str) -> None:
    scan = SCANS[name]
    graph = scan.graph()
    check_second(graph, scan.in_jax, arguments(graph))


@pytest.mark.parametrize("backend", ["planned", "xla"])
def test_backends(backend: str) -> None:
    scan = SCANS["lstm"]
    graph = scan.graph()
    check_reverse(graph, scan.in_jax, arguments(graph), backend=backend)
