"""Writes random programs down as the source of flow classes."""

from __future__ import annotations

from collections.abc import Sequence

from .grammar import Program
from .methods import Method
from .side_by_side import SideBySide

HEAD = '''\
"""Random flows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta

from persistasaurus import Json, Retry, flow, parallel, signal, sleep, step, wait_for_signal

from tests.torture.outcomes import Broken, Declined, note, odd, settled, shown
'''


def module_source(programs: Sequence[tuple[str, Program]]) -> str:
    """The source of a module with a flow class for each program, under the name that comes with it."""
    return HEAD + "".join("\n\n" + class_source(name, program) for name, program in programs)


def class_source(name: str, program: Program) -> str:
    """The source of a program as a flow class of that name."""
    writer = SideBySide(plain=program.plain)
    with writer.block(f"class {name}:"):
        with writer.block("def __init__(self, new_trace: Callable[[], list[str]]) -> None:"):
            writer.line("self.new_trace = new_trace")
        writer.line("")
        writer.line("@flow")
        with writer.block(f"{writer.define} run(self) -> Json:"):
            writer.line("seen = self.new_trace()  # persistc: allow[PST204] the world looks at it")
            writer.line(f"return {writer.statement(program.root)}")
        for each in sorted({Method.of(node) for node in program.root.walk() if node.kind in ("step", "signal")}):
            writer.line("")
            writer.lines += [f"    {line}" if line else "" for line in each.text(plain=program.plain)]
    return "\n".join(writer.lines) + "\n"
