"""What Python finds by way of classes: descriptors, ``super``, ``__dict__``; modules imported."""

from __future__ import annotations

import importlib.util
import operator
import sys
import types
import weakref
from collections.abc import Callable
from typing import Any

from plait.ir import dispatch
from plait.tracer.control import calls, reads, writes
from plait.tracer.outcome import Break, stop
from plait.tracer.paths import Attr, Class, Held, Item, Path, Result
from plait.tracer.places import CONTAINERS as CHANGING
from plait.tracer.places import UNBOUND, AttrPlace, ContentPlace
from plait.tracer.provenance import CONTAINERS, PLAIN, Provenance
from plait.tracer.state import current
from plait.tracer.trusted import is_trusted, is_trusted_name

# Descriptors.


def raw_attribute(kind: type, name: str) -> Any:
    """What a class or its bases hold under a name, as it stands there; None for nothing."""
    for base in kind.__mro__:
        if name in vars(base):
            return vars(base)[name]
    return None


def _own(held: Any, name: str) -> Any:
    """A descriptor's method if it is a user's function; else None."""
    found = None if held is None else raw_attribute(type(held), name)
    return found if isinstance(found, types.FunctionType) and not is_trusted(found) else None


def descriptor(found: Provenance, path: Path | None, obj: Any, name: str) -> Any:
    """What a user's descriptor gives for an attribute; UNBOUND where there is none."""
    held = raw_attribute(type(obj), name)
    get = _own(held, "__get__")
    if get is None:
        return UNBOUND
    is_data = any(raw_attribute(type(held), f"__{what}__") for what in ("set", "delete"))
    if not is_data and name in getattr(obj, "__dict__", ()):
        return UNBOUND
    return calls.call(get, _guarded(found, path, held, name), obj, class_of(obj))


def descriptor_setter(obj: Any, name: str, what: str) -> Callable[..., Any] | None:
    """A user's ``__set__`` or ``__delete__`` for an attribute, bound to its descriptor."""
    held = raw_attribute(type(obj), name)
    method = _own(held, what)
    found = reads.provenance()
    if method is None or found is None:
        return None
    held = _guarded(found, found.path_of(obj), held, name)
    return lambda *args: calls.call(method, held, *args)


def _guarded(found: Provenance, path: Path | None, held: Any, name: str) -> Any:
    if path is None:
        return held
    text = f"{path.text}.{name}"
    return found.read(Result(Class(path), raw_attribute, text, name), held)


def own_attribute(obj: Any, name: str) -> Any:
    """``object.__getattribute__(obj, name)``."""
    value = object.__getattribute__(obj, name)
    found = reads.provenance()
    path = None if found is None else found.path_of(obj)
    if found is None or path is None or name.startswith("__"):
        return value
    if found.is_written(AttrPlace(obj, name)):
        return found.stand_in(value)
    read = Result(path, object.__getattribute__, f"{path.text}.{name}", name)
    return value if isinstance(value, types.MethodType) else found.read(read, value)


def is_own(method: Any) -> bool:
    """Whether a method is ``object``'s own way to attributes, bound by ``super()``."""
    if type(method) is not types.MethodWrapperType or method.__name__ not in OWN:
        return False
    return bool(getattr(object, method.__name__).__get__(method.__self__) == method)


#: What takes the place of ``object``'s own ways to attributes.
OWN: dict[str, Callable[..., Any]] = {
    "__getattribute__": own_attribute,
    "__setattr__": lambda *args: writes.set_own_attr(*args),
    "__delattr__": lambda *args: writes.del_own_attr(*args),
}


# Classes, and what an object says of itself.


def class_of(obj: Any) -> type:
    """``type(obj)``, guarded."""
    kind = type(obj)
    found = reads.provenance() if dispatch.active else None
    path = None if found is None or kind in reads.OPAQUE else found.path_of(obj)
    if found is not None and path is not None and not is_trusted(kind):
        found.read(Class(path), kind)
    return kind


def dunder(found: Provenance, obj: Any, name: str, default: tuple[Any, ...]) -> Any:
    """An attribute such as ``__dict__`` or ``__name__``."""
    path = found.path_of(obj)
    kind = obj if isinstance(obj, (type, types.FunctionType)) else type(obj)
    is_fixed = is_trusted(kind) and (kind is obj or calls.is_library(kind))
    if path is None or (is_fixed and type(obj) is not types.ModuleType):
        return getattr(obj, name, *default)
    if name == "__class__":
        return class_of(obj)
    value = getattr(obj, name, *default)
    if name == "__dict__":
        _refuse_written(obj)
    if type(value) in PLAIN or isinstance(value, CONTAINERS):
        return found.read(Attr(path, name), value)
    if isinstance(value, types.MappingProxyType):
        raise stop(current(), Break(f"the __dict__ of {path.text} cannot be watched; use getattr"))
    return value


def _refuse_written(obj: Any) -> None:
    """Break where the trace has set attributes past the dictionary that is looked at now."""
    trace = current()
    for place, _ in trace.root.journal.entries:
        if getattr(place, "owner", None) is obj:
            reason = "__dict__ of an object that was written to is not looked into; use getattr"
            raise stop(trace, Break(reason))


def refuse_attributes(container: Any) -> None:
    """Break where attributes are changed by way of ``__dict__``.

    Raises
    ------
    Break
        The container is the ``__dict__`` of an outside object.
    """
    found = reads.provenance()
    path = None if found is None else found.path_of(container)
    if isinstance(path, Attr) and path.name == "__dict__":
        reason = f"{path.text} is changed directly; use setattr, which a graph can make again"
        raise stop(current(), Break(reason))


def vars_(*args: Any) -> Any:
    """``vars(obj)``."""
    return reads.attr(args[0], "__dict__") if len(args) == 1 else vars(*args)


def dir_(*args: Any) -> Any:
    """``dir(obj)``."""
    names = dir(*args)
    found = reads.provenance() if len(args) == 1 else None
    path = None if found is None else found.path_of(args[0])
    if found is not None and path is not None:
        found.read(Result(path, dir, f"dir({path.text})"), names)
        return [*names]
    return names


def above(kind: type, start: type, name: str) -> Any:
    """What stands under a name in the classes after ``start``, as ``super`` looks it up."""
    order = kind.__mro__
    for base in order[order.index(start) + 1 :]:
        if name in vars(base):
            return vars(base)[name]
    return UNBOUND


def super_attribute(owner: Any, name: str, default: tuple[Any, ...] = ()) -> Any:
    """``super().name``, guarded."""
    found = reads.provenance()
    start, bound, kind = owner.__thisclass__, owner.__self__, owner.__self_class__
    if found is None or bound is None or (name.startswith("__") and kind is None):
        return getattr(owner, name, *default)
    held = above(kind, start, name)
    if held is UNBOUND or isinstance(held, _NATIVE) or is_trusted(held):
        return getattr(owner, name, *default)
    path = found.path_of(bound)
    if path is not None and bound is not kind:
        path = Class(path)
    if path is None:
        path = Held(kind, kind.__name__, weak=True)
    read = found.read(Result(path, above, f"super().{name}", start, name), held)
    if isinstance(held, property) and isinstance(held.fget, types.FunctionType):
        return calls.call(held.fget, bound)
    if isinstance(held, (staticmethod, classmethod)):
        found.root(held.__func__, Held(held.__func__, name, weak=True))
    value = getattr(owner, name)
    return read if value is held else value


_NATIVE = (types.WrapperDescriptorType, types.MethodDescriptorType, types.BuiltinFunctionType)


# Modules imported by the function itself.


def imported(value: Any, module: str, level: int = 0, name: str | None = None) -> Any:
    """What ``import module`` or ``from module import name`` in a function gave."""
    if not dispatch.active:
        return value
    found = reads.provenance()
    if found is None:
        return value
    if level:
        package = sys._getframe(1).f_globals.get("__package__")
        module = importlib.util.resolve_name("." * level + module, package)
    if is_trusted_name(module) or module not in sys.modules:
        return value
    modules = Held(sys.modules, "sys.modules")
    path: Path = Item(modules, module)
    path.text = module
    if name is None:
        return found.read(path, value)
    if getattr(sys.modules[module], name, UNBOUND) is not value:
        return found.read(Item(modules, f"{module}.{name}"), value)  # a module in a package
    return found.read(Attr(path, name), value)


def frame(function: Any) -> Any:
    """A builtin that reads names in a way that cannot be watched.

    Raises
    ------
    Break
        Something is being traced.
    """
    trace = current() if dispatch.active else None
    if trace is not None and not trace.is_lazy:
        reason = f"{function.__name__}() reads names that cannot be watched; name them in the code"
        raise stop(trace, Break(reason))
    return function


# Objects of the standard library that are called.


def called(owner: Any, args: tuple[Any, ...]) -> Any:
    """A call of an ``attrgetter``, ``itemgetter``, ``methodcaller`` or a weak reference."""
    if len(args) != (0 if isinstance(owner, weakref.ref) else 1):
        return owner(*args)
    if isinstance(owner, weakref.ref):
        return _referent(owner)
    kind, given = owner.__reduce__()[:2]
    if isinstance(owner, operator.methodcaller):
        if kind is operator.methodcaller:
            return calls.method(args[0], *given)
        return calls.method(args[0], *kind.args, *given, **kind.keywords)
    look = _dotted if isinstance(owner, operator.attrgetter) else reads.item
    found = [look(args[0], key) for key in given]
    return found[0] if len(found) == 1 else tuple(found)


def purely(trace: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call what works on its arguments alone; containers that it changes are noted."""
    containers = [x for x in (*args, *kwargs.values()) if isinstance(x, CHANGING)]
    for x in containers:
        trace.note(ContentPlace(x))
    before = [_parts(x) for x in containers]
    result = function(*args, **kwargs)
    for x, old in zip(containers, before, strict=True):
        new = _parts(x)
        if len(new) != len(old) or any(a is not b for a, b in zip(new, old, strict=True)):
            trace.provenance.note_edit(x, None)
    return result


def _parts(container: Any) -> list[Any]:
    return [*container, *container.values()] if isinstance(container, dict) else [*container]


def _dotted(obj: Any, names: str) -> Any:
    for name in names.split("."):
        obj = reads.attr(obj, name)
    return obj


def _referent(reference: Any) -> Any:
    value = reference()
    found = reads.provenance()
    path = None if found is None else found.path_of(reference)
    if found is None or path is None:
        return value
    return found.read(Result(path, _call, f"{path.text}()"), value)


def _call(function: Any) -> Any:
    return function()


def partial_parts(partial: Any) -> tuple[Any, list[Any], dict[str, Any]]:
    """The function, arguments and named arguments of a ``functools.partial``, guarded."""
    found = reads.provenance()
    path = None if found is None else found.path_of(partial)
    if found is None or path is None:
        return partial.func, list(partial.args), partial.keywords
    first, named = Attr(path, "args"), Attr(path, "keywords")
    found.guard(first, "length", len(partial.args))
    found.guard(named, "keys", [*partial.keywords])
    args = [found.read(Item(first, i), x) for i, x in enumerate(partial.args)]
    kwargs = {key: found.read(Item(named, key), x) for key, x in partial.keywords.items()}
    return found.read(Attr(path, "func"), partial.func), args, kwargs


def dispatched(function: Any, kind: type) -> Any:
    """What a ``functools.singledispatch`` function calls for a class, guarded."""
    value = function.dispatch(kind)
    found = reads.provenance()
    path = None if found is None else found.path_of(function)
    if found is None or path is None:
        return value
    text = f"{path.text}.dispatch({kind.__name__})"
    return found.read(Result(path, _dispatch, text, kind), value)


def _dispatch(function: Any, kind: type) -> Any:
    return function.dispatch(kind)


def is_(a: Any, b: Any) -> bool:
    """``a is b``; that two outside objects are different ones is guarded."""
    found = reads.provenance() if dispatch.active else None
    if found is not None and a is not b:
        paths = [
            found.path_of(x if found.original(x) is None else found.original(x)) for x in (a, b)
        ]
        if paths[0] is not None and paths[1] is not None:
            found.guard(paths[0], "other", paths[1])
    return a is b


#: Classes of such objects.
CALLED = (operator.attrgetter, operator.itemgetter, operator.methodcaller, weakref.ref)
#: Functions that look into objects, and those that take their places.
HOOKS: dict[Any, Callable[..., Any]] = {
    vars: vars_,
    dir: dir_,
    operator.getitem: lambda obj, key: reads.item(obj, key),
    operator.setitem: lambda obj, key, value: writes.set_item(obj, key, value),
    operator.delitem: lambda obj, key: writes.del_item(obj, key),
}

__all__ = ["CALLED", "HOOKS", "frame", "imported", "is_"]
