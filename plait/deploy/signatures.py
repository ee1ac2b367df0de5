"""The Python side of an exported program: parameters, what they hold, results, state."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from plait.deploy.manifest import KINDS, Manifest, Result
from plait.deploy.trees import DICTS, RECORDS, Tree
from plait.deploy.values import Weight
from plait.inspect.program import Entry, array_text, identifier, quoted
from plait.ir import TensorType
from plait.ir.errors import SaveError

#: Names that the program's own code has from elsewhere.
IMPORTED = frozenset(("Path", "SimpleNamespace", "bfloat16", "math", "namedtuple", "np", "special"))
_PLAIN = (bool, int, float, str, type(None))


class Signature:
    """Writes how the function of a program is called.

    Parameters
    ----------
    manifest : Manifest
    weights : mapping of str to ndarray
    """

    def __init__(self, manifest: Manifest, weights: Any) -> None:
        self.manifest = manifest
        self.weights = weights
        self.paths = list(self._paths())
        self.classes: dict[str, tuple[str, ...]] = {}
        self.helpers = ["demand"]
        taken = {p.name for p in manifest.parameters}
        self.state = "state" if "state" not in taken else "state_of_variables"
        for name in sorted(taken & IMPORTED):
            raise SaveError(
                f"parameter {name} of {manifest.name} has the name of a module of the program; "
                "give it another one"
            )
        self._result_tree = self._demand_plain(manifest.result, "the result")

    def entry(self) -> Entry:
        """The whole of it."""
        manifest = self.manifest
        result = self._build(manifest.result, iter(range(len(manifest.results))), None)
        assert result is not None
        names = [f'{n} = namedtuple("{n}", "{" ".join(f)}")' for n, f in self.classes.items()]
        imports = ["from collections import namedtuple"] if names else []
        if "SimpleNamespace(" in result:
            imports.append("from types import SimpleNamespace")
        return Entry(
            self.parameters(),
            self.begin,
            self.end,
            doc=tuple(self.doc()),
            names=tuple([p.name for p in manifest.parameters if p.name not in self.paths]),
            globals=tuple(names),
            imports=tuple(imports),
            helpers=tuple(self.helpers),
            state_name=self.state,
            avoided=tuple([p.name for p in manifest.parameters]),
        )

    # Parameters.

    def parameters(self) -> str:
        """What stands between the parentheses of ``def``."""
        made = [
            inspect.Parameter(p.name, KINDS[p.kind], default=self._default(p.default))
            for p in self.manifest.parameters
        ]
        return str(inspect.Signature(made))[1:-1]

    def _default(self, default: tuple[Any, ...]) -> Any:
        return _Raw(self.value(default[0])) if default else inspect.Parameter.empty

    def value(self, value: Any) -> str:
        """A fixed value as Python's text."""
        if type(value) is Weight:
            return array_text(self.weights[value.name])
        if isinstance(value, float) and not np.isfinite(value):
            return f'float("{value}")'
        if type(value) in _PLAIN:
            return quoted(value) if type(value) is str else repr(value)
        if type(value) in (tuple, list):
            inner = ", ".join([self.value(v) for v in value])
            comma = "," if len(value) == 1 and type(value) is tuple else ""
            return f"({inner}{comma})" if type(value) is tuple else f"[{inner}]"
        if isinstance(value, np.dtype):
            return f'np.dtype("{value.name}")'
        if isinstance(value, type) and issubclass(value, np.generic):
            return f"np.{value.__name__}"
        return repr(value)

    def _paths(self) -> Iterator[str]:
        """An expression for each leaf of the arguments."""
        named = [p.name for p in self.manifest.parameters if p.kind.startswith("positional_")]
        rest = [p.name for p in self.manifest.parameters if p.kind == "var_positional"]
        for i, tree in enumerate(self.manifest.positional):
            start = named[i] if i < len(named) else f"{rest[0]}[{i - len(named)}]"
            yield from _leaf_paths(self._demand_plain(tree, start), start)
        known = {p.name for p in self.manifest.parameters}
        more = [p.name for p in self.manifest.parameters if p.kind == "var_keyword"]
        for name, tree in self.manifest.keyword.items():
            start = name if name in known else f"{more[0]}[{quoted(name)}]"
            yield from _leaf_paths(self._demand_plain(tree, start), start)

    def _demand_plain(self, tree: Tree, where: str) -> Tree:
        """Demand containers that a program can take apart and make.

        Raises
        ------
        SaveError
            A container of a class that the user registered.
        """
        if tree.kind == "class":
            raise SaveError(
                f"{where} of {self.manifest.name} is a {tree.name}, which a program has no name "
                "for; use lists, tuples, dicts, named tuples or dataclasses"
            )
        for child in tree.children:
            self._demand_plain(child, where)
        return tree

    # The body.

    def begin(self, names: Sequence[str]) -> list[str]:
        """The lines that take the arrays, and the state, to these names."""
        lines, given = [], iter(names)
        for leaf, path in zip(self.manifest.leaves, self.paths, strict=True):
            if leaf.type is not None:
                lines.append(f"{next(given)} = {_demanded(path, leaf.type)}")
            elif type(leaf.value) in _PLAIN and leaf.value == leaf.value:
                shown = self.value(leaf.value)
                test = "is not" if leaf.value is None or type(leaf.value) is bool else "!="
                message = quoted(f"{path} can only be {shown}, as it was exported")
                lines += [f"if {path} {test} {shown}:", f"    raise ValueError({message})"]
        for place in self.manifest.assigned:
            lines.append(f"{next(given)} = {self.state}[{quoted(self.state_name(place))}]")
        return lines

    def state_name(self, place: int) -> str:
        """The name of a variable in the dict of the state."""
        names = [s.name or f"state_{i}" for i, s in enumerate(self.manifest.state)]
        name = names[place]
        return name if names.count(name) == 1 else f"{name}_{place}"

    def end(self, outputs: Sequence[str]) -> list[str]:
        """The lines that keep the state, write into arguments, and return the result."""
        manifest = self.manifest
        written = len(outputs) - len(manifest.written)
        start = written - len(manifest.assigned)
        lines = [
            f"{self.state}[{quoted(self.state_name(place))}] = {text}"
            for place, text in zip(manifest.assigned, outputs[start:written], strict=True)
        ]
        for place, text in zip(manifest.written, outputs[written:], strict=True):
            lines.append(f"{self.paths[place]}[...] = {text}")
        result = self._build(manifest.result, iter(range(len(manifest.results))), outputs)
        is_tuple = manifest.result.kind == "tuple" and len(manifest.result.children) > 1
        return [*lines, f"return {result[1:-1] if is_tuple else result}"]

    def doc(self) -> list[str]:
        """The docstring."""
        name = self.manifest.name
        lines = [f'"""{name}, as it was exported.', ""]
        for leaf, path in zip(self.manifest.leaves, self.paths, strict=True):
            lines.append(f"{path} : {leaf.type or f'only {self.value(leaf.value)}'}")
        return [f'"""{name}, as it was exported."""'] if len(lines) == 2 else [*lines, '"""']

    # Results.

    def _build(self, tree: Tree, leaves: Iterator[int], outputs: Sequence[str] | None) -> str:
        """A result of containers; without outputs, only what it needs is found out."""
        if tree.kind == "leaf":
            return self._leaf(self.manifest.results[next(leaves)], outputs)
        parts = [self._build(child, leaves, outputs) for child in tree.children]
        if tree.kind == "list":
            return f"[{', '.join(parts)}]"
        if tree.kind == "tuple":
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        if tree.kind in DICTS:
            keys = tree.rest[1] if tree.kind == "default_dict" else tree.rest
            pairs = [f"{self.value(k)}: {v}" for k, v in zip(keys, parts, strict=True)]
            return f"{{{', '.join(pairs)}}}"
        if tree.kind in RECORDS:
            fields = [f"{n}={v}" for n, v in zip(tree.rest, parts, strict=True)]
            if tree.kind == "dataclass":
                return f"SimpleNamespace({', '.join(fields)})"
            self.classes[identifier(tree.name)] = tree.rest
            return f"{identifier(tree.name)}({', '.join(fields)})"
        return f"slice({', '.join(parts)})" if tree.kind == "slice" else repr(set(tree.rest))

    def _leaf(self, result: Result, outputs: Sequence[str] | None) -> str:
        if result.kind == "fixed":
            return self.value(result.value)
        if result.kind == "argument":
            return self.paths[result.index]
        if result.kind == "result":
            return self._leaf(self.manifest.results[result.index], outputs)
        if result.kind == "text":
            template, count = result.value
            self.helpers.append("filled")
            given = outputs[result.index : result.index + count] if outputs is not None else []
            return f"_filled({', '.join([quoted(template), *given])})"
        text = outputs[result.index] if outputs is not None else "None"
        return f"np.asarray({text}).item()" if result.kind == "number" else text


def _demanded(path: str, type_: TensorType) -> str:
    """A check of an argument."""
    sizes = "".join([f", {d if type(d) is int else None}" for d in type_.shape])
    dtype = f"np.{'bool_' if type_.dtype.kind == 'b' else type_.dtype.name}"
    dtype = "bfloat16" if dtype == "np.bfloat16" else dtype
    return f"_demand({path}, {dtype}{sizes}, name={quoted(path)})"


def _leaf_paths(tree: Tree, start: str) -> Iterator[str]:
    if tree.kind == "leaf":
        yield start
        return
    for i, child in enumerate(tree.children):
        yield from _leaf_paths(child, f"{start}{_step(tree, i)}")


def _step(tree: Tree, i: int) -> str:
    if tree.kind in DICTS:
        keys = tree.rest[1] if tree.kind == "default_dict" else tree.rest
        return f"[{quoted(keys[i]) if type(keys[i]) is str else repr(keys[i])}]"
    if tree.kind in RECORDS:
        return f".{tree.rest[i]}"
    return (".start", ".stop", ".step")[i] if tree.kind == "slice" else f"[{i}]"


def leaves_of(manifest: Manifest, value: Any) -> list[Any]:
    """The leaves of what an exported program gave."""

    def walk(tree: Tree, found: Any) -> Iterator[Any]:
        if tree.kind == "leaf":
            yield found
            return
        for i, child in enumerate(tree.children):
            if tree.kind in RECORDS:
                inner = getattr(found, tree.rest[i])
            elif tree.kind in DICTS:
                inner = list(found.values())[i]
            else:
                inner = getattr(found, _step(tree, i)[1:]) if tree.kind == "slice" else found[i]
            yield from walk(child, inner)

    return list(walk(manifest.result, value))


class _Raw:
    """A default value by its text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


__all__ = ["Signature", "leaves_of"]
