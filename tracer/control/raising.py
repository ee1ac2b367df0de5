"""Exceptions and assertions whose condition is traced: checks that raise when the graph runs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from plait.ir import TensorType, Value, is_complex, ops, template, user_frame
from plait.tracer.control.branch import truth
from plait.tracer.control.text import Text, rendered, value_of
from plait.tracer.number_operators import CLASSES
from plait.tracer.state import current
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import wrap

#: How many scalars an exception can tell.
MAX_DETAILS = 3


class _Unset:
    """The cause of ``raise`` without ``from``."""


UNSET = _Unset()


def raise_(error: Any, cause: Any = UNSET) -> None:
    """``raise error from cause``; in a branch that is traced, a check that fails.

    Parameters
    ----------
    error : BaseException or class
    cause : BaseException, class or None, optional
    """
    trace = current()
    if trace is None or trace.is_lazy or trace.root is trace or not is_exception(error):
        _raise_now(error, cause)
    made = error() if isinstance(error, type) else error
    if cause is not UNSET:
        made.__cause__ = cause() if isinstance(cause, type) else cause
    check(np.zeros((), bool), made)
    trace.diverged = True


def _raise_now(error: Any, cause: Any) -> None:
    if cause is UNSET:
        raise error
    raise error from cause


def is_exception(x: Any) -> bool:
    """Whether ``x`` can be raised."""
    return isinstance(x, BaseException) or (isinstance(x, type) and issubclass(x, BaseException))


def assert_(condition: Any, message: Callable[[], Any] | None = None, _: Any = None) -> None:
    """``assert condition, message()``; a check where the condition is traced.

    Raises
    ------
    AssertionError
        The condition is known and does not hold.
    """
    trace = current()
    if trace is None or trace.is_lazy or type(condition) is not Tensor:
        if not condition:
            raise AssertionError(*([] if message is None else [message()]))
        return
    made = AssertionError(*([] if message is None else [message()]))
    check(truth(trace, condition), made)


def check(ok: Any, error: BaseException) -> None:
    """Let the graph raise an exception, at the user's present line, unless ``ok``."""
    maker = Maker(error)
    ops.check(ok, *maker.details, error=maker.seal(), message=maker.message)


# How an exception gets into a graph and out of it.


class _Filled:
    """A string among what an exception holds."""

    def __init__(self, template: str) -> None:
        self.template = template

    def make(self, details: Sequence[Any]) -> Any:
        return template.fill(self.template, details)


class _Scalar:
    """A tensor or number among what an exception holds."""

    def __init__(self, index: int, kind: str) -> None:
        self.index = index
        self.kind = kind

    def make(self, details: Sequence[Any]) -> Any:
        array = np.asarray(details[self.index])
        if self.kind == "number":
            return CLASSES[array.dtype.kind](array.item())
        return array[()] if self.kind == "ndarray" else wrap(array)


class Maker:
    """Makes an exception of the scalars in it, each time that it is called.

    Parameters
    ----------
    error : BaseException
        As it is while the function is captured: texts and tensors in its arguments and attributes
        are not known yet. Up to three scalars are filled in; of other tensors a message shows the
        type, as ``<f32[8]>``.
    """

    def __init__(self, error: BaseException) -> None:
        self.details: list[Value] = []
        self._error = type(error)
        self._args = self._kept(error.args)
        self._state = self._kept({**error.__dict__})
        self._cause = error.__cause__
        self._suppress = error.__suppress_context__
        self.message = self._summary(error.args)
        self._line = _Line()
        self.__qualname__ = self._error.__qualname__
        self.__module__ = self._error.__module__

    def __eq__(self, other: object) -> bool:
        return type(other) is Maker and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> Any:
        held = (_frozen(self._args), _frozen(self._state), id(self._cause), self._suppress)
        return self._error, self.message, held, self._line.file, self._line.positions

    @property
    def kind(self) -> type[BaseException]:
        """The class of the exception."""
        return self._error

    def seal(self) -> Maker:
        """Let go of the trace."""
        self.details = []
        return self

    def _kept(self, x: Any) -> Any:
        """The same with what has to be filled in marked."""
        if type(x) is Text:
            return _Filled(self._template(x))
        if type(x) is Tensor and type(value := value_of(x)) is Value:
            index = self._index(value)
            kind = x._kind
            return _Filled(self._type_text(value)) if index is None else _Scalar(index, kind)
        if type(x) in (list, tuple):
            return type(x)([self._kept(item) for item in x])
        if type(x) is dict:
            return {key: self._kept(item) for key, item in x.items()}
        return x

    def _summary(self, args: tuple[Any, ...]) -> str:
        """What a dump of the graph shows as the message."""
        text = rendered(lambda: ", ".join([str(x) for x in args]))
        return self._template(text) if type(text) is Text else template.escape(text)

    def _index(self, value: Value) -> int | None:
        """The number of a scalar among the details; None when it cannot be one."""
        for i, known in enumerate(self.details):
            if known is value:
                return i
        if value.shape or is_complex(value.dtype) or len(self.details) == MAX_DETAILS:
            return None
        self.details.append(value)
        return len(self.details) - 1

    @staticmethod
    def _type_text(value: Value) -> str:
        return template.escape(f"<{TensorType(value.dtype, value.shape)}>")

    def _template(self, text: Text) -> str:
        """The template of a text with its values numbered as the details are."""

        def place(value: Value, form: str) -> str:
            index = self._index(value)
            return self._type_text(value) if index is None else f"{{{index}{form}}}"

        return text.with_places(place)

    def __call__(self, *details: Any) -> BaseException:
        """The exception, which shows the line that raises it."""
        args = _made(self._args, details)
        if self._error.__module__ == "builtins":
            error = self._error(*args)
        else:
            error = self._error.__new__(self._error, *args)
            _builtin_init(self._error)(error, *args)
        error.__dict__.update(_made(self._state, details))
        error.__cause__ = self._cause
        error.__suppress_context__ = self._suppress
        return self._line.raised(error)


def _made(x: Any, details: Sequence[Any]) -> Any:
    if isinstance(x, (_Filled, _Scalar)):
        return x.make(details)
    if type(x) in (list, tuple):
        return type(x)([_made(item, details) for item in x])
    if type(x) is dict:
        return {key: _made(item, details) for key, item in x.items()}
    return x


def _frozen(x: Any) -> Any:
    """A key of what an exception holds: equal for what makes equal exceptions."""
    if isinstance(x, _Filled):
        return _Filled, x.template
    if isinstance(x, _Scalar):
        return _Scalar, x.index, x.kind
    if type(x) in (list, tuple):
        return type(x), *map(_frozen, x)
    if type(x) is dict:
        return dict, *[(_frozen(key), _frozen(item)) for key, item in x.items()]
    if type(x) in (str, bytes, bool, int, float, type(None)):
        return type(x), x
    return type(x), id(x)


def _builtin_init(kind: type) -> Callable[..., None]:
    """The ``__init__`` of the first of Python's own classes among the bases."""
    base: Any = next(c for c in kind.__mro__ if c.__module__ == "builtins")
    init: Callable[..., None] = base.__init__
    return init


class _Line:
    """The user's present line, so that a traceback can end there."""

    def __init__(self) -> None:
        frame = user_frame(2)
        self.file, self.function, self.module = "<unknown>", "<module>", "__main__"
        self.positions: tuple[int, int, int, int] = (1, 1, 0, 0)
        if frame is None:
            return
        code = frame.f_code
        self.file, self.function = code.co_filename, code.co_name
        self.module = frame.f_globals.get("__name__", "__main__")
        known = list(code.co_positions())[frame.f_lasti // 2]
        line, end, column, end_column = (x or 0 for x in known)
        self.positions = (line or frame.f_lineno, end or line, column, end_column)

    def raised(self, error: BaseException) -> BaseException:
        """The error as if the line had raised it."""
        line, end, column, end_column = self.positions
        where = {
            "lineno": line,
            "end_lineno": max(line, end),
            "col_offset": column,
            "end_col_offset": end_column,
        }
        name = ast.Name("error", ast.Load(), **where)
        tree = ast.Module([ast.Raise(name, None, **where)], [])
        code = compile(tree, self.file, "exec").replace(co_name=self.function)
        try:
            exec(code, {"error": error, "__name__": self.module})
        except BaseException as found:
            traceback = found.__traceback__
            return found.with_traceback(traceback and traceback.tb_next)
        return error
