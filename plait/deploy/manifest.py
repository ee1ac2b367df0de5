"""What a file says of a function beside its graph: arguments, results, state."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plait.deploy.documents import Document
from plait.deploy.trees import Tree, is_name, read_tree, write_tree
from plait.deploy.values import read_value, write_value
from plait.ir import TensorType, parse_type
from plait.ir.errors import SavedFileError
from plait.tracer import NUMBER_TYPES

FORMAT = "plait.saved"
#: The format that is written; all from 1 on are read.
VERSION = 1

KINDS: dict[str, Any] = {kind.name.lower(): kind for kind in inspect._ParameterKind}
#: Arguments that are given at a call, and state.
GIVEN = ("tensor", "ndarray", "jax", "number")
STATE = ("variable", "random", "tensor", "array", "number")
#: Results that the graph computes.
COMPUTED = ("tensor", "ndarray", "jax", "number")
_NUMBERS = set(NUMBER_TYPES.values())


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the saved function.

    Attributes
    ----------
    name : str
    kind : str
        As ``inspect.Parameter`` names it, in lower case.
    default : tuple
        Empty, or the default value.
    """

    name: str
    kind: str
    default: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of the arguments.

    Attributes
    ----------
    path : str
        As the user would write it.
    kind : str
        One of ``GIVEN``, or ``"fixed"``.
    type : TensorType or None
        None for what is fixed.
    value : Any
        To which it is fixed.
    """

    path: str
    kind: str
    type: TensorType | None
    value: Any = None


@dataclass(frozen=True, slots=True)
class Result:
    """A leaf of the result.

    Attributes
    ----------
    kind : str
        One of ``COMPUTED``: the graph's output ``index``, ``value`` says whether a 0-d one is an
        array; ``"argument"``, ``"result"``: that leaf itself; ``"fixed"``: ``value``, which may be
        a ``Weight``;
        ``"text"``: ``value`` is a template for some outputs from ``index`` on, and their number;
    """

    kind: str
    index: int = 0
    value: Any = None


@dataclass(frozen=True, slots=True)
class State:
    """An input of the graph that the function holds.

    Attributes
    ----------
    kind : str
        ``"variable"``, ``"random"`` (the state of a generator), ``"tensor"``, ``"array"`` or
        ``"number"``.
    name : str
        Of the variable; else of the graph's input.
    weight : str
        The name of its value.
    trainable : bool
    """

    kind: str
    name: str
    weight: str
    trainable: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a file says of a function beside its graph.

    Attributes
    ----------
    name : str
    parameters : tuple of Parameter
    positional : tuple of Tree
        Structures of the positional arguments.
    keyword : mapping of str to Tree
    leaves : tuple of Leaf
    result : Tree
    results : tuple of Result
    state : tuple of State
        The last inputs of the graph, after those of the arguments.
    assigned : tuple of int
        The variables, by their place in ``state``, whose new values are outputs of the graph after
        the function's own.
    written : tuple of int
        The leaves of the arguments whose new elements are the last outputs.
    """

    name: str
    parameters: tuple[Parameter, ...]
    positional: tuple[Tree, ...]
    keyword: Mapping[str, Tree]
    leaves: tuple[Leaf, ...]
    result: Tree
    results: tuple[Result, ...]
    state: tuple[State, ...]
    assigned: tuple[int, ...]
    written: tuple[int, ...]

    @property
    def given(self) -> list[int]:
        """The leaves of the arguments that are inputs of the graph."""
        return [i for i, leaf in enumerate(self.leaves) if leaf.type is not None]


# Writing.


def write_manifest(manifest: Manifest) -> dict[str, Any]:
    """The JSON form, but for the members of the file."""
    return {
        "name": manifest.name,
        "parameters": [
            [p.name, p.kind, *[write_value(value) for value in p.default]]
            for p in manifest.parameters
        ],
        "positional": [write_tree(tree) for tree in manifest.positional],
        "keyword": {name: write_tree(tree) for name, tree in manifest.keyword.items()},
        "arguments": [
            [leaf.path, leaf.kind, write_value(leaf.value) if leaf.type is None else str(leaf.type)]
            for leaf in manifest.leaves
        ],
        "result": write_tree(manifest.result),
        "results": [[r.kind, r.index, write_value(r.value)] for r in manifest.results],
        "state": [[s.kind, s.name, s.weight, s.trainable] for s in manifest.state],
        "assigned": [*manifest.assigned],
        "written": [*manifest.written],
    }


# Reading.


def read_manifest(found: Document) -> Manifest:
    """The manifest of its JSON form.

    Raises
    ------
    SavedFileError
        It is none; what it says of the graph is checked by ``loading``.
    """
    fields = found.names
    return Manifest(
        fields["name"].text,
        tuple([_read_parameter(item) for item in fields["parameters"].items]),
        tuple([read_tree(item) for item in fields["positional"].items]),
        {name: read_tree(item) for name, item in fields["keyword"].names.items()},
        tuple([_read_leaf(item) for item in fields["arguments"].items]),
        read_tree(fields["result"]),
        tuple([_read_result(item) for item in fields["results"].items]),
        tuple([_read_state(item) for item in fields["state"].items]),
        tuple([item.number for item in fields["assigned"].items]),
        tuple([item.number for item in fields["written"].items]),
    )


def _read_parameter(found: Document) -> Parameter:
    parts = found.items
    if len(parts) not in (2, 3) or not is_name(parts[0].text) or parts[1].text not in KINDS:
        found.fail("name, kind and perhaps default of a parameter")
    return Parameter(parts[0].text, parts[1].text, tuple([read_value(part) for part in parts[2:]]))


def _parts(found: Document, count: int) -> list[Document]:
    parts = found.items
    if len(parts) != count:
        found.fail(f"{count} parts")
    return parts


def _read_type(found: Document) -> TensorType:
    try:
        type_ = parse_type(found.text)
    except ValueError:
        found.fail("a tensor type")
    return type_ if isinstance(type_, TensorType) else found.fail("a tensor type")


def _read_leaf(found: Document) -> Leaf:
    path, kind, what = _parts(found, 3)
    if kind.text == "fixed":
        return Leaf(path.text, "fixed", None, read_value(what))
    if kind.text not in GIVEN:
        kind.fail("the kind of an argument")
    type_ = _read_type(what)
    if kind.text == "number" and type_ not in _NUMBERS:
        what.fail("the type of a number")
    return Leaf(path.text, kind.text, type_)


def _read_result(found: Document) -> Result:
    kind, index, value = _parts(found, 3)
    if kind.text not in (*COMPUTED, "argument", "result", "fixed", "text"):
        kind.fail("the kind of a result")
    return Result(kind.text, index.number, read_value(value))


def _read_state(found: Document) -> State:
    kind, name, weight, trainable = _parts(found, 4)
    if kind.text not in STATE:
        kind.fail("a kind of state")
    return State(kind.text, name.text, weight.text, trainable.flag)


# The head of the document, which stays the same in all versions.


def read_version(found: Document) -> int:
    """The version of the format, which must be one that is known.

    Raises
    ------
    SavedFileError
        It is newer, or the document is of something else.
    """
    entries = found.names
    if "format" not in entries or entries["format"].value != FORMAT:
        found.fail(f'an object with "format": "{FORMAT}"')
    version = entries["version"].number if "version" in entries else found.fail("a version")
    if version > VERSION:
        writer = entries["plait"].value if "plait" in entries else "?"
        raise SavedFileError(
            f"it has format version {version}, written by Plait {str(writer)[:40]}; this Plait "
            f"reads versions up to {VERSION}: install a newer one"
        )
    if version < 1:
        entries["version"].fail("a version from 1 on")
    return version


__all__ = [
    "COMPUTED",
    "FORMAT",
    "KINDS",
    "VERSION",
    "Leaf",
    "Manifest",
    "Parameter",
    "Result",
    "State",
    "read_manifest",
    "read_version",
    "write_manifest",
]
