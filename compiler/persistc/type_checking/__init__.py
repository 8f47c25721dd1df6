"""The user's own mypy over flow modules and generated files; what it finds is put at the lines the user wrote.

A stub beside a module hides the module from mypy, so there are two runs: one over the flow modules and the stubs, one
over the generated modules, which also asks what flow code iterates over and on
what it calls methods.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from persistc.checks.typed_iterables import Iterated, typed_iterables
from persistc.checks.typed_receivers import Receiver, typed_receivers
from persistc.compiling import Compiled
from persistc.diagnostics import in_order
from persistc.model import Module
from persistc.proxies import proxied_classes
from persistc.sources import outputs_of, shown
from persistc.spans import Span
from persistc.suppression import honoured
from persistc.type_checking.findings import CheckedFile, type_errors
from persistc.type_checking.generated_places import generated_places
from persistc.type_checking.iterables import iterations_over_sets
from persistc.type_checking.mypy import run_mypy
from persistc.type_checking.questions import Shadow, answers, shadow_of
from persistc.type_checking.receivers import effects_of_receivers, without_unseen


@dataclass(frozen=True, slots=True)
class TypesChecked:
    """The result of a compilation with what mypy found."""

    compiled: Compiled
    warnings: str
    """What mypy said of its configuration, for people."""


def check_types(compiled: Compiled, python: str) -> TypesChecked:
    """Have mypy check what was compiled; the generated files must be up to date.

    Args:
        compiled: A compilation without errors.
        python: The interpreter whose mypy it is.

    Raises:
        CannotRun: There is no such mypy, or it could not check.
    """
    project = compiled.project
    modules = [module for module in project.modules.values() if any(project.flow_classes(module))]
    if not modules:
        return TypesChecked(compiled, "")
    outputs = {output.path: output.text for output in compiled.outputs}
    written = {os.path.normpath(module.path): _written(module, compiled) for module in modules}
    made = {path: file for module in modules for path, file in _made(module, outputs, compiled)}
    stubs = {path: file for path, file in made.items() if path.endswith(".pyi")}
    iterables, receivers = typed_iterables(project), typed_receivers(project)
    shadows = dict(_shadows([*iterables, *receivers], compiled.texts))

    visible = run_mypy(python, compiled.root, [*written, *stubs])
    hidden = run_mypy(
        python,
        compiled.root,
        [*(path for path in made if path not in stubs), *shadows],
        {path: shadow.text for path, shadow in shadows.items()},
    )

    told = answers(shadows, hidden.reports)
    effects = tuple(effects_of_receivers(project, receivers, told, compiled.found))
    reports = [*visible.reports, *(report for report in hidden.reports if report.path in made)]
    findings = [
        *compiled.found,
        *type_errors(reports, {**written, **made}),
        *iterations_over_sets(iterables, told),
        *effects,
    ]
    texts = {**compiled.texts, **{file.file: file.text for file in made.values()}}
    left = honoured(findings, compiled.commented)
    return TypesChecked(
        replace(compiled, findings=without_unseen(in_order(left), effects), texts=texts),
        visible.warnings,
    )


def _written(module: Module, compiled: Compiled) -> CheckedFile:
    return CheckedFile(module.file, compiled.texts[module.file], None)


def _made(module: Module, outputs: Mapping[str, str], compiled: Compiled) -> Iterator[tuple[str, CheckedFile]]:
    for path in outputs_of(module.path) if proxied_classes(compiled.project, module) else ():
        text = outputs[path]
        places = generated_places(compiled.project, module, text)
        yield os.path.normpath(path), CheckedFile(shown(path), text, places)


def _shadows(asked: Iterable[Iterated | Receiver], texts: Mapping[str, str]) -> Iterator[tuple[str, Shadow]]:
    places: dict[tuple[str, str], set[Span]] = {}
    for each in asked:
        places.setdefault((each.path, each.file), set()).add(each.expression.span)
    for (path, file), spans in places.items():
        yield os.path.normpath(path), shadow_of(texts[file], spans)
