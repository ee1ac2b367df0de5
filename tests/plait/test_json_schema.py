"""The published schema of the JSON form, against documents of every op."""

from __future__ import annotations

import importlib
import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from plait import inspect, passes
from plait.cli import main
from plait.ir import Op, all_ops
from tests.ir.op_cases import all_cases
from tests.plait.program.run import one_op_graph

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "graph.schema.json").read_text(encoding="utf-8")
)
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "integer": (int,),
    "number": (int, float),
}
KNOWN = {
    *("$schema", "$ref", "$defs", "title", "description", "type", "const", "enum", "pattern"),
    *("minimum", "anyOf", "required", "properties", "additionalProperties", "items"),
}


def problems(schema: Any, value: Any, path: str = "") -> list[str]:
    """Where a value breaks a schema; of JSON Schema, what ours uses."""
    assert set(schema) <= KNOWN, f"the check does not know {set(schema) - KNOWN}"
    if "$ref" in schema:
        return problems(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], value, path)
    if "anyOf" in schema:
        found = [problems(one, value, path) for one in schema["anyOf"]]
        return [] if [] in found else min(found, key=len)
    kinds = schema.get("type", list(TYPES))
    if not any(_is(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        return [f"{path}: {value!r} is no {kinds}"]
    wrong = [
        *([f"{path}: not {schema['const']!r}"] if value != schema.get("const", value) else []),
        *([f"{path}: not one of"] if value not in schema.get("enum", [value]) else []),
    ]
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        wrong.append(f"{path}: {value!r} does not match")
    if "minimum" in schema and value < schema["minimum"]:
        wrong.append(f"{path}: {value} is too small")
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            wrong += problems(schema["items"], item, f"{path}[{i}]")
    return wrong + (_of_object(schema, value, path) if isinstance(value, dict) else [])


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _of_object(schema: Any, value: dict[str, Any], path: str) -> list[str]:
    known, rest = schema.get("properties", {}), schema.get("additionalProperties", {})
    wrong = [f"{path}: {n} is missing" for n in schema.get("required", []) if n not in value]
    for name, item in value.items():
        inner = known.get(name, rest)
        if inner is False:
            wrong.append(f"{path}: {name} is unknown")
        else:
            wrong += problems(inner, item, f"{path}.{name}")
    return wrong


def check(document: Any) -> None:
    """Demand a document of the schema, by our check and by jsonschema where it is installed."""
    assert problems(SCHEMA, document) == []
    if find_spec("jsonschema") is not None:
        validator = importlib.import_module("jsonschema").Draft202012Validator(SCHEMA)
        assert next(iter(validator.iter_errors(document)), None) is None


@pytest.mark.parametrize("op", tuple(all_ops()), ids=lambda op: op.name)
def test_graphs_of_every_op(op: Op) -> None:
    for case in [c for c in all_cases() if c.op is op][:6]:
        document = json.loads(json.dumps(inspect.to_json(one_op_graph(case)), allow_nan=False))
        assert problems(SCHEMA, document) == [], case


def test_what_show_writes(capsys: pytest.CaptureFixture[str]) -> None:
    target = str(Path(__file__).parents[2] / "examples" / "lstm.py") + ":lstm_cell"
    for stage in ("traced", "optimized", "plan", "stablehlo"):
        assert main(["show", target, "--stage", stage, "--json"]) == 0
        check(json.loads(capsys.readouterr().out))


def test_plans_with_regions() -> None:
    for case in [c for c in all_cases() if c.op.name in ("while", "scan", "cond")][:12]:
        lowered, _ = passes.lower_checks(one_op_graph(case))
        check(json.loads(json.dumps(inspect.to_json(passes.plan(lowered)))))


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("nodes"),
        lambda d: d.update(version=2),
        lambda d: d.update(more=1),
        lambda d: d["inputs"].append({"name": "x", "type": "float"}),
        lambda d: d["outputs"].append(3),
        lambda d: d["nodes"][0]["attributes"].update(k={"float": "big"}),
        lambda d: d["nodes"][0].update(location={"file": "a.py", "line": 0, "function": ""}),
    ],
)
def test_the_schema_refuses_other_documents(change: Any) -> None:
    (case, *_) = [c for c in all_cases() if c.op.name == "iota"]
    document = inspect.to_json(one_op_graph(case))
    check(document)
    change(document)
    assert problems(SCHEMA, document)
    if find_spec("jsonschema") is not None:
        assert (
            not importlib.import_module("jsonschema")
            .Draft202012Validator(SCHEMA)
            .is_valid(document)
        )
