"""Compiles random programs with persistc, many in one module, and imports the proxies it generates."""

from __future__ import annotations

import gc
import importlib
import itertools
import linecache
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from persistc.compiling import compile_paths
from persistc.diagnostics import Code
from persistc.files import differences, write
from persistc.reporting import OutputFormat, render

from .grammar import Program
from .source import module_source

_numbers = itertools.count(1)


class NotCompiled(Exception):
    """persistc finds something wrong with a generated program, and every one of them is right."""


@contextmanager
def compiled(programs: Mapping[str, Program]) -> Iterator[dict[str, type[Any]]]:
    """The proxy classes of programs, by the names of their classes; they are gone when the block ends.

    Raises:
        NotCompiled: What persistc prints.
    """
    package = f"torture_flows_{next(_numbers)}"
    with tempfile.TemporaryDirectory(prefix="persistasaurus-torture-") as root:
        folder = Path(root) / package
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / "flows.py").write_text(module_source(tuple(programs.items())), encoding="utf-8")
        _compile(folder)
        sys.path.insert(0, root)
        try:
            importlib.invalidate_caches()
            module = importlib.import_module(f"{package}.flows_durable")
            yield {name: getattr(module, f"Durable{name}") for name in programs}
        finally:
            sys.path.remove(root)
            for name in [name for name in sys.modules if name.partition(".")[0] == package]:
                del sys.modules[name]
            linecache.clearcache()


def _compile(folder: Path) -> None:
    gc.disable()  # trees of thousands of nodes, and none of them garbage before the end
    try:
        result = compile_paths([folder])
    finally:
        gc.enable()
    # They note their course with functions from outside of their project, into which persistc cannot see.
    findings = [found for found in result.findings if found.code is not Code.CANNOT_SEE_INTO_CALL]
    if findings:
        raise NotCompiled(render(findings, result.texts, OutputFormat.TEXT))
    write(differences(result.outputs, result.existing))
