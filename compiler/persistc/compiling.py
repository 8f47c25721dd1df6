"""The way through all stages: from paths to the files that should be there, or to what is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from persistc.checks import check_reading
from persistc.checks.left_to_types import only_types_tell
from persistc.configuration import read_configuration
from persistc.crash_tests import crash_test_modules
from persistc.diagnostics import Diagnostic, Severity, in_order
from persistc.findings_of_files import output_collision
from persistc.model import Module
from persistc.project import Project
from persistc.proxies import proxied_classes, proxy_module, stub_module
from persistc.reading import Reading, read_project
from persistc.render import render_crash_tests, render_proxies, render_stub
from persistc.seal import sealed
from persistc.sources import SourceFile, find_sources, outputs_of, shown
from persistc.suppression import honoured


@dataclass(frozen=True, slots=True)
class Output:
    """A generated file as it should be."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """The result of a run; while there are errors, `outputs` is empty."""

    findings: tuple[Diagnostic, ...]
    texts: Mapping[str, str]
    """The sources that were read, by the name findings show."""
    outputs: tuple[Output, ...]
    existing: tuple[str, ...]
    """Files with the name of an output that are there."""
    project: Project
    modules: tuple[Module, ...]
    """Those with a proxy."""
    root: str
    """The project's folder."""
    found: tuple[Diagnostic, ...]
    """What was found before comments were honoured."""
    commented: Mapping[str, str]
    """The texts whose comments count."""

    @property
    def has_errors(self) -> bool:
        return any(finding.severity is Severity.ERROR for finding in self.findings)


def compile_paths(paths: Sequence[Path]) -> Compiled:
    """Compile all flow classes below the paths, or below the configured source when none are given.

    Raises `CannotRun` when a path or the configuration is wrong.
    """
    configuration = read_configuration(paths)
    found = find_sources(paths, configuration)
    reading = read_project(found.sources, configuration)
    project = reading.project
    modules = [module for module in project.modules.values() if proxied_classes(project, module)]
    before = (*_found_in(reading), *_collisions(modules))
    commented = _commented(reading, found.sources)
    compiled = Compiled(
        findings=tuple(in_order(honoured(before, commented, only_types_tell(project)))),
        texts=reading.texts,
        outputs=(),
        existing=found.outputs,
        project=project,
        modules=tuple(modules),
        root=os.path.abspath(configuration.root),
        found=before,
        commented=commented,
    )
    if compiled.has_errors:
        return compiled
    outputs = tuple(
        Output(path, sealed(body, os.path.basename(module.path)))
        for module in modules
        for path, body in zip(
            outputs_of(module.path),
            (render_proxies(proxy_module(project, module)), render_stub(stub_module(project, module))),
            strict=True,
        )
    )
    return replace(compiled, outputs=outputs)


def crash_tests(compiled: Compiled, folder: str) -> tuple[Output, ...]:
    """The test files of the flow classes, in this folder."""
    found = crash_test_modules(compiled.project, compiled.modules)
    return tuple(Output(os.path.join(folder, each.file), render_crash_tests(each)) for each in found)


def findings_of(reading: Reading, sources: Sequence[SourceFile]) -> list[Diagnostic]:
    """What is wrong in what was read, less what comments in the sources allow."""
    return honoured(_found_in(reading), _commented(reading, sources), only_types_tell(reading.project))


def _found_in(reading: Reading) -> tuple[Diagnostic, ...]:
    return tuple(check_reading(reading))


def _commented(reading: Reading, sources: Sequence[SourceFile]) -> dict[str, str]:
    """A file outside of the sources may have been read for its interface only: its comments are not judged."""
    return {source.file: reading.texts[source.file] for source in sources if source.file in reading.texts}


def _collisions(modules: Sequence[Module]) -> Iterator[Diagnostic]:
    """Two modules with one output, also where the file system does not tell capitals from small letters."""
    owners: dict[str, Module] = {}
    for module in modules:
        path = outputs_of(module.path)[0]
        first = owners.setdefault(path.casefold(), module)
        if first is not module:
            yield output_collision(module.file, first.file, shown(path))
