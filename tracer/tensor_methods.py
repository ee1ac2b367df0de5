"""Tensor's attributes and methods: those of ndarray, and a few of the array standard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from plait.ir import DType, Value, as_dtype, bfloat16, is_complex
from plait.ir.device import Device, device_of
from plait.ir.errors import DTypeError
from plait.ir.frames import public_methods
from plait.ir.location import user_location
from plait.tracer import pending, recorded
from plait.tracer.tensor_handle import Handle, call, host_array, unwrap, wrap
from plait.tracer.tensor_operators import Operators, write
from plait.tracer.tensor_parts import part, tie_bits
from plait.tracer.tensor_storage import copy_array, lent_array, on_host, read_array, share
from plait.tracer.tensor_views import as_array, is_scalar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from plait.tracer.tensor import Tensor

Axis = int | Sequence[int] | None


class Attributes(Handle):
    """What a tensor says of itself."""

    __slots__ = ()

    @property
    def dtype(self) -> DType:
        """Dtype of the elements, a ``numpy.dtype``."""
        dtype: DType = self._data.dtype
        return dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the dimensions; one that is unknown while tracing is a ``Dim``."""
        shape: tuple[int, ...] = self._data.shape
        return shape

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self._data.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        size: int = self._data.size
        return size

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return int(self._data.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.size * self.itemsize

    @property
    def device(self) -> Device:
        """Where the elements live; equal to its name, such as ``"cpu:0"``."""
        if pending.recorders:
            pending.settle_mine(self)
        return device_of(self._data)

    @property
    def T(self) -> Tensor:
        """A view with the axes in reverse order."""
        return call("transpose", self)

    @property
    def mT(self) -> Tensor:
        """A view with the last two axes exchanged."""
        return call("matrix_transpose", self)

    @property
    def real(self) -> Tensor:
        """The real part, a view."""
        return part(self, "real")

    @real.setter
    def real(self, value: Any) -> None:
        self.real[...] = value

    @property
    def imag(self) -> Tensor:
        """The imaginary part; a view of a complex tensor."""
        return part(self, "imag")

    @imag.setter
    def imag(self, value: Any) -> None:
        if not is_complex(self.dtype):
            raise DTypeError("a real tensor has no imaginary part to set").at(user_location())
        self.imag[...] = value

    @property
    def flat(self) -> Flat:
        """The elements one after another, in C order; read-only."""
        return Flat(self)

    @property
    def at(self) -> At:
        """Functional updates: ``x.at[key].set(y)`` gives a new tensor and leaves ``x`` alone."""
        return At(self)


@public_methods
class At:
    """``x.at``; indexed, it names the elements that an update replaces.

    Examples
    --------
    >>> x = pl.zeros(3)
    >>> x.at[1].set(5.0)
    pl.Tensor([0., 5., 0.], dtype=float32, shape=(3,))
    >>> x.at[[0, 0]].add(1.0)
    pl.Tensor([2., 0., 0.], dtype=float32, shape=(3,))
    """

    __slots__ = ("_key", "_tensor")

    def __init__(self, tensor: Any, key: Any = ...) -> None:
        self._tensor = tensor
        self._key = key

    def __getitem__(self, key: Any) -> At:
        return At(self._tensor, key)

    def get(self) -> Tensor:
        """The elements, as ``x[key]`` but never a view."""
        found: Tensor = self._tensor[self._key]
        return found.copy()

    def set(self, value: Any) -> Tensor:
        """Replace the elements."""
        return call("setitem", self._tensor, self._key, value)

    def add(self, value: Any) -> Tensor:
        """Add to the elements; one that the key names twice gets both."""
        return call("setitem", self._tensor, self._key, value, mode="add")

    def multiply(self, value: Any) -> Tensor:
        """Multiply the elements."""
        return call("setitem", self._tensor, self._key, value, mode="mul")

    def min(self, value: Any) -> Tensor:
        """Take the minimum of element and value."""
        return call("setitem", self._tensor, self._key, value, mode="min")

    def max(self, value: Any) -> Tensor:
        """Take the maximum of element and value."""
        return call("setitem", self._tensor, self._key, value, mode="max")


@public_methods
class Flat:
    """``x.flat``; iterates over the elements, or gives those at positions in C order.

    Examples
    --------
    >>> x = pl.asarray([[1, 2], [3, 4]])
    >>> [int(element) for element in x.flat]
    [1, 2, 3, 4]
    >>> x.flat[2]
    pl.Tensor(3, dtype=int32)
    """

    __slots__ = ("_elements", "_line")

    def __init__(self, tensor: Any) -> None:
        self._line: Any = call("reshape", tensor, (-1,))
        self._elements: Iterator[Tensor] | None = None

    def __len__(self) -> int:
        return len(self._line)

    def __getitem__(self, key: Any) -> Tensor:
        found: Tensor = self._line[key]
        return found.copy()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Tensor:
        if self._elements is None:
            self._elements = iter(self._line)
        return next(self._elements).copy()


@public_methods
class Methods(Operators, Attributes):
    """ndarray's methods."""

    __slots__ = ()

    # Leaving the tensor.

    def numpy(self) -> NDArray[Any]:
        """The elements as a read-only ndarray that later writes to the tensor do not change."""
        host_array(self, "numpy()")
        lent: NDArray[Any] = lent_array(self)
        return lent

    def item(self, *index: Any) -> Any:
        """One element as a Python number; without an index the tensor must have one element."""
        array = host_array(self, "item()")
        if array.dtype == bfloat16:
            array = array.astype(np.float32)
        try:
            return array.item(*[unwrap(i) for i in index])
        except (ValueError, IndexError) as error:
            from plait.ir.errors import IndexOutOfRangeError, ShapeError

            kind = ShapeError if isinstance(error, ValueError) else IndexOutOfRangeError
            raise kind(f"item() on a tensor of shape {array.shape}: {error}").at(
                user_location()
            ) from None

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers; a number for a 0-d tensor."""
        array = host_array(self, "tolist()")
        return (array.astype(np.float32) if array.dtype == bfloat16 else array).tolist()

    def tobytes(self) -> bytes:
        """The elements' bytes in C order."""
        return bytes(host_array(self, "tobytes()").tobytes())

    def to(self, device: Any) -> Tensor:
        """This tensor on a device: itself where it lives there, else a copy."""
        from plait.ir import device as devices

        target = devices.as_device(device)
        if target == self.device:
            return self  # type: ignore[return-value]
        return wrap(devices.move(self._data, target))

    def to_device(self, device: Any, /, *, stream: Any = None) -> Tensor:
        """As ``to``, under the array standard's name."""
        if stream is not None:
            raise DTypeError("to_device: streams are not supported; leave stream=None")
        return self.to(device)

    # Copies and views.

    def copy(self) -> Tensor:
        """A tensor with the same elements in memory of its own."""
        if type(self._data) is not Value and recorded.is_known(self._data):
            return call("copy", self)
        if type(self._data) is np.ndarray:
            return wrap(copy_array(self._data))
        if type(self._data) is not Value:
            return _own(self)
        made = wrap(self._data, self._kind)
        if not is_scalar(self):
            as_array(made)
        return made

    def astype(self, dtype: Any, copy: bool = True) -> Tensor:
        """The elements in another dtype; a copy, unless ``copy=False`` and the dtype is this."""
        if not copy and self.dtype == as_dtype(dtype):
            return self  # type: ignore[return-value]
        made = call("astype", self, dtype)
        if type(made._data) is Value and not is_scalar(self):
            as_array(made)
        return made

    def view(self, dtype: Any = None) -> Tensor:
        """A view; with a dtype of the same item size, the same bits in that dtype."""
        if dtype is None:
            return self[...]
        if pending.recorders:
            pending.settle_mine(self)
        found = as_dtype(dtype)
        if found == self.dtype:
            return self[...]
        if type(self._data) is Value or not on_host(self._data):
            made = call("bitcast", self, dtype)
            if type(made._data) is Value:
                tie_bits(self, made, found)
            return made
        if found.itemsize != self.itemsize:
            raise DTypeError(
                f"view: {found.name} and {self.dtype.name} differ in size; tensors are viewed in "
                "dtypes of equal size only"
            ).at(user_location())
        result = wrap(read_array(self).view(found))
        share(self, result)
        return result

    def reshape(self, *shape: Any) -> Tensor:
        """A view (where strides allow) of another shape; one size may be -1."""
        return call("reshape", self, _one_sequence(shape))

    def transpose(self, *axes: Any) -> Tensor:
        """A view with the axes in another order; reversed without an order."""
        order = _one_sequence(axes)
        return call("transpose", self, order if axes and order is not None else None)

    def flatten(self) -> Tensor:
        """A copy with one axis, in C order."""
        return call("reshape", self, (-1,)).copy()

    def ravel(self) -> Tensor:
        """A view with one axis, in C order; a copy where strides do not allow it."""
        return call("ravel", self)

    def squeeze(self, axis: Axis = None) -> Tensor:
        """A view without the axes of size 1, or without those named."""
        return call("squeeze", self, axis)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """A view with two axes exchanged."""
        return call("swapaxes", self, axis1, axis2)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """The diagonal of the matrices in two axes."""
        return call("diagonal", self, offset, axis1, axis2)

    def repeat(self, repeats: Any, axis: int | None = None) -> Tensor:
        """Each element several times."""
        return call("repeat", self, repeats, axis)

    # In place.

    def fill(self, value: Any) -> None:
        """Set every element to a scalar."""
        self[...] = value

    def sort(self, axis: int = -1) -> None:
        """Sort along an axis, in place."""
        write(self, unwrap(call("sort", self, axis=axis)), "sort")

    def partition(self, kth: Any, axis: int = -1) -> None:
        """Order along an axis, in place, so that element ``kth`` is where sorting puts it."""
        write(self, unwrap(call("partition", self, kth, axis=axis)), "partition")

    def put(self, indices: Any, values: Any, mode: str = "raise") -> None:
        """Set the elements at positions in C order, in place."""
        write(self, unwrap(call("put", self, indices, values, mode=mode)), "put")

    # Reductions.

    def sum(self, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
        """The sum over axes."""
        return call("sum", self, axis=axis, dtype=dtype, keepdims=keepdims)

    def prod(self, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
        """The product over axes."""
        return call("prod", self, axis=axis, dtype=dtype, keepdims=keepdims)

    def mean(self, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
        """The mean over axes."""
        given = {} if dtype is None else {"dtype": dtype}
        return call("mean", self, axis=axis, keepdims=keepdims, **given)

    def var(self, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
        """The variance over axes, divided by ``n - ddof``."""
        return call("var", self, axis=axis, ddof=ddof, keepdims=keepdims)

    def std(self, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
        """The standard deviation over axes, divided by ``n - ddof``."""
        return call("std", self, axis=axis, ddof=ddof, keepdims=keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The largest element over axes; NaN wins."""
        return call("max", self, axis=axis, keepdims=keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The smallest element over axes; NaN wins."""
        return call("min", self, axis=axis, keepdims=keepdims)

    def ptp(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The largest minus the smallest element over axes."""
        return call("ptp", self, axis=axis, keepdims=keepdims)

    def all(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Whether all elements over axes are true."""
        return call("all", self, axis=axis, keepdims=keepdims)

    def any(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Whether any element over axes is true."""
        return call("any", self, axis=axis, keepdims=keepdims)

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """Position of the largest element along an axis, the first of equals."""
        return call("argmax", self, axis=axis, keepdims=keepdims)

    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """Position of the smallest element along an axis, the first of equals."""
        return call("argmin", self, axis=axis, keepdims=keepdims)

    def cumsum(self, axis: int | None = None, dtype: Any = None) -> Tensor:
        """Sums of the elements up to each one; over all of them without an axis."""
        return call("cumsum", self, axis=axis, dtype=dtype)

    def cumprod(self, axis: int | None = None, dtype: Any = None) -> Tensor:
        """Products of the elements up to each one; over all of them without an axis."""
        return call("cumprod", self, axis=axis, dtype=dtype)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """The sum of the diagonal of the matrices in two axes."""
        return call("trace", self, offset, axis1, axis2)

    # Elements.

    def argsort(self, axis: int = -1, stable: bool = True) -> Tensor:
        """Positions that sort along an axis."""
        return call("argsort", self, axis=axis, stable=stable)

    def argpartition(self, kth: Any, axis: int | None = -1) -> Tensor:
        """Positions along an axis that ``partition`` takes elements from."""
        return call("argpartition", self, kth, axis=axis)

    def choose(self, choices: Any, mode: str = "raise") -> Tensor:
        """The choices that these integers name, element by element."""
        return call("choose", self, choices, mode=mode)

    def compress(self, condition: Any, axis: int | None = None) -> Tensor:
        """The slices along an axis where a condition holds."""
        return call("compress", condition, self, axis=axis)

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        """The elements limited to a range."""
        return call("clip", self, min, max)

    def conj(self) -> Tensor:
        """The complex conjugate."""
        return call("conj", self)

    conjugate = conj

    def dot(self, other: Any) -> Tensor:
        """NumPy's ``dot``."""
        return call("dot", self, other)

    def nonzero(self) -> tuple[Tensor, ...]:
        """Positions of the nonzero elements, one tensor per axis."""
        return tuple(call("nonzero", self))

    def round(self, decimals: int = 0) -> Tensor:
        """The elements rounded to a number of decimals, ties to even."""
        return call("round", self, decimals)

    def searchsorted(self, v: Any, side: str = "left") -> Tensor:
        """Where to insert values into this sorted tensor."""
        return call("searchsorted", self, v, side=side)

    def take(self, indices: Any, axis: int | None = None) -> Tensor:
        """The elements at positions along an axis."""
        return call("take", self, indices, axis=axis)

    def __copy__(self) -> Tensor:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        made = self.copy()
        memo[id(self)] = made
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (np.array(host_array(self, "pickling")),)

    def block_until_ready(self) -> Self:
        """Wait until the elements are computed; for timing work on accelerators."""
        if pending.recorders:
            pending.settle_mine(self)
        wait = getattr(self._data, "block_until_ready", None)
        if wait is not None:
            wait()
        return self


def _own(handle: Any) -> Tensor:
    """A handle of its own on a device array, which nobody writes in place."""
    return wrap(copy_array(np.asarray(handle._data)) if on_host(handle._data) else handle._data)


def _restore(array: Any) -> Any:
    return wrap(array)


def _one_sequence(given: tuple[Any, ...]) -> Any:
    """``f(2, 3)`` and ``f((2, 3))`` alike."""
    return given[0] if len(given) == 1 and not isinstance(given[0], int) else given
