"""einsum: subscripts parsed, then pairs contracted in the order that costs least."""

from __future__ import annotations

import math
import string
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from plait.ir import ops
from plait.ir.errors import ParseError, ShapeError
from plait.ir.functions.diagonals import diagonal
from plait.ir.functions.payload import broadcast_to, promote
from plait.ir.types import Dimension

__all__ = [
    "einsum",
]

Labels = tuple[str, ...]
_ALPHABET = string.ascii_uppercase + string.ascii_lowercase


@dataclass(frozen=True, slots=True, eq=False)
class _Term:
    """An operand with one label for each of its axes."""

    value: Any
    labels: Labels


def einsum(subscripts: Any, *operands: Any) -> Any:
    """Products and sums by Einstein's notation.

    Parameters
    ----------
    subscripts : str
        A letter for each axis of each operand, and of the result after ``->``: letters that the
        result lacks are summed over. ``...`` stands for axes that broadcast. Without ``->`` the
        result has the letters that occur once, in alphabetical order.
    *operands : array_like
        Dtypes are promoted.

    As for NumPy, a sequence of numbers (and ``...``) may follow each operand in place of the
    subscripts, and one for the result may come last: ``einsum(x, [0, 1], y, [1, 2], [0, 2])``.

    Returns
    -------
    Tensor
        Three and more operands are contracted pair by pair, the cheapest first.

    Raises
    ------
    ParseError
        Subscripts that cannot be read.
    ShapeError
        Operands that do not fit the subscripts, or each other.

    Examples
    --------
    >>> pl.einsum("ij,jk->ik", [[1, 2]], [[3], [4]])
    pl.Tensor([[11]], dtype=int32, shape=(1, 1))
    >>> pl.einsum("ii", [[1, 2], [3, 4]])
    pl.Tensor(5, dtype=int32)
    """
    if not isinstance(subscripts, str) and operands:
        subscripts, operands = _from_sublists(subscripts, *operands)
    if not isinstance(subscripts, str):
        kind = type(subscripts).__name__
        raise ParseError(f"einsum: the subscripts come first, such as 'ij,jk->ik'; got {kind}")
    if not operands:
        raise ShapeError("einsum: expected at least one operand")
    payloads = promote(*operands)
    inputs, output = parse_subscripts(subscripts, [x.ndim for x in payloads])
    terms = [_Term(x, labels) for x, labels in zip(payloads, inputs, strict=True)]
    sizes = _sizes(terms, subscripts)
    unknown = [label for label in output if label not in sizes]
    if unknown:
        raise ParseError(f"einsum: the result's letter {unknown[0]!r} is in no operand")
    terms = [_simplified(term, sizes) for term in terms]
    while len(terms) > 1:
        pair = _cheapest(terms, output, sizes)
        rest = [t for t in terms if t not in pair]
        terms = [*rest, _contract(*pair, _needed(rest, output))]
    return _ordered(_summed(terms[0], frozenset(output)), output, sizes)


def _from_sublists(*given: Any) -> tuple[Any, tuple[Any, ...]]:
    """Subscripts and operands for operands that each stand before a list of numbers."""
    operands, lists = given[0 : len(given) // 2 * 2 : 2], given[1::2]
    if any(isinstance(labels, str) for labels in lists):
        return given[0], given[1:]
    terms = [_letters(labels) for labels in lists]
    text = ",".join(terms)
    return (f"{text}->{_letters(given[-1])}" if len(given) % 2 else text), operands


def _letters(labels: Any) -> str:
    """A letter for each number, in alphabetical order."""
    known = isinstance(labels, (tuple, list)) and all(
        label is Ellipsis or (isinstance(label, int) and 0 <= label < len(_ALPHABET))
        for label in labels
    )
    if not known:
        limit = len(_ALPHABET)
        raise ParseError(
            f"einsum: expected a list of numbers in [0, {limit}) or '...' behind each operand, "
            f"got {labels!r}; or give the subscripts first, such as 'ij,jk->ik'"
        )
    return "".join(["..." if label is Ellipsis else _ALPHABET[label] for label in labels])


def parse_subscripts(subscripts: str, ranks: list[int]) -> tuple[list[Labels], Labels]:
    """Labels of the operands and of the result; those of ``...`` are numbers from the right."""
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    given = left.split(",")
    if len(given) != len(ranks):
        raise ShapeError(f"einsum: {subscripts!r} is for {len(given)} operands, got {len(ranks)}")
    inputs = [_labels(part, rank, subscripts) for part, rank in zip(given, ranks, strict=True)]
    wide = max([sum(label.isdecimal() for label in labels) for labels in inputs])
    dots = tuple([str(i) for i in reversed(range(wide))])
    if arrow:
        return inputs, _output(right, dots, subscripts)
    if ">" in text or "-" in text:
        raise ParseError(f"einsum: cannot read {subscripts!r}")
    letters = sorted(c for c in set(left) if c.isalpha() and left.count(c) == 1)
    return inputs, (*dots, *letters)


def _labels(part: str, rank: int, subscripts: str) -> Labels:
    before, dots, after = part.partition("...")
    if not (before + after).isalpha() and before + after:
        raise ParseError(f"einsum: expected letters and '...', found {part!r} in {subscripts!r}")
    free = rank - len(before) - len(after)
    if free < 0 or (free and not dots):
        raise ShapeError(
            f"einsum: {part!r} in {subscripts!r} does not fit an operand of {rank} axes"
        )
    return (*before, *[str(i) for i in reversed(range(free))], *after)


def _output(part: str, dots: Labels, subscripts: str) -> Labels:
    before, found, after = part.partition("...")
    if before + after and not (before + after).isalpha():
        raise ParseError(f"einsum: expected letters and '...', found {part!r} in {subscripts!r}")
    if len(set(before + after)) < len(before + after):
        raise ParseError(f"einsum: a letter comes twice in the result of {subscripts!r}")
    if dots and not found:
        raise ParseError(f"einsum: the result of {subscripts!r} lacks the '...' of its operands")
    return (*before, *(dots if found else ()), *after)


def _sizes(terms: list[_Term], subscripts: str) -> dict[str, Dimension]:
    """The size of each label; size 1 broadcasts."""
    sizes: dict[str, Dimension] = {}
    for term in terms:
        for label, size in zip(term.labels, term.value.shape, strict=True):
            known = sizes.get(label, 1)
            if known != 1 and size not in (1, known):
                shapes = " and ".join([str(tuple(t.value.shape)) for t in terms])
                raise ShapeError(
                    f"einsum: {'...' if label.isdecimal() else repr(label)} of {subscripts!r} has "
                    f"sizes {known} and {size} in operands of shapes {shapes}; sizes must be "
                    "equal or 1"
                )
            sizes[label] = known if size == 1 else size
    return sizes


def _simplified(term: _Term, sizes: dict[str, Dimension]) -> _Term:
    """Each label once, and no axis of size 1 that broadcasts."""
    value, labels = term.value, list(term.labels)
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            value = diagonal(value, 0, first, second)
            labels = [c for i, c in enumerate(labels) if i not in (first, second)] + [label]
    kept = [i for i, c in enumerate(labels) if value.shape[i] != 1 or sizes[c] == 1]
    if len(kept) < len(labels):
        value = ops.reshape(value, shape=tuple([value.shape[i] for i in kept]))
    return _Term(value, tuple([labels[i] for i in kept]))


def _needed(rest: list[_Term], output: Labels) -> frozenset[str]:
    return frozenset(output).union(*[t.labels for t in rest])


def _summed(term: _Term, needed: frozenset[str]) -> _Term:
    """The term without the labels that nothing needs."""
    axes = tuple([i for i, label in enumerate(term.labels) if label not in needed])
    if not axes:
        return term
    kept = tuple([label for label in term.labels if label in needed])
    if term.value.dtype == bool:
        return _Term(ops.reduce_any(term.value, axes=axes), kept)
    return _Term(ops.reduce_sum(term.value, axes=axes), kept)


def _cheapest(
    terms: list[_Term], output: Labels, sizes: dict[str, Dimension]
) -> tuple[_Term, _Term]:
    """The pair whose product takes the fewest multiplications, then the least memory."""

    def cost(pair: tuple[_Term, _Term]) -> tuple[int, int]:
        needed = _needed([t for t in terms if t not in pair], output)
        labels = {*pair[0].labels, *pair[1].labels}
        return _count(labels, sizes), _count(labels & needed, sizes)

    return min(combinations(terms, 2), key=cost)


def _count(labels: Any, sizes: dict[str, Dimension]) -> int:
    """A number of elements; a symbolic size counts as a large one."""
    return math.prod([d if isinstance(d, int) else 1024 for d in map(sizes.__getitem__, labels)])


def _contract(left: _Term, right: _Term, needed: frozenset[str]) -> _Term:
    """The product of two terms, summed over the labels that nothing else needs."""
    left = _summed(left, needed.union(right.labels))
    right = _summed(right, needed.union(left.labels))
    shared = [label for label in left.labels if label in right.labels]
    summed = [label for label in shared if label not in needed]
    if not summed:
        return _multiplied(left, right)
    kept = [label for label in shared if label in needed]
    value = ops.dot_general(
        left.value,
        right.value,
        contracting=(_places(left, summed), _places(right, summed)),
        batch=(_places(left, kept), _places(right, kept)),
    )
    free = [c for term in (left, right) for c in term.labels if c not in shared]
    return _Term(value, (*kept, *free))


def _places(term: _Term, labels: list[str]) -> tuple[int, ...]:
    return tuple([term.labels.index(label) for label in labels])


def _multiplied(left: _Term, right: _Term) -> _Term:
    """The elementwise product over the labels of both."""
    labels = (*left.labels, *[c for c in right.labels if c not in left.labels])
    known = dict(zip(right.labels, right.value.shape, strict=True))
    known.update(zip(left.labels, left.value.shape, strict=True))
    values = [_ordered(term, labels, known) for term in (left, right)]
    return _Term(ops.multiply(*values), labels)


def _ordered(term: _Term, labels: Labels, sizes: dict[str, Dimension]) -> Any:
    """The value with its axes in the order of ``labels``; it is stretched along missing ones."""
    value = term.value
    present = [label for label in labels if label in term.labels]
    permutation = _places(term, present)
    if permutation != tuple(range(len(permutation))):
        value = ops.transpose(value, permutation=permutation)
    if len(present) == len(labels):
        return value
    shape = tuple([sizes[c] if c in term.labels else 1 for c in labels])
    return broadcast_to(ops.reshape(value, shape=shape), tuple([sizes[c] for c in labels]))
