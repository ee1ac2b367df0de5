"""Functions that programs take along: their source text is written into a program that needs them.

Each one stands alone but for the others here, NumPy and the standard library. Annotations are left
out of the program. Numbers are those of the references in ``plait.ir.ops``, bit by bit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL = 0x9E3779B9, 0xBB67AE85
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def _power(x: Any, y: Any) -> Any:
    """Power x ** y; of integers to negative exponents the truncated value, 0 for 0."""
    if x.dtype.kind != "i" or not np.any(y < 0):
        return np.power(x, y)
    odd = np.where(y & 1, x, x * x)
    return np.where(y < 0, np.where(np.abs(x) == 1, odd, 0), np.power(x, np.maximum(y, 0)))


def _multiply_or_zero(x: Any, y: Any) -> Any:
    """Compute x * y; 0 where x or y is 0, against infinities and NaN too."""
    found = np.asarray(np.multiply(x, y))
    np.copyto(found, 0, where=np.isnan(found) & ((x == 0) | (y == 0)))
    return found


def _divide_or_zero(x: Any, y: Any) -> Any:
    """Compute x / y; 0 where x is 0, whatever y is."""
    found = np.asarray(np.divide(x, y))
    np.copyto(found, 0, where=np.isnan(found) & (x == 0))
    return found


def _make_complex(x: Any, y: Any) -> Any:
    """Compute x + y * 1j, without arithmetic."""
    out = np.empty(x.shape, np.result_type(x.dtype, np.complex64))
    out.real, out.imag = x, y
    return out


def _softplus(x: Any) -> Any:
    """Compute log(1 + exp(x)), without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _gelu(x: Any) -> Any:
    """Compute x * (1 + erf(x / sqrt(2))) / 2."""
    from scipy import special

    return 0.5 * x * (1 + special.erf(x * np.asarray(np.sqrt(0.5), x.dtype)))


def _polygamma(order: Any, x: Any) -> Any:
    """A derivative of digamma; at its poles inf or, where the sign changes, NaN."""
    from scipy import special

    found = special.polygamma(order, x)
    pole = (x <= 0) & (x == np.floor(x))
    undefined = np.isneginf(x) | (pole & (order % 2 == 0))
    return np.where(undefined, np.nan, found).astype(x.dtype)


def _softmax(x: Any, axis: Any) -> Any:
    """Compute exp(x) / sum(exp(x)), without overflow."""
    e = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-np.inf))
    return e / np.sum(e, axis=axis, keepdims=True)


def _log_softmax(x: Any, axis: Any) -> Any:
    """Compute x - log(sum(exp(x))), without overflow."""
    shifted = x - np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def _logsumexp(x: Any, axes: Any, keepdims: Any) -> Any:
    """Compute log(sum(exp(x))), without overflow."""
    largest = np.max(x, axis=axes, keepdims=True, initial=-np.inf)
    largest = np.where(np.isinf(largest), x.dtype.type(0), largest)
    total = np.log(np.sum(np.exp(x - largest), axis=axes, keepdims=True)) + largest
    return total if keepdims else np.squeeze(total, axis=axes)


def _accumulate(ufunc: Any, x: Any, axis: Any, reverse: Any = False) -> Any:
    """The running sum, product or extreme along an axis."""
    out = np.empty(x.shape, x.dtype)
    if reverse:
        ufunc.accumulate(np.flip(x, axis), axis=axis, dtype=x.dtype, out=np.flip(out, axis))
    else:
        ufunc.accumulate(x, axis=axis, dtype=x.dtype, out=out)
    return out


def _iota(shape: Any, axis: Any, dtype: Any) -> Any:
    """0, 1, 2, ... along an axis, equal along the others."""
    line = np.arange(shape[axis]).astype(dtype)
    line = line.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return np.broadcast_to(line, shape).copy()


def _pad(x: Any, value: Any, low: Any, high: Any, interior: Any) -> Any:
    """The array x with elements of a value around it, and ``interior`` ones between neighbors."""
    sizes = [
        a + n + max(n - 1, 0) * k + b
        for n, a, b, k in zip(x.shape, low, high, interior, strict=True)
    ]
    out = np.empty(sizes, x.dtype)
    out[...] = value
    stops = [n - b for n, b in zip(sizes, high, strict=True)]
    out[tuple([slice(a, b, k + 1) for a, b, k in zip(low, stops, interior, strict=True)])] = x
    return out


def _top_k(x: Any, k: Any, keys: Any) -> Any:
    """The k largest elements of each row of x, compared by keys, and their positions."""
    order = np.argsort(keys[..., ::-1], axis=-1, kind="stable")[..., ::-1][..., :k]
    positions = (x.shape[-1] - 1 - order).astype(np.int32)
    return np.take_along_axis(x, positions, axis=-1), positions


def _bitcast(x: Any, dtype: Any) -> Any:
    """The bits read as another dtype; a narrower one adds a last axis, a wider one takes it."""
    have, want = x.dtype.itemsize, np.dtype(dtype).itemsize
    if have > want:
        return np.ascontiguousarray(x).reshape((*x.shape, 1)).view(dtype)
    if x.size == 0:
        return np.empty(x.shape[:-1], dtype)
    return np.ascontiguousarray(x).view(dtype).reshape(x.shape[:-1])


def _dot_general(x: Any, y: Any, contracting: Any, batch: Any, product: Any = np.matmul) -> Any:
    """The sum over contracting axes; the result has batch axes, free ones of x, free ones of y."""
    rows = [i for i in range(x.ndim) if i not in contracting[0] + batch[0]]
    columns = [i for i in range(y.ndim) if i not in contracting[1] + batch[1]]
    kept = [x.shape[i] for i in batch[0]]
    left, right = [x.shape[i] for i in rows], [y.shape[i] for i in columns]
    count = math.prod([x.shape[i] for i in contracting[0]])
    x = x.transpose((*batch[0], *rows, *contracting[0]))
    y = y.transpose((*batch[1], *contracting[1], *columns))
    x = x.reshape((*kept, math.prod(left), count))
    y = y.reshape((*kept, count, math.prod(right)))
    return product(x, y).reshape((*kept, *left, *right))


def _clamp(index: Any, size: Any) -> Any:
    """Indices moved into the range of an axis."""
    if index.dtype == np.uint64:
        index = np.minimum(index, np.uint64(max(size - 1, 0)))
    return np.clip(np.asarray(index, np.intp, order="C"), 0, max(size - 1, 0))


def _places(x: Any, indices: Any, axes: Any, batch: Any) -> Any:
    """How to index x, with batch axes and then ``axes`` first, and where these axes are."""
    ndim = indices[0].ndim
    lines = [
        np.arange(x.shape[b]).reshape([-1 if i == b else 1 for i in range(ndim)])
        for b in range(batch)
    ]
    key = (*lines, *[_clamp(i, x.shape[a]) for a, i in zip(axes, indices, strict=True)])
    kept = [a for a in range(batch, x.ndim) if a not in axes]
    front = (*range(batch), *axes, *kept)
    first = axes[0]
    total = x.ndim - len(axes) + ndim - batch
    middle = range(first, ndim + first - batch)
    rest = [a for a in range(batch, total) if a not in middle]
    return key, front, (*range(batch), *middle, *rest)


def _gather(x: Any, indices: Any, axes: Any, batch: Any = 0) -> Any:
    """Take x[..., indices, ...]: the elements at index arrays along ``axes``; indices clamp."""
    key, front, order = _places(x, indices, axes, batch)
    picked = x.transpose(front)[key]
    return np.asarray(picked.transpose(np.argsort(order)), order="C")


def _scatter(
    x: Any, updates: Any, indices: Any, axes: Any, batch: Any, ufunc: Any, unique: Any, wide: Any
) -> Any:
    """The array x with updates set, or combined by a ufunc, at index arrays along ``axes``."""
    out = x.copy(order="C")
    key, front, order = _places(x, indices, axes, batch)
    target = out.transpose(front)
    values = np.asarray(updates.transpose(order), order="C")
    if ufunc is None:
        target[key] = values
    elif unique:
        target[key] = ufunc(target[key], values)
    elif wide:
        whole = target.astype(np.float32)
        ufunc.at(whole, key, values.astype(np.float32))
        target[...] = whole.astype(x.dtype)
    else:
        ufunc.at(target, key, values)
    return out


def _window(shape: Any, starts: Any, sizes: Any) -> Any:
    """The region of ``sizes`` at run-time positions, which clamp so that it lies inside."""
    first = [min(max(int(i), 0), n - size) for i, n, size in zip(starts, shape, sizes, strict=True)]
    return tuple([slice(i, i + size) for i, size in zip(first, sizes, strict=True)])


def _update_slice(x: Any, update: Any, starts: Any) -> Any:
    """The array x with the region that begins at starts replaced."""
    out = x.copy(order="C")
    out[_window(x.shape, starts, update.shape)] = update
    return out


def _spread(size: Any, dilation: Any) -> Any:
    """The size of elements with ``dilation - 1`` gaps between neighbors."""
    return (size - 1) * dilation + 1 if size > 0 else 0


def _bordered(x: Any, low: Any, high: Any, gaps: Any, value: Any) -> Any:
    """The trailing axes of x with gaps between elements and borders; negative borders cut."""
    lead = x.ndim - len(low)
    if all(v == 1 for v in gaps) and not any(low) and not any(high):
        return x
    sizes = [_spread(n, g) for n, g in zip(x.shape[lead:], gaps, strict=True)]
    wide = np.full((*x.shape[:lead], *sizes), value, x.dtype)
    whole = [slice(None)] * lead
    wide[tuple(whole + [slice(None, None, g) for g in gaps])] = x
    outer = [(0, 0)] * lead + [(max(a, 0), max(b, 0)) for a, b in zip(low, high, strict=True)]
    wide = np.pad(wide, outer, constant_values=value)
    cut = [
        slice(max(-a, 0), max(n - max(-b, 0), 0))
        for a, b, n in zip(low, high, wide.shape[lead:], strict=True)
    ]
    return wide[tuple(whole + cut)]


def _convolution(
    x: Any,
    kernel: Any,
    strides: Any,
    low: Any,
    high: Any,
    dilation: Any,
    input_dilation: Any,
    groups: Any,
) -> Any:
    """Cross-correlation, channels first, zeros outside of x."""
    x = _bordered(x, low, high, input_dilation, 0)
    sizes, rank = kernel.shape[2:], len(strides)
    counts = [
        max((n - _spread(k, d)) // s + 1, 0)
        for n, k, s, d in zip(x.shape[2:], sizes, strides, dilation, strict=True)
    ]
    n, c, o = x.shape[0], x.shape[1], kernel.shape[0]
    if 0 in (n, c, o, *counts, *sizes):
        return np.zeros((n, o, *counts), x.dtype)
    steps = x.strides[2:]
    moves = [a * s for a, s in zip(steps, strides, strict=True)]
    inner = [a * d for a, d in zip(steps, dilation, strict=True)]
    windows = np.lib.stride_tricks.as_strided(
        x, (n, c, *counts, *sizes), (*x.strides[:2], *moves, *inner), writeable=False
    )
    windows = windows.reshape(n, groups, c // groups, *counts, *sizes)
    order = (1, 0, *range(3, 3 + rank), 2, *range(3 + rank, 3 + 2 * rank))
    columns = windows.transpose(order).reshape(groups, n * math.prod(counts), -1)
    weights = kernel.reshape(groups, o // groups, -1).transpose(0, 2, 1)
    found = np.matmul(columns, weights).reshape(groups, n, *counts, o // groups)
    back = (1, 0, 2 + rank, *range(2, 2 + rank))
    return np.asarray(found.transpose(back).reshape(n, o, *counts), order="C")


def _reduce_window(
    ufunc: Any, x: Any, outside: Any, window: Any, strides: Any, low: Any, high: Any, dilation: Any
) -> Any:
    """The elements in each window over x combined by a ufunc."""
    found = _bordered(x, low, high, (1,) * x.ndim, outside)
    for axis, (size, stride, step) in enumerate(zip(window, strides, dilation, strict=True)):
        if (size, stride) == (1, 1):
            continue
        count = max((found.shape[axis] - _spread(size, step)) // stride + 1, 0)
        reach = (count - 1) * stride + 1 if count else 0
        head = (slice(None),) * axis
        pieces = [found[(*head, slice(k * step, k * step + reach, stride))] for k in range(size)]
        found = pieces[0]
        for piece in pieces[1:]:
            found = ufunc(found, piece)
    return np.array(found, order="C")


def _philox(state: Any, shape: Any, dtype: Any) -> Any:
    """Random bits: Philox 4x32-10 of the counters (counter + i, 0), four words each."""
    dtype = np.dtype(dtype)
    keys, counters = state.reshape(-1, 2).T
    rows, count = len(keys), -(-math.prod(shape) * (dtype.itemsize // 4) // 4)
    row, block = np.divmod(np.arange(rows * count), max(count, 1))
    places, key = block.astype(np.uint64) + counters[row], keys[row]
    c0, c1, k0, k1 = places & LOW, places >> HALF, key & LOW, key >> HALF
    c2 = c3 = np.zeros_like(places)
    for _ in range(10):
        p0, p1 = c0 * MULTIPLIERS[0], c2 * MULTIPLIERS[1]
        c0, c1 = (p1 >> HALF) ^ c1 ^ k0, p1 & LOW
        c2, c3 = (p0 >> HALF) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + WEYL[0]) & 0xFFFFFFFF, (k1 + WEYL[1]) & 0xFFFFFFFF
    words = np.stack([c0, c1, c2, c3], axis=1).astype("<u4")
    bits = words.view(dtype.newbyteorder("<")).reshape(rows, -1 if rows * count else 0)
    sizes = (*state.shape[:-1], *shape)
    return bits[:, : math.prod(shape)].reshape(sizes).astype(dtype)


def _filled(template: Any, *values: Any) -> Any:
    """The template with arrays in its places, shown as NumPy shows them."""
    import string

    class Filler(string.Formatter):
        def convert_field(self, value: Any, conversion: Any) -> Any:
            if conversion == "r":
                shape = f", shape={value.shape}" if value.ndim else ""
                text = np.array2string(value, separator=", ", prefix="pl.Tensor(")
                return f"pl.Tensor({text}, dtype={value.dtype.name}{shape})"
            if conversion == "v":
                text = self.convert_field(value, "r")
                return text.replace("pl.Tensor(", "pl.Variable(", 1)[:-1]
            if conversion == "a":
                return repr(value if value.ndim else value[()])
            return value if conversion is None else np.array_str(value)

        def format_field(self, value: Any, spec: Any) -> Any:
            if isinstance(value, str) or not spec:
                return value if isinstance(value, str) else np.array_str(value)
            return format((value.astype("f4") if value.dtype.kind == "V" else value).item(), spec)

    return Filler().vformat(template, [np.asarray(v) for v in values], {})


def _stored(text: Any, dtype: Any, shape: Any) -> Any:
    """An array from its bytes as text."""
    import base64

    return np.frombuffer(base64.b64decode(text), dtype).reshape(shape)


def _demand(x: Any, dtype: Any, *shape: Any, name: Any) -> Any:
    """An argument as an array, which must be of this dtype and shape; None takes any size."""
    array = np.asarray(x, dtype) if isinstance(x, (bool, int, float, complex)) else np.asarray(x)
    sizes = [n if want is None else want for n, want in zip(array.shape, shape, strict=False)]
    if array.dtype != dtype or len(shape) != array.ndim or list(array.shape) != sizes:
        wanted = f"{np.dtype(dtype).name}{list(shape)}".replace("None", "any")
        raise TypeError(f"{name} must be {wanted}, got {array.dtype.name}{list(array.shape)}")
    return array
