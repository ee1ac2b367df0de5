"""Graphs and plans as JSON documents, for tools that do not read the text form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from plait.ir import ExecutionPlan, Graph, Literal, Location, Node, Slot, Step, Value
from plait.ir.text import format_value, name_values, ordered_attributes

#: Version of the schema. A reader refuses a greater one.
VERSION = 1
#: Literals of more elements are given by type and digest.
MAX_ELEMENTS = 16


def to_json(shown: Graph | ExecutionPlan) -> dict[str, Any]:
    """A graph or plan as dicts, lists, strings and numbers, fit for ``json.dumps``.

    The schema is ``docs/graph.schema.json``; in words, with ``?`` on what may be absent:

    - document: ``format`` (``"plait.graph"`` or ``"plait.plan"``), ``version`` (1), and the
      fields of a graph or plan.
    - graph: ``name``, ``inputs`` (list of value), ``nodes`` (list of node, in order),
      ``outputs`` (list of value names).
    - value: ``name``, ``type`` (such as ``"f32[8,16]"``).
    - node: ``op``, ``operands`` (list of value names), ``attributes`` (name to attribute),
      ``results`` (list of value), ``regions`` (list of graph), ``location?`` (``file``, ``line``,
      ``function``).
    - attribute: a bool, integer, finite number, string, null or list of attributes; or one of
      ``{"float": "nan" | "inf" | "-inf"}``, ``{"type", "data"}`` (an array of at most 16 elements,
      flat, each an attribute), ``{"type", "digest"}`` (a larger array), ``{"text"}`` (anything
      else, such as a dtype, as in the text form).
    - plan: ``backend``, ``arena_bytes``, ``peak_bytes``, ``unplanned_bytes``, ``slots`` (list of
      ``index``, ``offset``, ``nbytes``), ``aliases`` (output number to input number), ``donated``
      (list of input numbers), ``decisions``, ``steps`` (list of step, in order), ``graph``.
    - step: ``results`` (list of value names), ``op``, ``slots`` (for each result a slot number or
      null), ``in_place_of`` and ``view_of`` (an operand number or null), ``frees`` (list of value
      names), ``decisions``, ``plans`` (list of the regions' plans).
    - decisions: list of ``kind``, ``taken``, ``reason``.

    Names of values are those of the text form; a region's are its own.

    Parameters
    ----------
    shown : Graph or ExecutionPlan

    Examples
    --------
    >>> from plait import inspect, ir
    >>> graph = ir.parse("graph f(%x: f32[2]) -> (f32[2]) { return %x }")
    >>> inspect.to_json(graph)["inputs"]
    [{'name': 'x', 'type': 'f32[2]'}]
    """
    if isinstance(shown, ExecutionPlan):
        return {"format": "plait.plan", "version": VERSION, **_plan(shown)}
    return {"format": "plait.graph", "version": VERSION, **_graph(shown)}


def _graph(graph: Graph) -> dict[str, Any]:
    names = name_values(graph)
    return {
        "name": graph.name,
        "inputs": [_value(v, names) for v in graph.inputs],
        "nodes": [_node(node, names) for node in graph.nodes],
        "outputs": [names[v] for v in graph.outputs],
    }


def _value(value: Value, names: Mapping[Value, str]) -> dict[str, Any]:
    return {"name": names[value], "type": str(value.type)}


def _node(node: Node, names: Mapping[Value, str]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "op": node.op.name,
        "operands": [names[v] for v in node.operands],
        "attributes": {name: _attribute(v) for name, v in ordered_attributes(node)},
        "results": [_value(v, names) for v in node.results],
        "regions": [_graph(region) for region in node.regions],
    }
    if node.location.line:
        made["location"] = _location(node.location)
    return made


def _location(location: Location) -> dict[str, Any]:
    return {"file": location.file, "line": location.line, "function": location.function}


def _attribute(value: Any) -> Any:
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if value is None or type(value) is str:
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    if type(value) is float or (isinstance(value, np.floating) and not isinstance(value, Literal)):
        number = float(value)
        return number if math.isfinite(number) else {"float": str(number)}
    if isinstance(value, (tuple, list)):
        return [_attribute(item) for item in value]
    if type(value) is Literal:
        return literal_json(value)
    return {"text": format_value(value)}


def literal_json(literal: Literal) -> dict[str, Any]:
    """A literal's type with its elements, or with its digest when it has many."""
    if literal.array.size > MAX_ELEMENTS:
        return {"type": str(literal.type), "digest": literal.digest.hex()}
    return {"type": str(literal.type), "data": elements_json(literal.array)}


def elements_json(array: Any) -> list[Any]:
    """The elements of an array, flat; each a JSON value as described in ``to_json``.

    Examples
    --------
    >>> from plait import inspect
    >>> inspect.elements_json(np.array([[0.1, np.inf]], np.float32))
    [0.1, {'float': 'inf'}]
    """
    flat = np.asarray(array).reshape(-1)
    if flat.dtype.kind == "c":
        return [[_attribute(float(x.real)), _attribute(float(x.imag))] for x in flat]
    if flat.dtype.kind in "biu":
        return list(flat.tolist())
    # Shortest decimals of the element's own dtype: 0.1 of float32 is 0.1, not 0.10000000149011612.
    return [_attribute(float(str(x))) for x in flat]


def _plan(plan: ExecutionPlan) -> dict[str, Any]:
    return {
        "backend": plan.backend,
        "arena_bytes": plan.arena_bytes,
        "peak_bytes": plan.peak_bytes,
        "unplanned_bytes": plan.unplanned_bytes,
        "slots": [_slot(slot) for slot in plan.slots],
        "aliases": {str(k): v for k, v in sorted(plan.aliases.items())},
        "donated": sorted(plan.donated),
        "decisions": _decisions(plan),
        "steps": [_step(step, plan) for step in plan.steps],
        "graph": _graph(plan.graph),
    }


def _slot(slot: Slot) -> dict[str, int]:
    return {"index": slot.index, "offset": slot.offset, "nbytes": slot.nbytes}


def _decisions(holder: ExecutionPlan | Step) -> list[dict[str, Any]]:
    return [{"kind": d.kind, "taken": d.taken, "reason": d.reason} for d in holder.decisions]


def _step(step: Step, plan: ExecutionPlan) -> dict[str, Any]:
    names = name_values(plan.graph)
    return {
        "results": [names[v] for v in step.node.results],
        "op": step.node.op.name,
        "slots": [slot.index if slot is not None else None for slot in step.slots],
        "in_place_of": step.in_place_of,
        "view_of": step.view_of,
        "frees": [names[v] for v in step.frees],
        "decisions": _decisions(step),
        "plans": [_plan(plan.plans[r]) for r in step.node.regions if r in plan.plans],
    }
