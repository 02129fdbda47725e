"""What the libraries were before untrusted code ran in their interpreter, and putting it back.

Untrusted code shares the interpreter with the functions that render its figure and read its facts. `Genuine` remembers, in
the clean server, every function and class of the libraries that take part, and `restore` undoes replaced and added functions,
swapped code objects and defaults, replaced modules and import hooks. What it cannot undo: state of single objects (a figure's
own attributes), new subclasses, and writes to raw memory. `witness.suspects` reports the first two.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterable, Iterator
from types import BuiltinFunctionType, CellType, FunctionType, ModuleType
from typing import Any

LIBRARIES = (
    *(
        "matplotlib",
        "mpl_toolkits",
        "PIL",
        "json",
        "vlrl",
        "numpy",
        "numpy.ma",
        "numpy.linalg",
        "cycler",
        "contourpy",
        "kiwisolver",
    ),
    *(
        "builtins",
        "sys",
        "gc",
        "signal",
        "io",
        "os",
        "posix",
        "posixpath",
        "math",
        "re",
        "struct",
        "zlib",
        "copy",
        "contextlib",
        "functools",
        "itertools",
    ),
    *(
        "collections",
        "collections.abc",
        "operator",
        "enum",
        "weakref",
        "types",
        "abc",
        "inspect",
        "pathlib",
        "numbers",
        "logging",
    ),
    *(
        "string",
        "textwrap",
        "time",
        "datetime",
        "threading",
        "warnings",
        "tempfile",
        "shutil",
        "locale",
        "traceback",
        "importlib",
    ),
)
WHOLE = ("matplotlib", "mpl_toolkits", "PIL", "json", "vlrl")
"""Of these, the modules below them too."""

MEMBER = (FunctionType, BuiltinFunctionType, type, property, classmethod, staticmethod, ModuleType)
Namespace = tuple[Any, dict[str, Any], frozenset[str]]
"""A module or class, its live dictionary's members as they were, and all its names."""


def _modules() -> list[ModuleType]:
    return [module for name, module in list(sys.modules.items()) if name in LIBRARIES or name.partition(".")[0] in WHOLE]


def _is_member(value: Any) -> bool:
    return isinstance(value, MEMBER) or (hasattr(type(value), "__get__") and not isinstance(value, type))


def _is_ours(cls: type) -> bool:
    return bool(cls.__flags__ & (1 << 9)) and (cls.__module__.partition(".")[0] in {n.partition(".")[0] for n in LIBRARIES})


def _functions(value: Any) -> Iterator[FunctionType]:
    """The Python functions inside a member: itself, a property's three, a wrapped one."""
    if isinstance(value, FunctionType):
        yield value
        for cell in value.__closure__ or ():
            content = _content(cell)
            if isinstance(content, FunctionType) and content is not value:
                yield content
    elif isinstance(value, property):
        yield from (part for part in (value.fget, value.fset, value.fdel) if isinstance(part, FunctionType))
    elif isinstance(value, (classmethod, staticmethod)) and isinstance(value.__func__, FunctionType):
        yield value.__func__


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # empty
        return None


class Genuine:
    """A memory of the libraries, made once by the clean server."""

    def __init__(self) -> None:
        self.modules = {module.__name__: module for module in _modules()}
        classes = {cls: None for module in self.modules.values() for cls in vars(module).values() if isinstance(cls, type)}
        self.classes = frozenset(self._all_below(classes))
        owners: list[Any] = [*self.modules.values(), *(cls for cls in self.classes if _is_ours(cls))]
        self._namespaces = [self._remember(owner) for owner in owners]
        functions = {f: None for _, members, _ in self._namespaces for value in members.values() for f in _functions(value)}
        self._functions = [(f, f.__code__, f.__defaults__, f.__kwdefaults__) for f in functions]
        self._cells = [(cell, _content(cell)) for f in functions for cell in f.__closure__ or () if callable(_content(cell))]
        self._tables = self._registries()
        self._hooks = list(sys.meta_path), list(sys.path_hooks), list(sys.path)
        self._live_builtins, self._builtins = vars(builtins), dict(vars(builtins))

    @staticmethod
    def _all_below(classes: Iterable[type]) -> Iterator[type]:
        seen: dict[type, None] = {}
        todo = list(classes)
        while todo:
            cls = todo.pop()
            if cls not in seen and cls is not type:
                seen[cls] = None
                todo += type.__subclasses__(cls) if _is_ours(cls) else []
        return iter(seen)

    @staticmethod
    def _remember(owner: Any) -> Namespace:
        return owner, {name: value for name, value in vars(owner).items() if _is_member(value)}, frozenset(vars(owner))

    @staticmethod
    def _registries() -> list[tuple[dict[Any, Any], dict[Any, Any]]]:
        """Tables of functions by name, such as Pillow's writers by format."""
        from PIL import Image

        tables: list[dict[Any, Any]] = [value for value in vars(Image).values() if type(value) is dict]
        return [(table, dict(table)) for table in tables]

    def restore(self) -> int:
        """Put the libraries back as they were; the number of things that had been changed."""
        changed = self._restore_builtins()
        changed += sum([self._restore_namespace(*entry) for entry in self._namespaces])
        changed += self._restore_functions()
        for cell, content in self._cells:
            if _content(cell) is not content:
                cell.cell_contents = content
                changed += 1
        for table, copy in self._tables:
            table.clear()
            table.update(copy)
        sys.modules.update(self.modules)
        sys.meta_path[:], sys.path_hooks[:], sys.path[:] = self._hooks
        return changed

    def _restore_builtins(self) -> int:
        """Before anything else, and without calling one: what follows calls them."""
        live, changed = self._live_builtins, 0
        for name, value in self._builtins.items():
            if name not in live or live[name] is not value:
                live[name] = value
                changed += 1
        return changed

    def _restore_namespace(self, owner: Any, members: dict[str, Any], names: frozenset[str]) -> int:
        now = owner.__dict__
        wrong = [name for name, value in members.items() if name not in now or now[name] is not value]
        added = (
            [name for name in now if name not in names and self._is_harmful(owner, name, now[name])]
            if len(now) > len(names)
            else []
        )
        for name in wrong:
            setattr(owner, name, members[name])
        for name in added:
            delattr(owner, name)
        return len(wrong) + len(added)

    def _is_harmful(self, owner: Any, name: str, value: Any) -> bool:
        """A name added to a class, or to a module over a built-in one. (Modules gain submodules and caches in honest use.)"""
        return isinstance(owner, type) and _is_member(value) if isinstance(owner, type) else name in self._builtins

    def _restore_functions(self) -> int:
        wrong = [
            (f, c, d, k)
            for f, c, d, k in self._functions
            if f.__code__ is not c or f.__defaults__ is not d or f.__kwdefaults__ is not k
        ]
        for function, code, defaults, named in wrong:
            function.__code__, function.__defaults__, function.__kwdefaults__ = code, defaults, named
        return len(wrong)
