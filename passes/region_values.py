"""Which results and inputs around regions equal other values, so that they can go."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from plait.ir import Node, TensorType, TokenType, Value, ops
from plait.passes.region_groups import Group, Scope, Site

#: Names of firings.
UNCHANGED = "pass-through"
EQUAL = "merge-results"
SLICES = "stack-of-slices"
CONSTANT = "stack-of-constant"


def find_equal_values(scopes: Iterable[Scope]) -> None:
    """Fill in what results and inputs equal; ``scopes`` has regions first.

    Tokens are left as they are: each is used once.
    """
    ordered = list(scopes)
    for scope in ordered:
        for site in scope.sites.values():
            if site.layout is not None:
                _forward_results(site)
    done: set[Group] = set()
    for scope in reversed(ordered):
        group = scope.group
        if group is not None and group not in done:
            done.add(group)
            if group.layout is not None:
                _merge_inputs(group)


def _forward_results(site: Site) -> None:
    """Results that the regions pass through, stack without a change, or give twice."""
    seen: dict[Hashable, Value] = {}
    scope = site.scope
    for i, result in enumerate(site.node.results):
        if type(result.type) is TokenType:
            continue
        outputs = tuple([body.output(i) for body in site.bodies])
        key = _result_key(site, i, outputs)
        reason, found = EQUAL, seen.get(key)
        if found is None:
            reason, found = _source(site, i, outputs)
            seen[key] = result if found is None else found
        if found is not None:
            scope.replaced[result] = found
            scope.reasons[result] = reason


def _result_key(site: Site, index: int, outputs: tuple[Value, ...]) -> Hashable:
    """Equal for equal results: carries that also start equal, or outputs of equal values."""
    assert site.layout is not None
    if index < site.layout.carry:
        return (site.scope.forwarded(site.operand(site.layout.consts + index)), outputs)
    return outputs


def _source(site: Site, index: int, outputs: tuple[Value, ...]) -> tuple[str, Value | None]:
    """The value outside of the regions that a result equals, and why."""
    layout, scope = site.layout, site.scope
    assert layout is not None
    if any(v.node is not None for v in outputs):
        return "", None
    sources = [scope.forwarded(site.operand(v.index)) for v in outputs]
    if index < layout.carry:
        own = layout.consts + index
        return UNCHANGED, scope.forwarded(site.operand(own)) if _is_constant(site, own) else None
    if not layout.stacked:
        return UNCHANGED, sources[0] if len(set(sources)) == 1 else None
    if outputs[0].index >= layout.consts + layout.carry:
        return SLICES, sources[0]
    if _is_constant(site, outputs[0].index):
        return CONSTANT, _stack(site, index, sources[0])
    return "", None


def _is_constant(site: Site, index: int) -> bool:
    """Whether an input is the same on every trip: given so, or never changed."""
    assert site.layout is not None
    consts = site.layout.consts
    if index < consts:
        return True
    carried = site.bodies[0].output(index - consts)
    if carried.node is not None or carried.index == index:
        return carried.node is None
    start, after = (site.scope.forwarded(site.operand(i)) for i in (index, carried.index))
    return carried.index < consts and start is after


def _stack(site: Site, index: int, source: Value) -> Value | None:
    """A value stretched to a result: as many times itself; None while the length is symbolic."""
    type_ = site.node.results[index].type
    if type(type_) is not TensorType or not type_.is_static:
        return None
    attributes = {"shape": type_.shape}
    location = site.node.location
    node = Node.make(ops.broadcast_to, (source,), attributes, (), location, (type_,))
    site.scope.added.setdefault(site.node, []).append(node)
    return node.results[0]


def _merge_inputs(group: Group) -> None:
    """Inputs that no trip changes, and those that equal an earlier one at each site."""
    assert group.layout is not None
    inputs = group.signature.inputs
    first: dict[Hashable, int] = {}
    for i, value in enumerate(inputs):
        if type(value.type) is TokenType:
            continue
        if group.is_carry(i) and all(_is_constant(site, i) for site in group.sites):
            group.fixed.add(i)
        same = first.setdefault(_input_key(group, i), i)
        if same != i:
            group.merged[i] = same
            for region in group.regions:
                region.merged[region.graph.inputs[i]] = region.graph.inputs[same]


def _input_key(group: Group, index: int) -> Hashable:
    """Equal for inputs that are equal at each site."""
    layout = group.layout
    assert layout is not None
    if group.is_carry(index):
        starts = [site.scope.forwarded(site.operand(index)) for site in group.sites]
        return ("carry", *starts, *[b.output(index - layout.consts) for b in group.bodies])
    kind = "slice" if index >= layout.consts + layout.carry else "constant"
    return (kind, *[site.scope.same(site.operand(index)) for site in group.sites])
