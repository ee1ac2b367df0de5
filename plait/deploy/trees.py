"""The structure of arguments and results in a file: containers by what they are, not by class."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict, namedtuple
from collections.abc import Callable, Iterator, Mapping
from keyword import iskeyword
from typing import Any

from plait.deploy.documents import Document
from plait.deploy.values import CLASSES, Unwritable, read_value, write_value
from plait.ir.errors import SavedFileError
from plait.tracer import TreeDef, unflatten

#: Containers of Python's own.
PLAIN: dict[str, type] = {
    "list": list,
    "tuple": tuple,
    "dict": dict,
    "ordered_dict": OrderedDict,
    "default_dict": defaultdict,
    "slice": slice,
    "set": set,
}
_NAMES = {kind: name for name, kind in PLAIN.items()}
DICTS = frozenset(("dict", "ordered_dict", "default_dict"))
#: Classes of the user's, found by name.
RECORDS = frozenset(("named_tuple", "dataclass"))
_FACTORIES: tuple[Any, ...] = (None, list, dict, set, tuple)
_SIZES = {"slice": 3, "set": 0}


@dataclasses.dataclass(frozen=True, slots=True)
class Tree:
    """The structure of a nest of containers.

    Attributes
    ----------
    kind : str
        ``"leaf"``, a key of ``PLAIN``, ``"named_tuple"``, ``"dataclass"``, or ``"class"``, which
        is one that the user registered.
    children : tuple of Tree
    name : str
        Of the user's class.
    rest : Any
        Keys, names of fields, or whatever the container needs beside its children.
    """

    kind: str
    children: tuple[Tree, ...] = ()
    name: str = ""
    rest: Any = None

    @property
    def count(self) -> int:
        """How many leaves there are."""
        return 1 if self.kind == "leaf" else sum([child.count for child in self.children])


LEAF = Tree("leaf")


def tree_of(treedef: TreeDef) -> Tree:
    """The structure of arguments or results as a file holds it.

    Raises
    ------
    Unwritable
        A container whose keys, or whatever it needs beside its children, are no plain values.
    """
    kind = treedef.kind
    if kind is None:
        return LEAF
    children = tuple([tree_of(child) for child in treedef.children])
    rest = treedef.rest
    if kind in _NAMES:
        if kind is defaultdict:
            factory, keys = rest
            if factory not in _FACTORIES:
                raise Unwritable("a defaultdict of values that are no plain containers")
            rest = (None if factory is None else factory.__name__, tuple(keys))
        elif kind is set:
            rest = frozenset([item for _, item in rest])
        return Tree(
            _NAMES[kind], children, "", tuple(rest) if kind in (dict, OrderedDict) else rest
        )
    if hasattr(kind, "_fields"):
        which = getattr(kind, "__plait_stands_for__", "named_tuple")
        made = Tree(which, children, kind.__name__, tuple(kind._fields))
    elif dataclasses.is_dataclass(kind):
        made = Tree("dataclass", children, kind.__name__, tuple(rest))
    else:
        made = Tree("class", children, kind.__name__, rest)
    if not _is_sound(made):
        raise Unwritable(f"a {kind.__name__} with fields that begin with an underscore")
    return made


def write_tree(tree: Tree) -> Any:
    """The JSON form of a structure."""
    if tree.kind == "leaf":
        return None
    made: dict[str, Any] = {"kind": tree.kind}
    if tree.name:
        made["name"] = tree.name
    if tree.rest is not None:
        made["rest"] = write_value(tree.rest)
    made["children"] = [write_tree(child) for child in tree.children]
    return made


def read_tree(found: Document) -> Tree:
    """The structure of a JSON form.

    Raises
    ------
    SavedFileError
        It is none.
    """
    if found.value is None:
        return LEAF
    entries = found.names
    if not {"kind", "children"} <= entries.keys() <= {"kind", "name", "rest", "children"}:
        found.fail("a tree")
    kind = entries["kind"].text
    name = entries["name"].text if "name" in entries else ""
    rest = read_value(entries["rest"]) if "rest" in entries else None
    children = tuple([read_tree(child) for child in entries["children"].items])
    tree = Tree(kind, children, name, rest)
    if not _is_sound(tree):
        found.fail("a tree")
    return tree


def _is_sound(tree: Tree) -> bool:
    kind, rest, count = tree.kind, tree.rest, len(tree.children)
    if kind in RECORDS:
        return is_name(tree.name) and _are_names(rest, count)
    if kind == "class":
        return is_name(tree.name)
    if kind not in PLAIN or tree.name or count != _SIZES.get(kind, count):
        return False
    if kind == "default_dict":
        names = {None if f is None else f.__name__ for f in _FACTORIES}
        if type(rest) is not tuple or len(rest) != 2 or rest[0] not in names:
            return False
        rest = rest[1]
    if kind in DICTS:
        return type(rest) is tuple and count == len(rest) == len(set(rest))
    return type(rest) is frozenset if kind == "set" else rest is None


def _are_names(names: Any, count: int) -> bool:
    if type(names) is not tuple or not all(type(n) is str and is_name(n) for n in names):
        return False
    return len(names) == len(set(names)) == count and not any(n[0] == "_" for n in names)


def is_name(text: str) -> bool:
    """Whether a text can be a name in Python."""
    return text.isidentifier() and not iskeyword(text)


def keys_of(tree: Tree) -> tuple[Any, ...]:
    """The keys of a dict's structure."""
    return tuple(tree.rest[1] if tree.kind == "default_dict" else tree.rest)


# Making containers again.

Join = Callable[[list[Any]], Any]


class Classes:
    """The user's classes by name, and stand-ins for those that are not given."""

    def __init__(self, given: Mapping[str, type]) -> None:
        self._given = given
        self._made: dict[tuple[str, str, tuple[str, ...]], Any] = {}

    def demand(self, tree: Tree) -> None:
        """Demand the classes without which results cannot be made.

        Raises
        ------
        SavedFileError
            One is not given, or is of another kind.
        """
        for child in tree.children:
            self.demand(child)
        given = self._given.get(tree.name)
        if tree.kind == "class" and given is None:
            raise SavedFileError(
                f"a result is a {tree.name}, a class of the user's: pl.load(..., "
                f"classes=[{tree.name}])"
            )
        is_fit = given is None or tree.kind not in RECORDS or _fits(tree, given)
        if not is_fit:
            shown = f"{tree.name}({', '.join(tree.rest)})"
            raise SavedFileError(f"a result is a {shown}, which {given!r} of classes= is not")

    def join(self, tree: Tree) -> Join:
        """What makes a container of its children."""
        kind, rest = tree.kind, tree.rest
        if kind == "list":
            return lambda children: children
        if kind == "tuple":
            return tuple
        if kind == "slice":
            return lambda children: slice(*children)
        if kind == "set":
            return lambda _: set(rest)
        if kind == "default_dict":
            factory = None if rest[0] is None else CLASSES.get(rest[0], PLAIN.get(rest[0]))
            return lambda children: defaultdict(factory, zip(rest[1], children, strict=True))
        if kind in DICTS:
            return lambda children: PLAIN[kind](zip(rest, children, strict=True))
        return self._record(tree)

    def _record(self, tree: Tree) -> Join:
        given: Any = self._given.get(tree.name)
        if tree.kind == "class":
            leaf = TreeDef(None, None, (), 1)
            made = TreeDef(given, tree.rest, (leaf,) * len(tree.children), len(tree.children))
            return lambda children: unflatten(made, children)
        if given is not None and tree.kind == "dataclass":
            return lambda children: _instance(given, tree.rest, children)
        if given is not None:
            return lambda children: given(*children)
        key = (tree.kind, tree.name, tree.rest)
        if key not in self._made:
            self._made[key] = namedtuple(tree.name, tree.rest)
            self._made[key].__plait_stands_for__ = tree.kind
        return self._made[key]._make  # type: ignore[no-any-return]

    def build(self, tree: Tree, leaves: Iterator[Any]) -> Any:
        """A nest around leaves."""
        if tree.kind == "leaf":
            return next(leaves)
        return self.join(tree)([self.build(child, leaves) for child in tree.children])


def _instance(kind: type, names: tuple[str, ...], children: list[Any]) -> Any:
    """An instance of a dataclass, whose constructor does not run: it may check or convert."""
    made: Any = object.__new__(kind)
    for name, child in zip(names, children, strict=True):
        object.__setattr__(made, name, child)
    return made


def _fits(tree: Tree, kind: Any) -> bool:
    """Whether a class has the fields of a structure."""
    if tree.kind == "named_tuple":
        return bool(getattr(kind, "_fields", None) == tree.rest)
    if not dataclasses.is_dataclass(kind):
        return False
    return {f.name for f in dataclasses.fields(kind)} <= {*tree.rest}


__all__ = ["DICTS", "LEAF", "RECORDS", "Classes", "Tree", "keys_of", "read_tree", "tree_of"]
