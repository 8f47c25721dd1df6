"""The user's program in a process of its own: what only an import of its modules can tell.

persistc reads source and imports nothing of it; what it asks a program runs on the program's Python, with the paths its
modules are imported from.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence

from persistc.cannot_run import CannotRun
from persistc.model import Module
from persistc.sources import outputs_of


def generated_name(module: Module) -> str:
    """The name the generated module of a module is imported by."""
    package = module.import_name.rpartition(".")[0]
    if os.path.basename(module.path) == "__init__.py":
        package = module.import_name
    name = os.path.splitext(os.path.basename(outputs_of(module.path)[0]))[0]
    return f"{package}.{name}" if package else name


def ask_program(python: str, question: Sequence[str], root: str, modules: Sequence[Module], purpose: str) -> str:
    """What a module of the runtime prints, run as a program.

    Args:
        python: The interpreter.
        question: The module and its arguments.
        root: The project's folder.
        modules: Those whose generated modules it may import.
        purpose: What this is for, to follow "could not".

    Raises:
        CannotRun: There is no such interpreter, it has no persistasaurus, or it failed.
    """
    paths = [*dict.fromkeys(_import_paths(root, modules)), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    # One seed of hashes, so that defaults which are sets come in one order.
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [python, "-P", "-m", *question]
    try:
        ended = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)
    except OSError as error:
        raise CannotRun(f"{python} cannot be run: {error.strerror}; name a Python with `--python`") from None
    if ended.returncode == 0:
        return ended.stdout
    last = (ended.stderr.strip().splitlines() or ["it did not say why"])[-1]
    if "No module named 'persistasaurus'" in last or "No module named persistasaurus" in last:
        raise CannotRun(f"{python} has no persistasaurus: install it there, or name another `--python`")
    raise CannotRun(f"{python} could not {purpose}: {last}")


def _import_paths(root: str, modules: Sequence[Module]) -> Iterator[str]:
    """The folders the modules are imported from, then the project's root and its `src`."""
    for module in modules:
        folder = os.path.dirname(module.path)
        depth = generated_name(module).count(".")
        yield os.path.normpath(os.path.join(folder, *[os.pardir] * depth))
    yield from (root, os.path.join(root, "src"))
