"""A flow by its name in the project, and the same flow in git."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from persistc.cannot_run import CannotRun
from persistc.configuration import Configuration, read_configuration
from persistc.diagnostics import Diagnostic
from persistc.git.files import FileAtRef, file_at
from persistc.keeping.plan import Change
from persistc.keeping.snapshots import Snapshot
from persistc.model import Class, Kind, Method, Module
from persistc.parse import refused_by_python
from persistc.project import Project
from persistc.reading import Reading, read_project, read_text_as
from persistc.sources import find_sources, source_file, text_of
from persistc.versions import is_kept, kept_of, version


def find_change(name: str, ref: str) -> Change:
    """The flow `Class.flow`, or `module.Class.flow`, as it is and as it was at a ref.

    Raises `CannotRun` for a flow that is not there, is none, or has no body to keep, now or then.
    """
    configuration = read_configuration(())
    reading = read_project(find_sources((), configuration).sources, configuration)
    module, cls, flow = _found(reading, name)
    _require_flow(cls, flow)
    refused = refused_by_python(reading.texts[module.file])
    if refused is not None:
        raise CannotRun(f"{module.file}:{refused.lineno or 1}: this Python cannot read it: run persistc on a newer one")
    with open(module.path, "rb") as stream:
        new = Snapshot(stream.read(), module, cls)
    found = file_at(module.path, ref)
    old = _at(found, new, flow.name, reading.project, configuration)
    return Change(reading.project, old, new, flow.name, ref, found.changed)


def _found(reading: Reading, name: str) -> tuple[Module, Class, Method]:
    """The one method of that name in a flow class."""
    owner, _, method = name.rpartition(".")
    prefix, _, class_name = owner.rpartition(".")
    candidates = [
        (module, cls)
        for module, cls in _flow_classes(reading.project)
        if cls.name == class_name and _is_called(module, prefix)
    ]
    if len(candidates) > 1:
        full = ", ".join(f"{module.import_name}.{cls.name}.{method}" for module, cls in candidates)
        raise CannotRun(f"several classes are called {class_name}: say which one is meant, one of {full}")
    for module, cls in candidates:
        found = reading.project.members(cls, module).get(method)
        if found is not None and found.owner is not cls:
            raise CannotRun(f"{name} is defined in {found.owner.name}: run `persistc keep {found.owner.name}.{method}`")
        if found is not None:
            return module, cls, found.method
    if reading.findings:
        broken = reading.findings[0]
        raise CannotRun(f"there is no flow {name}, and {_place(broken)}: {broken.message}; make it readable first")
    raise CannotRun(f"there is no flow {name}: {_suggestion(name, reading.project)}")


def _is_called(module: Module, name: str) -> bool:
    """Whether a module may be called so: by the end of its name for imports, or of its path."""
    return not name or any(f".{each}".endswith(f".{name}") for each in (module.import_name, module.name))


def _suggestion(name: str, project: Project) -> str:
    flows = [
        f"{cls.name}.{method.name}"
        for _, cls in _flow_classes(project)
        for method in cls.methods
        if method.kind is Kind.FLOW and not is_kept(method)
    ]
    if not flows:
        return "the project has no flows; run this where its pyproject.toml is"
    near = get_close_matches(name, flows, 1)
    return f"did you mean {near[0]}?" if near else f"name one of {', '.join(sorted(flows))}"


def _flow_classes(project: Project) -> Iterator[tuple[Module, Class]]:
    for module in project.modules.values():
        for cls in project.flow_classes(module):
            yield module, cls


def _require_flow(cls: Class, method: Method) -> None:
    name = f"{cls.name}.{method.name}"
    if method.kind is not Kind.FLOW:
        word = "a method without a mark" if method.kind is Kind.OTHER else f"a {method.kind}"
        raise CannotRun(f"{name} is {word}, and only flows have versions: name the flow that calls it")
    if is_kept(method):
        of = kept_of(method)
        raise CannotRun(f"{name} is a kept body, version {version(method)} of {of}: name the flow, {cls.name}.{of}")
    if cls.by_name[method.name].conditional:
        raise CannotRun(f"{name} is defined under a condition: define it once, in the class itself")


def _at(found: FileAtRef, new: Snapshot, flow: str, project: Project, configuration: Configuration) -> Snapshot:
    """The file as it was, with the flow in it."""
    ref = found.ref
    source = source_file(found.path, str(configuration.root.absolute()))
    text = text_of(found.data, source)
    read = text if isinstance(text, Diagnostic) else read_text_as(text, source, configuration, project)
    if isinstance(read, Diagnostic):
        raise CannotRun(f"{_place(read)} at {ref}: {read.message}; name a commit that persistc can read")
    name = f"{new.cls.name}.{flow}"
    cls = read.find(new.cls.name)
    before = None if cls is None else cls.by_name.get(flow)
    base = _inherited_from(project, new, flow)
    if cls is not None and before is None and base is not None:
        raise CannotRun(
            f"{name} is new since {ref}, and before that flows of {new.cls.name} ran the body of {base}: keep it by "
            f"hand, with `@flow(version=1, of={flow})` on a method that returns `super().{flow}(...)`"
        )
    if cls is None or before is None:
        raise CannotRun(
            f"{source.file} has no {name} at {ref}: a new flow has no old body; name another commit if it had"
        )
    if before.kind is not Kind.FLOW or is_kept(before) or before.is_abstract:
        what = "a kept body" if is_kept(before) else "abstract" if before.is_abstract else "no flow"
        raise CannotRun(f"{name} is {what} at {ref}, so no flow started on it: name a commit where some did")
    return Snapshot(found.data, read, cls)


def _inherited_from(project: Project, new: Snapshot, flow: str) -> str | None:
    """The base class with a flow that the one of the class overrides."""
    for owner, _ in project.lineage(new.cls, new.module)[1:]:
        method = owner.by_name.get(flow)
        if method is not None and method.kind is Kind.FLOW and not method.is_abstract:
            return owner.name
    return None


def _place(found: Diagnostic) -> str:
    return found.file if found.span is None else f"{found.file}:{found.start.line}"
