"""Elementwise ops in programs; a ufunc that is an op's reference needs no entry."""

from __future__ import annotations

from plait.inspect.program.table import TABLE, Expression, Site, text, widened
from plait.ir import TensorType
from plait.ir.types import is_bool, is_complex, is_floating, is_integer

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


@text("negative")
def _negative(site: Site) -> str:
    x = site.args[0]
    return f"-{x}" if _takes_operators(site.type()) else f"np.negative({x})"


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
