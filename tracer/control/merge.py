"""Two ends of a branch become one state: what is equal stays, the rest are outputs of a cond."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from plait.ir import Graph, Trait, Value, functions, ops
from plait.tracer.control.aliases import Aliases, is_around
from plait.tracer.control.items import (
    MISSING,
    Branching,
    Leaf,
    LeafType,
    Maybe,
    MaybeItem,
    Mismatch,
    Static,
    handle_of,
    item_of,
    lower_leaf,
    zeros_of,
)
from plait.tracer.control.scope import holds_own
from plait.tracer.places import CONTAINERS
from plait.tracer.region import Region, join_captures
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import wrap
from plait.tracer.tensor_views import choose, is_scalar

Maker = Callable[[Sequence[Value]], Any]


class Merge:
    """Collects what the two regions of a cond have to give.

    Parameters
    ----------
    pred : Value
    regions : pair of Region
        The one where ``pred`` holds, the other.
    is_outer : callable
        Whether an object was there before the regions.
    where : pair of str
        What a message calls the two branches.
    """

    def __init__(
        self,
        pred: Value,
        regions: tuple[Region, Region],
        is_outer: Callable[[Any], bool],
        where: tuple[str, str],
    ) -> None:
        self.pred = pred
        self.parent = regions[0].parent
        self.regions = regions
        self.is_outer = is_outer
        self.where = where
        self._outputs: list[tuple[Leaf | None, Leaf | None, LeafType]] = []
        self._made: dict[tuple[int, int], Maker] = {}
        self._partners: dict[tuple[int, int], int] = {}
        self._aliases = Aliases()

    def add(self, a: Any, b: Any) -> Maker:
        """How to build the value of a name or place whose items are ``a`` and ``b``.

        Raises
        ------
        Mismatch
            No single value can stand for both.
        """
        if type(a) is type(b) is Leaf and a.type.kind == b.type.kind == "token":
            return self._leaf(a, b)  # a branch that raises has its effects, too
        if self.regions[0].diverged:
            return self._either(None, b)
        if self.regions[1].diverged:
            return self._either(a, None)
        if a is MISSING and b is MISSING:
            return lambda _: MISSING.source
        if MISSING in (a, b) or MaybeItem in (type(a), type(b)):
            return self._maybe(a, b)
        return self._either(a, b)

    def _maybe(self, a: Any, b: Any) -> Maker:
        parts = [_parts(x) for x in (a, b)]
        known = a if type(a) is MaybeItem else b
        name, where = (
            (known.name, known.where) if type(known) is MaybeItem else ("", self._branch_of(a, b))
        )
        defined = self._either(parts[0][1], parts[1][1])
        value = self._either(parts[0][0], parts[1][0])
        return lambda results: Maybe(value(results), defined(results), name, where)

    def _branch_of(self, a: Any, b: Any) -> str:
        return self.where[0] if b is MISSING else self.where[1]

    def _either(self, a: Any, b: Any) -> Maker:
        """As ``add``; None stands for what can be anything."""
        if a is None or b is None:
            return self._only(b if a is None else a, a is None)
        if type(a) is not type(b):
            raise Mismatch(f"{_text(a)} and {_text(b)}")
        if type(a) is Leaf:
            return self._leaf(a, b)
        if type(a) is Static:
            if not a.equals(b):
                raise Mismatch(f"{_text(a)} and {_text(b)}")
            return lambda _: a.source
        return self._container(a, b)

    def _only(self, item: Any, is_second: bool) -> Maker:
        """The item of one side, where the other side does not matter."""
        if item is None:
            return lambda _: None
        if type(item) is Leaf:
            region = self.regions[is_second]
            if type(item.payload) is not Value or not region.owns(item.payload):
                return lambda _: item.payload if item.source is None else item.source
            return self._leaf(None, item) if is_second else self._leaf(item, None)
        if type(item) is Branching:
            if self.is_outer(item.source):
                return lambda _: item.source
            pair = (None, item) if is_second else (item, None)
            return self._joined(pair, item, lambda child: self._only(child, is_second))
        if type(item) is MaybeItem:
            value, defined = self._only(item.value, is_second), self._only(item.defined, is_second)
            return lambda results: Maybe(value(results), defined(results), item.name, item.where)
        if holds_own(item.source, self.regions[is_second]):
            raise Mismatch(f"an object with tensors, {_text(item)}, that only one makes,")
        return lambda _: item.source

    def _container(self, a: Branching, b: Branching) -> Maker:
        if a.source is not None and a.source is b.source:
            return lambda _: a.source
        if a.kind is not b.kind or a.rest != b.rest or len(a.children) != len(b.children):
            raise Mismatch(f"{_text(a)} and {_text(b)}")
        for item in (a, b):
            if isinstance(item.source, CONTAINERS) and self.is_outer(item.source):
                raise Mismatch(f"two different {a.kind.__name__} objects, one of them shared")
        self._note_partners(a, b)
        others = iter(b.children)
        return self._joined((a, b), a, lambda child: self.add(child, next(others)))

    def _note_partners(self, a: Branching, b: Branching) -> None:
        """Names of one container in one branch must be names of one in the other, too."""
        for side, (x, y) in enumerate(((a, b), (b, a))):
            if not isinstance(x.source, CONTAINERS):
                continue
            if self._partners.setdefault((side, id(x.source)), id(y.source)) != id(y.source):
                raise Mismatch(f"a {x.kind.__name__} of its own and an alias of another one")

    def _joined(
        self, pair: tuple[Any, Any], template: Branching, add: Callable[[Any], Maker]
    ) -> Maker:
        """A container of what is made of its children; names of one get one."""
        key = _key(*pair)
        if key not in self._made:
            makers = [add(child) for child in template.children]
            self._made[key] = _once(
                lambda results: template.join(template.rest, [m(results) for m in makers])
            )
        return self._made[key]

    def _leaf(self, a: Leaf | None, b: Leaf | None) -> Maker:
        if a is not None and b is not None and _are_same(a, b):
            return lambda _: a.source if a.source is not None else a.payload
        some: Leaf = a or b  # type: ignore[assignment]
        if some.source is None:
            return self._value(a, b)
        key = _key(a, b)
        if key not in self._made:
            made = self._value(a, b)
            self._made[key] = _once(lambda results: self._linked(made(results), a, b))
        return self._made[key]

    def _value(self, a: Leaf | None, b: Leaf | None) -> Maker:
        if a is None or b is None:
            return self._output(a, b, (a or b).type)  # type: ignore[union-attr]
        type_ = a.type.join(b.type)
        outer = [_outer(x, r) for x, r in zip((a, b), self.regions, strict=True)]
        if outer[0] is not None and outer[1] is not None:
            return self._select(outer[0], outer[1], type_)
        return self._output(a, b, type_)

    def _linked(self, made: Any, a: Leaf | None, b: Leaf | None) -> Any:
        """Tie a result to the tensors that it may be, or share elements with."""
        for side, (leaf, region) in enumerate(zip((a, b), self.regions, strict=True)):
            if leaf is None or type(leaf.source) is not Tensor or type(made) is not Tensor:
                continue
            if a is not None and b is not None and _may_be(made, leaf.source, region):
                choose(made, leaf.source, self.pred, not side)
            else:
                self._aliases.add(made, leaf.source, region, side)
        return made

    def _output(self, a: Leaf | None, b: Leaf | None, type_: LeafType) -> Maker:
        index = len(self._outputs)
        self._outputs.append((a, b, type_))
        is_raw = (a or b).source is None  # type: ignore[union-attr]
        return lambda results: results[index] if is_raw else handle_of(results[index], type_)

    def _select(self, a: Any, b: Any, type_: LeafType) -> Maker:
        def make(_: Sequence[Value]) -> Any:
            return wrap(self._selected(a, b, type_), type_.kind)

        return make

    def _selected(self, a: Any, b: Any, type_: LeafType) -> Value:
        pred, parent = self.pred, self.parent
        if type_.type.shape == () and type_.type.dtype == bool:
            for x, y, p in ((a, b, pred), (b, a, None)):
                if type(x) is not bool:
                    continue
                other = p if p is not None else ops.logical_not(pred)
                if type(y) is bool:
                    found: Value = other if x else ops.logical_not(other)
                elif x:
                    found = ops.logical_or(other, lower_leaf(parent, y, type_))
                else:
                    found = ops.logical_and(ops.logical_not(other), lower_leaf(parent, y, type_))
                return found
        sides = [lower_leaf(parent, x, type_) for x in (a, b)]
        result: Value = functions.where(pred, *sides)
        return result

    def forget(self) -> None:
        """Keep nothing from before the branch."""
        self._made, self._outputs, self._aliases = {}, [], Aliases()

    def emit(self) -> Sequence[Value]:
        """Write the cond down, if anything needs it; gives its results. The parent is current."""
        graphs = []
        values: list[list[Value]] = []
        for i, region in enumerate(self.regions):
            with region.again():
                values.append([_lowered(region, (a, b)[i], t) for a, b, t in self._outputs])
            region.finish()
        outers = join_captures(self.regions)
        for region, outputs in zip(self.regions, values, strict=True):
            graphs.append(region.graph(region.captured, outputs))
        if not self._outputs and not any(has_effects(g) for g in graphs):
            return ()
        results: Sequence[Value] = ops.cond(self.pred, *outers, regions=tuple(graphs))
        return results


def has_effects(graph: Graph) -> bool:
    """Whether running a graph can be seen, whatever is done with its outputs."""
    return any(node.op.has(Trait.EFFECT) for node in graph.walk())


def _lowered(region: Region, leaf: Leaf | None, type_: LeafType) -> Value:
    return zeros_of(region, type_) if leaf is None else lower_leaf(region, leaf.payload, type_)


def _parts(item: Any) -> tuple[Any, Any]:
    """Value and definedness of an item."""
    if item is MISSING:
        return None, item_of(False)
    if type(item) is MaybeItem:
        return item.value, item.defined
    return item, item_of(True)


def _are_same(a: Leaf, b: Leaf) -> bool:
    """Whether both sides hold one and the same."""
    if a.source is not None and a.source is b.source:
        return True  # what was written into it is a place of its own
    if a.payload is b.payload and a.type == b.type and a.source is None:
        return True
    numbers = type(a.payload) is type(b.payload) in (bool, int, float, complex)
    return numbers and repr(a.payload) == repr(b.payload)


def _outer(leaf: Leaf, region: Region) -> Any:
    """What a leaf is outside of the region that ends with it; None when it is computed there."""
    payload = leaf.payload
    if type(payload) is not Value or not region.owns(payload):
        return payload
    return region.outer_of(payload)


def _may_be(made: Tensor, source: Tensor, region: Region) -> bool:
    """Whether a result can be the very tensor that a region ends with."""
    mine, other = [(x._kind, x._data.dtype, tuple(x._data.shape)) for x in (made, source)]
    is_written_to = made._kind in ("tensor", "ndarray") and not is_scalar(source)
    return is_written_to and mine == other and is_around(source, region)


def _key(a: Any, b: Any) -> tuple[int, int]:
    return id(a.source) if a is not None else 0, id(b.source) if b is not None else 0


def _once(make: Maker) -> Maker:
    """Make one object, however many names it gets."""
    found: list[Any] = []

    def made(results: Sequence[Value]) -> Any:
        if not found:
            found.append(make(results))
        return found[0]

    return made


def _text(item: Any) -> str:
    if type(item) is Leaf:
        shown = item.payload
        return repr(shown) if type(shown) in (bool, int, float, complex) else str(item.type)
    if type(item) is Branching:
        return f"a {item.kind.__name__} of {len(item.children)}"
    if item is MISSING:
        return "nothing"
    text = repr(item.source)
    return text if len(text) < 60 else f"{text[:57]}..."
