"""The check of a module as a whole: it must not import what is generated from it."""

from collections.abc import Iterator

from persistc.diagnostics import Code, Diagnostic
from persistc.model import Import, Module
from persistc.project import Project


def check_modules(project: Project, module: Module) -> Iterator[Diagnostic]:
    """PST004 for each import of its own proxies that runs when the module is imported."""
    if next(project.flow_classes(module), None) is None:
        return
    stem = module.name.rpartition(".")[2]
    own = [each for each in module.imports if _runs_at_import(each) and _own_proxies(each, module)]
    for imported in own:
        yield Diagnostic(
            code=Code.IMPORTS_OWN_PROXIES,
            message=f"`{stem}.py` imports its own proxies",
            file=module.file,
            span=imported.span,
            label=f"`{stem}_durable.py` is generated from this file and imports it",
            help=_two_files(project, module, stem) if imported is own[0] else "this import has to go too",
        )


def import_for_annotations(module: Module, proxy: str) -> str:
    """How a module takes a proxy of its own, for annotations only, as lines of a help."""
    return (
        "from __future__ import annotations\n"
        "from typing import TYPE_CHECKING\n"
        "\n"
        "if TYPE_CHECKING:\n"
        f"    {_import_of(module, proxy)}"
    )


def _import_of(module: Module, proxy: str) -> str:
    return f"from {'.' if module.in_package else ''}{module.name.rpartition('.')[2]}_durable import {proxy}"


def _runs_at_import(imported: Import) -> bool:
    return not imported.type_checking and not imported.in_function


def _own_proxies(imported: Import, module: Module) -> bool:
    """Also before the first `persistc generate`, when there is no such file an import could be resolved to."""
    proxies = f"{module.name}_durable"
    if f"{imported.origin}.".startswith(f"{proxies}."):
        return True
    written = imported.module
    if imported.name is not None and imported.name.endswith("_durable"):
        written = f"{written}{'' if written.endswith('.') else '.'}{imported.name}"
    return not written.startswith("..") and proxies.endswith(f".{written.removeprefix('.')}")


def _two_files(project: Project, module: Module, stem: str) -> str:
    flow_class = next(project.flow_classes(module))
    cls = flow_class.name
    is_async = any(method.is_async for method in flow_class.methods)
    engine = "async with Engine" if is_async else "with BlockingEngine"
    return (
        "put the flow class and the program that runs it in two files:\n"
        "\n"
        f"# {stem}.py: the flow class, and nothing that needs its proxies\n"
        f"class {cls}: ...\n"
        "\n"
        f"# main.py: the program, run after `persistc generate {module.file}`\n"
        f"{_import_of(module, f'Durable{cls}')}\n"
        "\n"
        f"{engine}(flows=[Durable{cls}()]) as engine: ...\n"
        "\n"
        f"# {stem}.py, where only annotations need the proxies: an import that never runs\n"
        f"{import_for_annotations(module, f'Durable{cls}')}"
    )
