"""Pytrees: every container round-trips, keys name leaves, bad nests are errors."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict, namedtuple
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.ir import errors
from plait.tracer import flatten, leaf_paths, map_leaves, register_pytree, unflatten

Pair = namedtuple("Pair", "left right")


@dataclasses.dataclass(frozen=True)
class Options:
    """A frozen dataclass whose constructor checks its fields."""

    rate: Any
    steps: Any = 1

    def __post_init__(self) -> None:
        assert isinstance(self.rate, (int, float))


nests = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=3)),
    lambda children: st.one_of(
        st.lists(children, max_size=3),
        st.tuples(children, children),
        st.dictionaries(st.text(max_size=2), children, max_size=3),
        st.builds(Pair, children, children),
        st.builds(lambda a: OrderedDict(z=a, a=a), children),
    ),
    max_leaves=12,
)


@given(nests)
def test_round_trip(nest: Any) -> None:
    leaves, tree = flatten(nest)
    assert unflatten(tree, leaves) == nest
    assert tree.count == len(leaves) == len(leaf_paths(tree))
    assert flatten(unflatten(tree, range(len(leaves))))[1] == tree
    assert hash(tree) == hash(flatten(nest)[1])


def test_dicts_keep_their_order_and_the_class_of_keys() -> None:
    for kind in (dict, OrderedDict, lambda *a, **k: defaultdict(list, *a, **k)):
        first, second = kind(b=1, a=2), kind(a=2, b=1)
        assert flatten(first)[1] != flatten(second)[1]
        assert [*unflatten(*flatten(first)[::-1])] == ["b", "a"]
    assert flatten({1: 0})[1] != flatten({True: 0})[1]
    assert flatten({1: 0})[1] != flatten({1.0: 0})[1]
    assert hash(flatten({1: 0, "a": 1})[1]) == hash(flatten({1: 0, "a": 1})[1])


def test_sets_are_structure() -> None:
    leaves, tree = flatten([{1, "a"}, 2])
    assert leaves == [2]
    assert unflatten(tree, leaves) == [{1, "a"}, 2]
    assert tree == flatten([{"a", 1}, 3])[1]
    assert tree != flatten([{"a", True}, 2])[1]


def test_slices_are_containers() -> None:
    leaves, tree = flatten([slice(1, None, 2)])
    assert leaves == [1, None, 2]
    assert unflatten(tree, leaves) == [slice(1, None, 2)]
    assert leaf_paths(tree, "s") == ["s[0].start", "s[0].stop", "s[0].step"]


def test_mixed_keys_keep_their_order() -> None:
    nest = {"a": 1, 2: 3}
    leaves, tree = flatten(nest)
    assert unflatten(tree, leaves) == nest


def test_dataclasses_skip_their_constructor() -> None:
    tree = Options(0.5, 2)
    mapped = map_leaves(lambda leaf: f"<{leaf}>", tree)
    assert (mapped.rate, mapped.steps) == ("<0.5>", "<2>")
    assert leaf_paths(flatten(tree)[1], "o") == ["o.rate", "o.steps"]


def test_dataclasses_keep_what_is_no_field() -> None:
    @dataclasses.dataclass
    class Box:
        size: int
        shown: int = dataclasses.field(default=0, init=False)

    box: Any = Box(1)
    box.noted = 5
    leaves, tree = flatten(box)
    assert leaves == [1, 0, 5]
    assert leaf_paths(tree, "box") == ["box.size", "box.shown", "box.noted"]
    assert unflatten(tree, leaves).noted == 5


def test_paths_read_as_code() -> None:
    tree = {"w": [1, Pair(2, 3)], 4: 5}
    assert leaf_paths(flatten({"w": [1, Pair(2, 3)]})[1], "p") == [
        "p['w'][0]",
        "p['w'][1].left",
        "p['w'][1].right",
    ]
    assert "p[4]" in leaf_paths(flatten(tree)[1], "p")
    counts = defaultdict(int, a=1)
    leaves, structure = flatten(counts)
    again = unflatten(structure, leaves)
    assert again == counts
    assert again.default_factory is int
    assert leaf_paths(structure, "c") == ["c['a']"]


def test_registered_classes() -> None:
    class Box:
        def __init__(self, item: Any) -> None:
            self.item = item

    assert flatten(Box(1))[1].kind is None
    register_pytree(Box, lambda b: ([b.item], "label"), lambda _, c: Box(c[0]))
    assert map_leaves(lambda x: x + 1, Box([1, 2])).item == [2, 3]


def test_a_container_that_holds_itself_is_an_error() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(errors.SignatureError, match="holds itself"):
        flatten(loop)
