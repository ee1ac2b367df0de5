"""Targets: finding and importing the function that a command line names."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

import plait as pl
from plait.cli.diagnostics import is_library
from plait.cli.output import near_files
from plait.cli.saved import is_saved, lines_of, load_saved
from plait.ir.errors import PlaitError, TargetError
from plait.runtime import GraphFunction


@dataclass(frozen=True, slots=True)
class Target:
    """A function to capture.

    Attributes
    ----------
    function : GraphFunction
    name : str
        As given.
    owner : object
        The instance whose method it is; kept alive here.
    """

    function: GraphFunction
    name: str
    owner: Any = None


@contextmanager
def user_code(doing: str) -> Iterator[None]:
    """Run the user's code: what it prints goes to standard error, what it raises is theirs."""
    try:
        with redirect_stdout(sys.stderr):
            yield
    except PlaitError as error:
        if error.location is not None or isinstance(error, TargetError):
            raise
        raise TargetError(doing) from error
    except SystemExit as error:
        raise TargetError(
            f"{doing}: it left by sys.exit({error.code!r}); put what a script does under "
            'if __name__ == "__main__":'
        ) from None
    except Exception as error:
        raise TargetError(doing) from error


@contextmanager
def load_target(text: str) -> Iterator[Target]:
    """Import what ``file.py:function`` or ``module:Class.method`` names, or load a saved function.

    Inside the block the file's folder (or, for a module, the working folder) is on ``sys.path``;
    afterwards path and loaded modules are as before.

    Raises
    ------
    TargetError
        Nothing of this name; says which names are near. Or the user's code failed.
    """
    if is_saved(text):
        function = load_saved(text)
        with lines_of(function):
            yield Target(function, text)
        return
    place, path = split_target(text)
    path_before, modules_before = list(sys.path), set(sys.modules)
    try:
        is_file = place.endswith(".py") or os.sep in place or Path(place).is_file()
        module = import_file(place) if is_file else import_module(place)
        if not path:
            raise TargetError(f"name a function in {place}: {text}:NAME; {_offer(module)}")
        yield find(module, path, place)
    finally:
        folders = [Path(p).resolve() for p in sys.path if p not in path_before]
        sys.path[:] = path_before
        for name in set(sys.modules) - modules_before:
            if _is_users(sys.modules[name], folders):
                del sys.modules[name]


def _is_users(module: ModuleType, folders: list[Path]) -> bool:
    """Whether a module is the user's own: in their folders, and not installed there."""
    file = getattr(module, "__file__", None)
    if file is None or module.__name__.partition(".")[0] == "plait" or is_library(file):
        return False
    return any(Path(file).resolve().is_relative_to(folder) for folder in folders)


def split_target(text: str) -> tuple[str, str]:
    """File or module, and the dotted path in it; empty when there is none."""
    place, colon, path = text.rpartition(":")
    if not colon or path.endswith(".py") or "/" in path or os.sep in path:
        return text, ""
    return place, path


def import_file(file: str) -> ModuleType:
    """Run a file as a module named after it, in its package if its folder is one.

    Raises
    ------
    TargetError
        No such file, or it fails.
    """
    path = Path(file)
    if not path.is_file():
        raise TargetError(f"there is no file {file}{near_files(file)}")
    path = path.resolve()
    folder, parts = path.parent, [path.stem]
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    sys.path.insert(0, str(folder))
    with user_code(f"while importing {file}"):
        if len(parts) == 1:
            return _run_file(path)
        name = ".".join(parts).removesuffix(".__init__")
        found = importlib.import_module(name)
    if Path(getattr(found, "__file__", None) or "").resolve() != path:
        raise TargetError(f"{file} is module {name}, but another one of that name is loaded")
    return found


def _run_file(path: Path) -> ModuleType:
    name = path.stem
    while name in sys.modules:
        name += "_"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TargetError(f"{path.name} is not a Python file; its name must end with .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def import_module(name: str) -> ModuleType:
    """Import a module by its dotted name, from the working folder or what is installed.

    Raises
    ------
    TargetError
        No such module, or it fails.
    """
    sys.path.insert(0, os.getcwd())
    importlib.invalidate_caches()
    if not all(part.isidentifier() for part in name.split(".")):
        raise TargetError(
            f"{name!r} is neither a .py file nor a module; write file.py:function or "
            "module:function, or name a .ir file"
        )
    try:
        with user_code(f"while importing {name}"):
            return importlib.import_module(name)
    except TargetError as error:
        missing = error.__cause__
        if not isinstance(missing, ModuleNotFoundError) or not missing.name:
            raise
        if name != missing.name and not name.startswith(missing.name + "."):
            raise
        file = Path(name.replace(".", "/") + ".py")
        hint = f"; did you mean {file}?" if file.exists() else near_files(f"{name}.py")
        raise TargetError(f"there is no module {missing.name!r}{hint}") from None


def find(module: ModuleType, path: str, place: str) -> Target:
    """The function at a dotted path in a module; a method is bound to a new instance.

    Raises
    ------
    TargetError
        Nothing of this name, or nothing that can be captured.
    """
    found: Any = module
    owner: Any = None
    holder = place
    for name in path.split("."):
        owner, found = found, _attribute(found, name, holder)
        holder = f"{holder}:{name}" if holder == place else f"{holder}.{name}"
    if inspect.isclass(owner):
        owner, found = _method(owner, path.rpartition(".")[2], holder)
    if inspect.isclass(found):
        raise TargetError(f"{holder} is a class; name one of its methods: {_offer(found)}")
    if not callable(found):
        raise TargetError(
            f"{holder} is no function but of class {type(found).__name__}; {_offer(module)}"
        )
    function = found if isinstance(found, GraphFunction) else pl.graph_function(found)
    return Target(function, holder, owner)


def _attribute(owner: Any, name: str, holder: str) -> Any:
    missing = object()
    with user_code(f"while looking up {name} in {holder}"):
        found = getattr(owner, name, missing)
    if found is missing:
        near = get_close_matches(name, _names(owner), n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else _offer(owner)
        raise TargetError(f"there is no {name!r} in {holder}; {hint}")
    return found


def _method(owner: type, name: str, holder: str) -> tuple[Any, Any]:
    """An instance of a class and its method; static and class methods need none."""
    if isinstance(inspect.getattr_static(owner, name), (staticmethod, classmethod)):
        return owner, getattr(owner, name)
    if inspect.isclass(getattr(owner, name)):
        return owner, getattr(owner, name)
    required = [
        p.name
        for p in _parameters(owner)
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if required:
        raise TargetError(
            f"{holder} is a method and {owner.__name__} cannot be made without "
            f"{', '.join(required)}; make an instance in the file and name its method, such as "
            f"{owner.__name__.lower()}.{name}"
        )
    with user_code(f"while making {owner.__name__}() for {holder}"):
        instance = owner()
    return instance, getattr(instance, name)


def _parameters(function: Any) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []


def _names(owner: Any) -> list[str]:
    return [name for name in dir(owner) if not name.startswith("_")]


def _offer(owner: Any) -> str:
    """The functions that a module or class defines itself, as a hint."""
    home = getattr(owner, "__name__", None) if isinstance(owner, ModuleType) else owner.__module__
    names = (
        [
            name
            for name, value in vars(owner).items()
            if callable(value) and not name.startswith("_") and _home(value) == home
        ]
        if hasattr(owner, "__dict__")
        else []
    )
    return f"it defines {', '.join(names[:12])}" if names else "it defines no function"


def _home(value: Any) -> str | None:
    home: str | None = getattr(value, "__module__", None)
    return home


def check_arguments(target: Target, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Demand specs where the function has parameters without defaults.

    Raises
    ------
    TargetError
        It has, and there is neither a spec nor a signature; or the specs are not its arguments.
    """
    if (args or kwargs) and _parameters(target.function):
        try:
            inspect.Signature(_parameters(target.function)).bind(*args, **kwargs)
        except TypeError as error:
            raise TargetError(f"--spec for {target.name}: {error}") from None
    if args or kwargs or target.function.signature is not None:
        return
    parameters = _parameters(target.function)
    required = [
        p.name
        for p in parameters
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if required:
        raise TargetError(
            f"{target.name} takes {', '.join(required)}: give their types, such as "
            f"--spec '{' '.join(['f32[8,16]'] * min(len(required), 3))}'"
        )
