"""Ops on whole arrays in programs: movement, contractions, reductions, indexing, windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plait.inspect.program.table import TABLE, Expression, Site, text, widened
from plait.ir.types import DType, bfloat16, is_bool, is_floating, is_integer

# Creation and movement.


@text("constant")
def _constant(site: Site) -> str:
    return site.book.literal(site["value"].array)


@text("full")
def _full(site: Site) -> str:
    value, shape = site["value"].array, site.book.shape(site["shape"])
    if not any(value.tobytes()):
        return f"np.zeros({shape}, {site.book.dtype(value.dtype)})"
    return f"np.full({shape}, {site.book.literal(value)})"


@text("iota")
def _iota(site: Site) -> str:
    shape, dtype = site["shape"], site["dtype"]
    if len(shape) == 1:
        return f"np.arange({site.show(shape[0])}).astype({site.book.dtype(dtype)})"
    return site.call("iota", shape, site["axis"], dtype)


@text("stop_gradient")
def _same(site: Site) -> str:
    return site.args[0]


@text("broadcast_to")
def _broadcast_to(site: Site) -> str:
    return f"np.broadcast_to({site.args[0]}, {site.book.shape(site['shape'])})"


@text("reshape")
def _reshape(site: Site) -> str:
    return f"{site.args[0]}.reshape({site.book.shape(site['shape'])})"


@text("transpose")
def _transpose(site: Site) -> str:
    order = tuple(site["permutation"])
    return f"{site.args[0]}.T" if order == (1, 0) else f"{site.args[0]}.transpose({order})"


@text("slice")
def _slice(site: Site) -> str:
    shape = site.type().shape
    bounds = zip(site["starts"], site["stops"], site["steps"], shape, strict=True)
    parts = [_range(*bound) for bound in bounds]
    while parts and parts[-1] == ":":
        parts.pop()
    return f"{site.args[0]}[{', '.join(parts)}]" if parts else site.args[0]


def _range(start: int, stop: Any, step: int, size: Any) -> str:
    """A range of an axis as a slice, without what is the default."""
    if (start, stop, step) == (0, size, 1):
        return ":"
    if len(range(start, stop, step)) == 0:
        return "0:0"
    first = "" if start == (0 if step > 0 else size - 1) else str(start)
    last = "" if stop in (size, -1) else str(stop)
    return f"{first}:{last}" if step == 1 else f"{first}:{last}:{step}"


@text("concat")
def _concat(site: Site) -> str:
    comma = "," if len(site.args) == 1 else ""
    return f"np.concatenate(({', '.join(site.args)}{comma}), axis={site['axis']})"


@text("split")
def _split(site: Site) -> str:
    sizes = [int(n) for n in site["sizes"]]
    if len(sizes) == 1:
        return f"({site.args[0]}.copy(),)"
    if not sizes:
        return "()"
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes) - 1)]
    pieces = f"np.split({site.args[0]}, {ends}, axis={site['axis']})"
    return f"[piece.copy() for piece in {pieces}]"


@text("pad")
def _pad(site: Site) -> str:
    return site.call("pad", *site.args, *[tuple(site[n]) for n in ("low", "high", "interior")])


# Contractions.


@text("matmul", wide=True)
def _matmul(site: Site) -> str:
    return f"{site.args[0]} @ {site.args[1]}"


@text("dot_general", wide=True)
def _dot_general(site: Site) -> str:
    return site.call("dot_general", *site.args, site["contracting"], site["batch"])


@text("convolution", wide=True)
def _convolution(site: Site) -> str:
    names = ("strides", "low", "high", "dilation", "input_dilation", "groups")
    return site.call("convolution", *site.args, **{n: site[n] for n in names})


# Reductions, running sums, orders.


def _axes(axes: Sequence[int]) -> str:
    return str(axes[0]) if len(axes) == 1 else str(tuple(axes))


def _reduction(function: str, identity: bool, exact: bool) -> Expression:
    def write(site: Site) -> str:
        dtype, shape = site.type().dtype, site.result.shape
        if not identity and 0 in site.type().shape:
            return f"np.empty({site.book.shape(shape)}, {site.book.dtype(dtype)})"
        narrow = is_integer(dtype) and dtype.itemsize < 8 and not exact
        kind = f", dtype={site.book.dtype(dtype)}" if narrow else ""
        return f"np.{function}({site.args[0]}, axis={_axes(site['axes'])}{kind})"

    return write if exact else widened(write)


TABLE.update(
    {
        "reduce_sum": _reduction("sum", identity=True, exact=False),
        "reduce_prod": _reduction("prod", identity=True, exact=False),
        "reduce_max": _reduction("max", identity=False, exact=True),
        "reduce_min": _reduction("min", identity=False, exact=True),
        "reduce_any": _reduction("any", identity=True, exact=True),
        "reduce_all": _reduction("all", identity=True, exact=True),
    }
)


@text("argmax", "argmin")
def _arg(site: Site) -> str:
    if 0 in site.type().shape:
        return f"np.empty({site.book.shape(site.result.shape)}, np.int64)"
    return f"np.{site.node.op.name}({_comparable(site)}, axis={site['axis']})"


def _comparable(site: Site, operand: int = 0) -> str:
    """An operand in a dtype that NumPy sorts."""
    x = site.args[operand]
    return f"{x}.astype(np.float32)" if site.type(operand).dtype == bfloat16 else x


_RUNNING = {
    "cumsum": ("np.add"),
    "cumprod": ("np.multiply"),
    "cummax": ("np.maximum"),
    "cummin": ("np.minimum"),
}


@text(*_RUNNING, wide=True)
def _running(site: Site) -> str:
    options = {"reverse": True} if site["reverse"] else {}
    ufunc = _RUNNING[site.node.op.name]
    return site.call("accumulate", ufunc, site.args[0], site["axis"], **options)


@text("sort")
def _sort(site: Site) -> str:
    found = f"np.sort({_comparable(site)}, axis={site['axis']})"
    half = site.type().dtype == bfloat16
    return f"{found}.astype({site.book.dtype(bfloat16)})" if half else found


@text("argsort")
def _argsort(site: Site) -> str:
    return f'np.argsort({_comparable(site)}, axis={site["axis"]}, kind="stable")'


@text("searchsorted")
def _searchsorted(site: Site) -> str:
    side = ', side="right"' if site["side"] == "right" else ""
    return f"np.searchsorted({_comparable(site)}, {_comparable(site, 1)}{side})"


@text("softmax", "log_softmax", wide=True)
def _softmax(site: Site) -> str:
    return site.call(site.node.op.name, *site.args, site["axis"])


@text("logsumexp", wide=True)
def _logsumexp(site: Site) -> str:
    return site.call("logsumexp", *site.args, site["axes"], site["keepdims"])


# Indexing.


def _tuple(items: Sequence[str]) -> str:
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


@text("gather")
def _gather(site: Site) -> str:
    x, *indices = site.args
    axes, batch = tuple(site["axes"]), site["batch"]
    if len(axes) == 1 and batch == 0:
        size = site.show(site.type().shape[axes[0]])
        return f"np.take({x}, {site.call('clamp', indices[0], size)}, axis={axes[0]})"
    options = {"batch": batch} if batch else {}
    return site.call("gather", x, _tuple(indices), axes, **options)


_SCATTERS: Mapping[str, str] = {
    "set": "None",
    "add": "np.add",
    "mul": "np.multiply",
    "min": "np.minimum",
    "max": "np.maximum",
}


@text("scatter")
def _scatter(site: Site) -> str:
    x, updates, *indices = site.args
    ufunc = _SCATTERS[site["mode"]]
    options = {"batch": site["batch"], "ufunc": ufunc, "unique": site["unique"]}
    return site.call(
        "scatter", x, updates, _tuple(indices), tuple(site["axes"]), **options, wide=site.is_half
    )


@text("dynamic_slice")
def _dynamic_slice(site: Site) -> str:
    x, *starts = site.args
    sizes = site.book.shape(site["sizes"])
    return f"{x}[{site.call('window', f'{x}.shape', _tuple(starts), sizes)}].copy()"


@text("dynamic_update_slice")
def _dynamic_update_slice(site: Site) -> str:
    x, update, *starts = site.args
    return site.call("update_slice", x, update, _tuple(starts))


# Other forms, windows, random bits.


@text("one_hot")
def _one_hot(site: Site) -> str:
    dtype = site.book.dtype(site.result.dtype)
    return f"({site.args[0]}[..., None] == np.arange({site['depth']})).astype({dtype})"


@text("top_k")
def _top_k(site: Site) -> str:
    return site.call("top_k", site.args[0], site["k"], _comparable(site))


@text("bitcast")
def _bitcast(site: Site) -> str:
    dtype = site.book.dtype(site.result.dtype)
    if site.type().dtype.itemsize == site.result.dtype.itemsize:
        return f"{site.args[0]}.view({dtype})"
    return site.call("bitcast", site.args[0], dtype)


@text("reduce_window", wide=True)
def _reduce_window(site: Site) -> str:
    ufunc = {"max": "np.maximum", "min": "np.minimum", "sum": "np.add"}[site["kind"]]
    outside = _outside(site["kind"], site.type().dtype)
    names = ("window", "strides", "low", "high", "dilation")
    return site.call(
        "reduce_window", ufunc, site.args[0], outside, **{n: tuple(site[n]) for n in names}
    )


def _outside(kind: str, dtype: DType) -> str:
    """What a window holds outside of its operand."""
    if kind == "sum":
        return "0"
    if is_bool(dtype):
        return str(kind == "min")
    if is_floating(dtype):
        return "-np.inf" if kind == "max" else "np.inf"
    limits = np.iinfo(dtype)
    return str(int(limits.min if kind == "max" else limits.max))


@text("philox")
def _philox(site: Site) -> str:
    return site.call("philox", *site.args, tuple(site["shape"]), site.result.dtype)
