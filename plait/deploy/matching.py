"""The arguments of a call against those of the saved function: types, fixed values, named sizes."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from plait.deploy.manifest import Leaf, Manifest
from plait.deploy.trees import DICTS, PLAIN, RECORDS, Tree, keys_of
from plait.ir import Dim, Dimension, TensorType, as_dtype, functions
from plait.ir.errors import DTypeError, ShapeError, SignatureError
from plait.runtime import Variable
from plait.tracer import NUMBER_TYPES, Tensor, container_of, shown, unwrap

_NUMBERS = {bool: "b", int: "iu", float: "f", complex: "c"}


@dataclasses.dataclass(slots=True)
class Matched:
    """The arguments of one call.

    Attributes
    ----------
    leaves : list
        Of the arguments, in the order of the manifest.
    operands : list
        Payloads for the graph's first inputs.
    sizes : dict of Dim to Dimension
        What the named dimensions are.
    """

    leaves: list[Any]
    operands: list[Any]
    sizes: dict[Dim, Dimension]


def match(manifest: Manifest, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Matched:
    """The leaves of the arguments, which must be as they were when the function was saved.

    Raises
    ------
    SignatureError
        One is of another structure, class or value; says which.
    DTypeError, ShapeError
        A tensor is of another type.
    """
    matcher = _Matcher(manifest)
    return matcher.run(args, kwargs)


class _Matcher:
    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.leaves: list[Any] = []
        self.operands: list[Any] = []
        self.sizes: dict[Dim, Dimension] = {}
        self.origin: dict[Dim, str] = {}

    def run(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Matched:
        manifest = self.manifest
        count = len(manifest.positional)
        if len(args) != count:
            self.fail(f"takes {count} positional arguments, as it was saved; got {len(args)}")
        if kwargs.keys() != manifest.keyword.keys():
            wanted = ", ".join(manifest.keyword) or "none"
            self.fail(
                f"takes the named arguments {wanted}, as it was saved; got {', '.join(kwargs)}"
            )
        names = [p.name for p in manifest.parameters if p.kind.startswith("positional_")]
        for i, (tree, value) in enumerate(zip(manifest.positional, args, strict=True)):
            self.tree(tree, value, names[i] if i < len(names) else f"arg{i}")
        for name, tree in manifest.keyword.items():
            self.tree(tree, kwargs[name], name)
        return Matched(self.leaves, self.operands, self.sizes)

    def fail(self, message: str) -> NoReturn:
        """Raise: the arguments are others."""
        raise SignatureError(f"{self.manifest.name} {message}")

    def tree(self, tree: Tree, value: Any, path: str) -> None:
        """Take the leaves of one argument."""
        if tree.kind == "leaf":
            self.leaf(self.manifest.leaves[len(self.leaves)], value, path)
            return
        children = self.children(tree, value, path)
        for i, (child, item) in enumerate(zip(tree.children, children, strict=True)):
            self.tree(child, item, f"{path}{_step(tree, i)}")

    def children(self, tree: Tree, value: Any, path: str) -> list[Any]:
        """What a container holds, in the saved order."""
        found = _children(tree, value)
        if found is None:
            kind = tree.name or tree.kind.replace("_", " ")
            holds = f" of {', '.join(map(repr, keys_of(tree)))}" if tree.kind in DICTS else ""
            if tree.kind in ("list", "tuple"):
                holds = f" of {len(tree.children)}"
            self.fail(f"was saved for a {kind}{holds} as {path}; got {shown(value)}")
        return found

    # Leaves.

    def leaf(self, leaf: Leaf, value: Any, path: str) -> None:
        """Take one leaf."""
        self.leaves.append(value)
        if leaf.type is None:
            if type(value) is not type(leaf.value) or not same_value(value, leaf.value):
                self.fail(f"was saved with {path} = {shown(leaf.value)}; got {shown(value)}")
            return
        if container_of(value) is not None or value is None or type(value) is str:
            self.fail(f"was saved for a tensor {leaf.type} as {path}; got {shown(value)}")
        if type(value) in NUMBER_TYPES:
            self.operands.append(self.number(leaf.type, value, path))
            return
        payload = unwrap(value) if isinstance(value, (Tensor, Variable)) else value
        if not hasattr(payload, "dtype"):
            self.fail(f"was saved for a tensor {leaf.type} as {path}; got {shown(value)}")
        dtype = as_dtype(payload.dtype)
        is_number = type(value) is Tensor and value._kind == "number"
        if dtype != leaf.type.dtype and is_number and not payload.shape:
            payload = self.cast(leaf.type, payload, path)
        elif dtype != leaf.type.dtype:
            got = TensorType(dtype, tuple(payload.shape))
            raise DTypeError(
                f"{self.manifest.name} was saved for {path}: {leaf.type}; got {got}: cast it with "
                f"astype({leaf.type.dtype.name!r})"
            )
        self.bind(leaf.type, tuple(payload.shape), path)
        self.operands.append(payload)

    def number(self, wanted: TensorType, value: Any, path: str) -> Any:
        """A Python number in the place of a 0-d tensor."""
        self.bind(wanted, (), path)
        if not np.can_cast(NUMBER_TYPES[type(value)].dtype, wanted.dtype, "same_kind") and not (
            type(value) is int and wanted.dtype.kind in "iuf"
        ):
            self.fail(f"was saved for {path}: {wanted}; got {value!r}")
        try:
            return np.asarray(value, wanted.dtype)
        except OverflowError:
            return self.fail(f"was saved for {path}: {wanted}, which {value!r} does not fit")

    def cast(self, wanted: TensorType, payload: Any, path: str) -> Any:
        """A runtime number of another dtype."""
        if not np.can_cast(payload.dtype, wanted.dtype, "same_kind"):
            self.fail(f"was saved for {path}: {wanted}; got a number of {payload.dtype.name}")
        return functions.astype(payload, wanted.dtype)

    def bind(self, wanted: TensorType, shape: tuple[Dimension, ...], path: str) -> None:
        """Check a shape, and take the sizes that have names."""
        if len(shape) != wanted.ndim:
            self.misfit(wanted, shape, path)
        for axis, (dim, size) in enumerate(zip(wanted.shape, shape, strict=True)):
            if type(dim) is not Dim:
                if size != dim:
                    self.misfit(wanted, shape, path)
                continue
            here = f"{path}.shape[{axis}]"
            known = self.sizes.setdefault(dim, size)
            if known != size:
                raise ShapeError(
                    f"{self.manifest.name}: {dim} is {known} in {self.origin[dim]} and {size} in "
                    f"{here}; they are to be the same"
                )
            self.origin.setdefault(dim, here)

    def misfit(self, wanted: TensorType, shape: tuple[Dimension, ...], path: str) -> NoReturn:
        """Raise: a tensor has another shape."""
        got = wanted.with_shape(shape)
        raise ShapeError(f"{self.manifest.name} was saved for {path}: {wanted}; got {got}")


def same_value(a: Any, b: Any) -> bool:
    """Whether two plain values of one class are the same, number by number and bit by bit."""
    if type(a) is not type(b):
        return False
    if type(a) is tuple:
        return len(a) == len(b) and all(same_value(x, y) for x, y in zip(a, b, strict=True))
    if type(a) in (float, complex):
        return bool(np.asarray(a).tobytes() == np.asarray(b).tobytes())
    return bool(a == b)


def _children(tree: Tree, value: Any) -> list[Any] | None:
    """What a container holds, in the saved order; None when it is another one."""
    kind, count = tree.kind, len(tree.children)
    if kind in PLAIN:
        if type(value) is not PLAIN[kind]:
            return None
        return _plain_children(tree, value)
    if type(value).__name__ != tree.name:
        return None
    if kind in RECORDS and isinstance(value, tuple):  # of a dataclass a stand-in
        return list(value) if getattr(value, "_fields", None) == tree.rest else None
    if kind == "dataclass":
        has_all = dataclasses.is_dataclass(value) and all(hasattr(value, n) for n in tree.rest)
        return [getattr(value, n) for n in tree.rest] if has_all else None
    container = container_of(value)
    if container is None:
        return None
    children, rest = container[0](value)
    found = list(children)
    return found if len(found) == count and same_value(rest, tree.rest) else None


def _plain_children(tree: Tree, value: Any) -> list[Any] | None:
    kind = tree.kind
    if kind in ("list", "tuple"):
        return list(value) if len(value) == len(tree.children) else None
    if kind == "slice":
        return [value.start, value.stop, value.step]
    if kind == "set":
        return [] if value == tree.rest else None
    assert isinstance(value, (dict, OrderedDict, defaultdict))
    keys = keys_of(tree)
    return [value[key] for key in keys] if value.keys() == set(keys) else None


def _step(tree: Tree, i: int) -> str:
    if tree.kind in DICTS:
        return f"[{keys_of(tree)[i]!r}]"
    if tree.kind == "slice":
        return (".start", ".stop", ".step")[i]
    return f".{tree.rest[i]}" if tree.kind in ("named_tuple", "dataclass") else f"[{i}]"


__all__ = ["Matched", "match"]
