"""Philox 4x32-10 gives the bits of its authors' known-answer tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from plait.ir import TensorType, ops
from plait.ir.errors import DTypeError, ShapeError
from plait.ir.ops.random import philox_4x32
from plait.ir.types import uint32, uint64

# Random123, tests/kat_vectors: four words of counter, two of key, four of result.
KNOWN = [
    "00000000 00000000 00000000 00000000 00000000 00000000 6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    "ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff 408f276d 41c83b0e a20bc7c6 6d5451fd",
    "243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0 d16cfe09 94fdcceb 5001e420 24126ea1",
]


@pytest.mark.parametrize("line", KNOWN)
def test_known_answers(line: str) -> None:
    words = [int(word, 16) for word in line.split()]
    found = philox_4x32([np.asarray([w], np.uint64) for w in words[:4]], words[4:6])
    assert [int(w[0]) for w in found] == words[6:]


def block(key: int, counter: int) -> list[int]:
    """The four words of one counter value, by Python integers."""
    c = [counter & 0xFFFFFFFF, counter >> 32, 0, 0]
    k = [key & 0xFFFFFFFF, key >> 32]
    for _ in range(10):
        p0, p1 = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


@pytest.mark.parametrize("state", [(0, 0), (3, 2**32 - 1), (2**64 - 1, 2**64 - 2)])
def test_blocks_follow_the_counter(state: tuple[int, int]) -> None:
    key, counter = state
    wanted = [w for i in range(5) for w in block(key, (counter + i) % 2**64)]
    found = ops.philox(np.asarray(state, np.uint64), shape=(3, 6), dtype=uint32)
    np.testing.assert_array_equal(found.ravel(), wanted[:18])
    wide = ops.philox(np.asarray(state, np.uint64), shape=(9,), dtype=uint64)
    pairs = [low | high << 32 for low, high in zip(wanted[::2], wanted[1::2], strict=True)]
    np.testing.assert_array_equal(wide, np.asarray(pairs[:9], np.uint64))


def test_chunks_do_not_show() -> None:
    state = np.asarray([1, 0], np.uint64)
    whole = ops.philox(state, shape=(40_000,), dtype=uint32)
    later = ops.philox(np.asarray([1, 9_000], np.uint64), shape=(8,), dtype=uint32)
    np.testing.assert_array_equal(whole[36_000:36_008], later)


@pytest.mark.parametrize(
    ("state", "attributes", "error"),
    [
        (TensorType(uint64, (3,)), {"shape": (2,)}, DTypeError),
        (TensorType(uint32, (2,)), {"shape": (2,)}, DTypeError),
        (TensorType(uint64, (2,)), {"shape": (2,), "dtype": np.dtype("int32")}, DTypeError),
        (TensorType(uint64, (2,)), {"shape": (-1,)}, ShapeError),
    ],
)
def test_what_is_refused(state: Any, attributes: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        ops.philox.infer_types((state,), attributes)
