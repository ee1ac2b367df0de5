"""Constant data as an attribute: an immutable array compared by content."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from plait.ir.types import TensorType


class Literal:
    """A read-only array that hashes and compares by dtype, shape and bits.

    Parameters
    ----------
    array : array_like
        Copied unless it is read-only already.
    """

    __slots__ = ("_digest", "array")

    array: np.ndarray[Any, Any]

    def __init__(self, array: Any) -> None:
        data = np.asarray(array)
        if data.flags.writeable or not data.flags.c_contiguous:
            data = np.array(data, order="C", copy=True)
            data.flags.writeable = False
        object.__setattr__(self, "array", data)
        object.__setattr__(self, "_digest", None)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Literal is immutable; cannot set {name!r}")

    @property
    def type(self) -> TensorType:
        """The literal's tensor type."""
        return TensorType(self.array.dtype, self.array.shape)

    @property
    def digest(self) -> bytes:
        """A hash of dtype, shape and bits, equal in every process."""
        known: bytes | None = self._digest  # type: ignore[attr-defined]
        if known is None:
            head = f"{self.type}".encode()
            known = hashlib.blake2b(head + self.array.tobytes(), digest_size=16).digest()
            object.__setattr__(self, "_digest", known)
        return known

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and (
            self is other or (self.type == other.type and self.digest == other.digest)
        )

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Literal({self.type})"
