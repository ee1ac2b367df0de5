"""Tensor: the handle that users hold, over an ndarray, a device array or a graph value."""

from __future__ import annotations

from plait.tracer import pytree, tensor_fast, tensor_handle, tensor_taped
from plait.tracer.tensor_display import Display
from plait.tracer.tensor_fast import binary_function as binary_function
from plait.tracer.tensor_fast import unary_function as unary_function
from plait.tracer.tensor_handle import leaked as leaked
from plait.tracer.tensor_handle import lift as lift
from plait.tracer.tensor_handle import payload_of as payload_of
from plait.tracer.tensor_handle import rewrap as rewrap
from plait.tracer.tensor_handle import unwrap as unwrap
from plait.tracer.tensor_handle import wrap as wrap
from plait.tracer.tensor_methods import Methods
from plait.tracer.tensor_number import Number
from plait.tracer.tensor_numpy import NumpyProtocols
from plait.tracer.tensor_storage import FROZEN as FROZEN
from plait.tracer.tensor_storage import aligned_array as aligned_array
from plait.tracer.tensor_storage import copy_array as copy_array
from plait.tracer.tensor_storage import empty_aligned as empty_aligned
from plait.tracer.tensor_storage import freeze as freeze
from plait.tracer.tensor_storage import is_view_of as is_view_of


class Tensor(Number, Methods, NumpyProtocols, Display):
    """An n-dimensional array with NumPy's semantics.

    Made by functions such as ``pl.asarray``, ``pl.constant`` and ``pl.zeros``, not by calling the
    class. Indexing, operators, methods and ``np.*`` functions work as an ndarray's do: basic
    indexing gives views, and writing to a view or its base changes both. ``x.numpy()`` is read-only
    and does not change when the tensor is written to later. Inside a compiled function a tensor
    stands for a value of the graph.

    Examples
    --------
    >>> x = pl.asarray([[1.0, 2.0], [3.0, 4.0]])
    >>> row = x[0]
    >>> x += 1
    >>> row
    pl.Tensor([2., 3.], dtype=float32, shape=(2,))
    >>> np.tanh(x[1, 1] * 0)
    pl.Tensor(0., dtype=float32)
    """

    __slots__ = ()


tensor_handle.bind(Tensor)
tensor_fast.bind(Tensor)
tensor_taped.bind(Tensor)
pytree.register_leaf(Tensor)
