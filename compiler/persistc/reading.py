"""From source files to the project: which files deserve a full reading, and their models.

Most files of a program have no flows. A file is read fully when it has something that carries, or seems to carry, one
of our decorators, or a class that inherits from a flow class. What decides is, cheapest first: its bytes, its import
lines, its interface.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from persistc.configuration import Configuration
from persistc.diagnostics import Diagnostic
from persistc.findings_of_files import source_too_deep, syntax_error
from persistc.import_paths import ImportPaths
from persistc.interfaces import FunctionsOfModule, read_interface, read_state
from persistc.kept_state import KeptState
from persistc.lower import lower
from persistc.model import PACKAGE, BindingKind, Decorator, Kind, Method, Module, mark_of
from persistc.names import imports_of
from persistc.parse import parse, refused_by_python
from persistc.project import Project
from persistc.sources import SourceFile, may_mention, module_path, read_text, source_file

_IMPORT_LINES = re.compile(r"^[ \t]*(?:from|import)\b[^\n(]*(?:\([^)]*\))?", re.MULTILINE)
_OWN_PACKAGE = re.compile(r"[ \t]*from\s+\.+\s*import\b")
_MARKS = frozenset(Kind) - {Kind.OTHER}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: the project, the modules with flow classes in it, and what could not be read."""

    project: Project
    texts: Mapping[str, str]
    """The text of each file that was read, by the name findings show."""
    findings: tuple[Diagnostic, ...]
    """What could not be read of the modules with flow classes."""
    later_findings: Callable[[], tuple[Diagnostic, ...]]
    """What could not be read of the modules that were asked for since: checks look into what flow code calls."""


def read_project(sources: Sequence[SourceFile], configuration: Configuration) -> Reading:
    """Read all sources as far as each deserves it."""
    library = _Library(os.path.abspath(configuration.root), _import_paths(configuration))
    findings = tuple(_read(sources, library))
    told = {finding.file for finding in findings}
    return Reading(
        library.project,
        library.texts,
        findings,
        lambda: tuple(found for found in library.unreadable() if found.file not in told),
    )


def read_text_as(text: str, source: SourceFile, configuration: Configuration, project: Project) -> Module | Diagnostic:
    """A text as the module it would be as that source of the project, as it was at another time say."""
    refused = refused_by_python(text)
    tree = parse(text, source) if refused is None else syntax_error(source.file, refused)
    if isinstance(tree, Diagnostic):
        return tree
    imports = imports_of(tree, source, _import_paths(configuration), project.canonical)
    return lower(tree, source, imports, project.canonical)


def _import_paths(configuration: Configuration) -> ImportPaths:
    source = tuple(os.path.abspath(path) for path in configuration.source)
    return ImportPaths(os.path.abspath(configuration.root), source)


class _Modules(Mapping[str, Module]):
    """The modules of a project: goes over those that were read fully, and reads the interface of any other that is
    asked for by name."""

    def __init__(self, library: _Library) -> None:
        self._library = library

    def __getitem__(self, name: str) -> Module:
        module = self._library.full.get(name) or self._library.interface(name)
        if module is None:
            raise KeyError(name)
        return module

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._library.full))

    def __len__(self) -> int:
        return len(self._library.full)


class _Functions(Mapping[str, Method]):
    """The functions of a project: reads the module of any that is asked for, and goes over none by itself."""

    def __init__(self, library: _Library) -> None:
        self._library = library
        self._of_modules: dict[str, FunctionsOfModule] = {}

    def __getitem__(self, origin: str) -> Method:
        home, _, name = origin.rpartition(".")
        if (functions := self._of_module(home)) is None:
            home, _, owner = home.rpartition(".")
            functions, name = self._of_module(home), f"{owner}.{name}"
        if functions is None:
            raise KeyError(origin)
        return functions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def _of_module(self, name: str) -> FunctionsOfModule | None:
        module = self._library.modules.get(name)
        if module is not None and name not in self._of_modules:
            source = source_file(module.path, self._library.root)
            text = self._library.texts[module.file]
            self._of_modules[name] = FunctionsOfModule(module, source, self._library.paths, text)
        return self._of_modules.get(name)


class _States(Mapping[str, KeptState]):
    """What the modules of a project keep: looked into when somebody asks, and once."""

    def __init__(self, library: _Library) -> None:
        self._library = library
        self._read: dict[str, KeptState] = {}

    def __getitem__(self, name: str) -> KeptState:
        if name not in self._read:
            module = self._library.modules[name]
            self._read[name] = read_state(self._library.texts[module.file])
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._library.modules)

    def __len__(self) -> int:
        return len(self._library.modules)


@dataclass
class _Library:
    """The modules of one run, each read once and no further than somebody asks."""

    root: str
    paths: ImportPaths
    full: dict[str, Module] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    interfaces: dict[str, Module | None] = field(default_factory=dict)
    broken: dict[str, SyntaxError] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    """The modules that somebody asked for by name."""

    def __post_init__(self) -> None:
        self.modules = _Modules(self)
        self.project = Project(self.modules, _Functions(self), _States(self))

    def interface(self, name: str) -> Module | None:
        """The interface of a module by its name; None when there is none or Python cannot read it."""
        self.asked.add(name)
        if name not in self.interfaces:
            self.interfaces[name] = None
            path = module_path(name, self.root) if name.startswith(".") else None
            if path is not None:
                source = source_file(path, self.root)
                text = self.texts.get(source.file) or read_text(source)
                if isinstance(text, str):
                    self.read_interface(source, text)
        return self.interfaces[name]

    def read_interface(self, source: SourceFile, text: str) -> None:
        """Read one and keep it with its text."""
        self.texts[source.file] = text
        found = read_interface(text, source, self.paths)
        if isinstance(found, SyntaxError):
            self.broken[source.name] = found
            self.interfaces[source.name] = None
        else:
            self.interfaces[source.name] = found

    def unreadable(self) -> Iterator[Diagnostic]:
        """The modules asked for by name that not even libcst reads, which knows syntax newer than this Python's."""
        for name in sorted(self.asked & self.broken.keys()):
            error = self.broken[name]
            path = module_path(name, self.root)
            source = None if path is None else source_file(path, self.root)
            if source is not None and (error.lineno is None or _refused_by_libcst(self.texts[source.file], source)):
                yield syntax_error(source.file, error)

    def read_fully(self, source: SourceFile) -> Diagnostic | None:
        """Read a module with its bodies, or say why that is not possible."""
        try:
            return self._lower(source)
        except RecursionError:
            return source_too_deep(source.file)

    def _lower(self, source: SourceFile) -> Diagnostic | None:
        tree = parse(self.texts[source.file], source)
        if isinstance(tree, Diagnostic):
            return tree
        imports = imports_of(tree, source, self.paths, self.project.canonical)
        starred = self._starred(each.origin for each in imports if each.name == "*" and not each.in_function)
        self.full[source.name] = lower(tree, source, imports, self.project.canonical, starred)
        return None

    def _starred(self, modules: Iterable[str], above: tuple[str, ...] = ()) -> dict[str, str] | None:
        """What star imports of these modules make known, with what it stands for; None if one cannot be looked into.

        Our own marks are left out: they have to be imported where a reader sees them.
        """
        found: dict[str, str] = {}
        for name in modules:
            module = self.modules.get(name)
            if module is None:
                return None
            stars = (each.origin for each in module.scope.bindings if each.kind is BindingKind.STAR_IMPORT)
            further = self._starred((each for each in stars if each not in above), (*above, name))
            if further is None:
                return None
            public = {each: f"{name}.{each}" for each in module.scope.by_name if not each.startswith("_")}
            found |= further | public
        return {each: origin for each, origin in found.items() if mark_of(self.project.canonical(origin)) is None}


def _refused_by_libcst(text: str, source: SourceFile) -> bool:
    try:
        return isinstance(parse(text, source), Diagnostic)
    except RecursionError:
        return True


def _read(sources: Sequence[SourceFile], library: _Library) -> Iterator[Diagnostic]:
    by_name = {source.name: source for source in sources}
    unasked: dict[str, str] = {}
    for source in sources:
        text = read_text(source)
        if isinstance(text, Diagnostic):
            if may_mention(source, PACKAGE):
                yield text
        elif PACKAGE in text:
            library.read_interface(source, text)
        else:
            unasked[source.name] = text
    concerned = [name for name in by_name if name in library.interfaces]
    while concerned:
        providers = [name for name in concerned if _provides(library.interfaces[name], library)]
        concerned = _importers(providers, unasked)
        for name in concerned:
            library.read_interface(by_name[name], unasked.pop(name))
    for name, source in by_name.items():
        interface = library.interfaces.get(name)
        broken = library.broken.get(name)
        if broken is not None and PACKAGE in library.texts[source.file]:
            # Syntax that is newer than the Python persistc runs on is no obstacle to libcst. An error without a line
            # is none of syntax but of depth, and would crash libcst's parser.
            if broken.lineno is None or library.read_fully(source) is not None:
                yield syntax_error(source.file, broken)
        elif interface is not None and source.file in library.texts and _has_flows(interface, library):
            refused = refused_by_python(library.texts[source.file])
            finding = library.read_fully(source) if refused is None else syntax_error(source.file, refused)
            if finding is not None:
                yield finding


def _provides(interface: Module | None, library: _Library) -> bool:
    """Whether others may get flow classes or our decorators from this module."""
    if interface is None:
        return False
    if _has_flows(interface, library):
        return True
    for binding in interface.scope.bindings:
        if binding.kind is BindingKind.STAR_IMPORT:
            return True
        meant = binding.origin
        if binding.kind is BindingKind.ASSIGNMENT and binding.value is not None:
            meant = interface.origin_of(binding.value.expression) or meant
        origin = library.project.canonical(meant)
        if origin == PACKAGE or mark_of(origin) or _is_flow_class(origin, library):
            return True
    return False


def _importers(providers: Sequence[str], unasked: Mapping[str, str]) -> list[str]:
    """The files not yet looked into that may import one of these modules: an import in them says its last name, or
    takes something from the package they stand in (`from . import`)."""
    if not providers:
        return []
    stems = sorted({re.escape(name.rpartition(".")[2]) for name in providers})
    mention = re.compile(rf"\b(?:{'|'.join(stems)})\b")
    return [
        name
        for name, text in unasked.items()
        if any(
            mention.search(line[0]) or (_OWN_PACKAGE.match(line[0]) and _is_below(name, providers))
            for line in _IMPORT_LINES.finditer(text)
        )
    ]


def _is_below(name: str, packages: Sequence[str]) -> bool:
    return any(name.startswith(f"{package}.") for package in packages)


def _has_flows(module: Module, library: _Library) -> bool:
    """Whether a module has flow classes, or something a check would have to look at."""
    if any(mark_of(each.origin) or each.origin == PACKAGE for each in module.imports):
        return True  # a mark may stand where an interface does not look: within a function, on a lambda
    decorators = [decorator for stray in module.strays for decorator in stray.decorators]
    decorators += [decorator for cls in module.classes for method in cls.methods for decorator in method.decorators]
    if any(_concerns_us(decorator, library) for decorator in decorators):
        return True
    bases = (library.project.base_class(base, module) for cls in module.classes for base in cls.bases)
    return any(base is not None and library.project.is_flow_class(*base) for base in bases)


def _is_flow_class(origin: str | None, library: _Library) -> bool:
    found = library.project.find_class(origin)
    return found is not None and library.project.is_flow_class(*found)


def _concerns_us(decorator: Decorator, library: _Library) -> bool:
    """Whether a decorator is ours, or could be taken for ours by whoever wrote it."""
    if decorator.origin is None:
        return True
    origin = library.project.canonical(decorator.origin)
    if origin.startswith(f"{PACKAGE}."):
        return True
    if origin.startswith("."):
        owner, _, last = origin.rpartition(".")
        home = library.project.modules.get(owner)
        found = home.scope.by_name.get(last, ()) if home is not None else ()
        return last in _MARKS or any(binding.kind is BindingKind.ASSIGNMENT for binding in found)
    return False
