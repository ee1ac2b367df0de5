"""What to use for names of other libraries, so that a newcomer's first guess leads somewhere."""

from __future__ import annotations

from difflib import get_close_matches

__all__ = ["hint"]

_IF = "use pl.where on tensors, and Python's if on what is known while tracing"
_LOOP = "use Python's loops; a compiled function unrolls them, so their count must be known"
_COMPILE = "use pl.graph_function"
_CONVOLUTION = "use pl.convolution"
_MAP = "use pl.vmap"

#: What to say of a name that other libraries have.
_REDIRECTS = {
    "cast": "use pl.astype",
    "compile": _COMPILE,
    "cond": _IF,
    "conv": _CONVOLUTION,
    "conv1d": _CONVOLUTION,
    "conv2d": _CONVOLUTION,
    "conv3d": _CONVOLUTION,
    "convert_to_tensor": "use pl.asarray",
    "float": "use pl.float32 or pl.float64",
    "fori_loop": _LOOP,
    "from_numpy": "use pl.asarray",
    "function": _COMPILE,
    "int": "use pl.int32 or pl.int64",
    "jit": _COMPILE,
    "matrix_multiply": "use pl.matmul",
    "mm": "use pl.matmul",
    "ndarray": "the class is pl.Tensor; to make one use pl.asarray",
    "scan": _LOOP,
    "tensor": "use pl.asarray",
    "unsqueeze": "use pl.expand_dims",
    "vectorize": _MAP,
    "vectorized_map": _MAP,
    "while_loop": _LOOP,
}
_REDUCTIONS = ("all", "any", "logsumexp", "max", "mean", "min", "prod", "std", "sum")
_REDIRECTS |= {f"reduce_{name}": f"use pl.{name}" for name in _REDUCTIONS}


def hint(name: str, known: list[str]) -> str:
    """What follows the message that a name does not exist; empty where nothing is near."""
    if name in _REDIRECTS:
        return f"; {_REDIRECTS[name]}"
    near = get_close_matches(name, known, n=3)
    return f"; did you mean {' or '.join(near)}?" if near else ""
