"""What each op is in a program: an expression of NumPy's, or a call of a helper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from plait.ir import Dim, Node, TensorType
from plait.ir.types import DType, bfloat16, float16, is_bool, is_complex, is_floating, is_integer


class Book(Protocol):
    """What a program as a whole holds."""

    def shape(self, shape: Sequence[Any]) -> str:
        """A shape as a tuple."""

    def size(self, size: Any) -> str:
        """A size, or the name of one that is not known."""

    def dtype(self, dtype: DType) -> str:
        """A dtype; what it needs is imported."""

    def literal(self, array: Any) -> str:
        """An array, in the text or by the name of a constant."""

    def helper(self, name: str) -> str:
        """The name of a helper, which the program takes along."""

    def load(self, line: str) -> None:
        """Have a line that imports something."""


@dataclass(frozen=True, slots=True)
class Site:
    """One application of an op, its operands written already.

    Attributes
    ----------
    node : Node
    args : tuple of str
        Atoms: names, or calls.
    book : Book
    """

    node: Node
    args: tuple[str, ...]
    book: Book

    def __getitem__(self, name: str) -> Any:
        """An attribute, given or by default."""
        given = self.node.attributes
        return given[name] if name in given else self.node.op.parameters[name].default

    def type(self, operand: int = 0) -> TensorType:
        """The type of an operand."""
        return self.node.operands[operand].tensor_type

    @property
    def result(self) -> TensorType:
        """The type of the first result."""
        return self.node.results[0].tensor_type

    @property
    def is_half(self) -> bool:
        """Whether operands are of half precision, which is computed in float32."""
        return self.type().dtype in (float16, bfloat16)

    def call(self, helper: str, *args: Any, **options: Any) -> str:
        """A call of a helper; arguments that are no texts are written as Python shows them."""
        shown = [*map(self.show, args), *[f"{k}={self.show(v)}" for k, v in options.items()]]
        return f"{self.book.helper(helper)}({', '.join(shown)})"

    def show(self, value: Any) -> str:
        """An argument of a call."""
        if isinstance(value, str):
            return value
        if isinstance(value, np.dtype):
            return self.book.dtype(value)
        if type(value) is Dim:
            return self.book.size(value)
        has_dims = type(value) is tuple and any(type(v) is Dim for v in value)
        return self.book.shape(value) if has_dims else repr(value)


Expression = Callable[[Site], str]
TABLE: dict[str, Expression] = {}


def text(*names: str, wide: bool = False) -> Callable[[Expression], Expression]:
    """Register the expression of ops; ``wide`` ones compute half precision in float32."""

    def add(expression: Expression) -> Expression:
        TABLE.update(dict.fromkeys(names, widened(expression) if wide else expression))
        return expression

    return add


def widened(expression: Expression) -> Expression:
    """Half precision computed in float32 and rounded once."""

    def write(site: Site) -> str:
        if not site.is_half:
            return expression(site)
        args = tuple([f"{a}.astype(np.float32)" for a in site.args])
        inner = expression(Site(site.node, args, site.book))
        return f"({inner}).astype({site.book.dtype(site.result.dtype)})"

    return write


def expression_of(site: Site) -> str:
    """The expression of an op; several results come as a tuple.

    Raises
    ------
    KeyError
        There is no text for the op.
    """
    known = TABLE.get(site.node.op.name)
    if known is not None:
        return known(site)
    function = site.node.op.reference
    if isinstance(function, np.ufunc):
        return f"np.{function.__name__}({', '.join(site.args)})"
    raise KeyError(site.node.op.name)


# Elementwise ops. A ufunc that is an op's reference needs no entry.

_INFIX = {
    "add": ("+", "add"),
    "subtract": ("-", "subtract"),
    "multiply": ("*", "multiply"),
    "divide": ("/", "divide"),
    "equal": ("==", "equal"),
    "not_equal": ("!=", "not_equal"),
    "less": ("<", "less"),
    "less_equal": ("<=", "less_equal"),
    "greater": (">", "greater"),
    "greater_equal": (">=", "greater_equal"),
    "bitwise_and": ("&", "bitwise_and"),
    "bitwise_or": ("|", "bitwise_or"),
    "bitwise_xor": ("^", "bitwise_xor"),
}


def _takes_operators(type_: TensorType) -> bool:
    """Whether Python's operators give the ufuncs' bits: not those of some scalars."""
    dtype = type_.dtype
    if type_.shape or is_bool(dtype) or is_integer(dtype):
        return True
    return is_floating(dtype) and dtype.itemsize > 2


def _infix(symbol: str, ufunc: str) -> Expression:
    def write(site: Site) -> str:
        x, y = site.args
        if _takes_operators(site.type()):
            return f"{x} {symbol} {y}"
        return f"np.{ufunc}({x}, {y})"

    return write


TABLE.update({name: _infix(*parts) for name, parts in _INFIX.items()})


def _helper(name: str) -> Expression:
    return lambda site: site.call(name, *site.args)


for _name in ("power", "multiply_or_zero", "divide_or_zero"):
    TABLE[_name] = _helper(_name)
TABLE["complex"] = _helper("make_complex")
for _name in ("softplus", "gelu"):
    TABLE[_name] = widened(_helper(_name))


def _special(name: str) -> Expression:
    def write(site: Site) -> str:
        site.book.load("from scipy import special")
        return f"special.{name}({site.args[0]})"

    return widened(write)


for _name in ("erf", "erfc", "erfinv", "digamma"):
    TABLE[_name] = _special(_name)
TABLE["lgamma"] = _special("gammaln")


@text("polygamma", wide=True)
def _polygamma(site: Site) -> str:
    return site.call("polygamma", site["order"], *site.args)


@text("rsqrt", wide=True)
def _rsqrt(site: Site) -> str:
    return f"1 / np.sqrt({site.args[0]})"


@text("sigmoid", wide=True)
def _sigmoid(site: Site) -> str:
    return f"1 / (1 + np.exp(-{site.args[0]}))"


@text("relu")
def _relu(site: Site) -> str:
    return f"np.maximum({site.args[0]}, {site.book.dtype(site.type().dtype)}(0))"


@text("angle")
def _angle(site: Site) -> str:
    return f"np.angle({site.args[0]})"


@text("real", "imag")
def _part(site: Site) -> str:
    return f"{site.args[0]}.{site.node.op.name}.copy()"


@text("popcount")
def _popcount(site: Site) -> str:
    return f"np.bitwise_count({site.args[0]}).astype({site.book.dtype(site.type().dtype)})"


@text("select")
def _select(site: Site) -> str:
    return f"np.where({', '.join(site.args)})"


@text("cast")
def _cast(site: Site) -> str:
    have, want = site.type().dtype, site.result.dtype
    x = site.args[0]
    if is_complex(have) and is_bool(want):
        return f"{x} != 0"
    if is_complex(have) and not is_complex(want):
        x = f"{x}.real"
    return f"{x}.astype({site.book.dtype(want)})"


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


__all__ = ["TABLE", "Book", "Site", "expression_of"]
