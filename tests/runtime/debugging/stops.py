"""A debugger as those of editors are: it traces every thread.

`python -m tests.runtime.debugging.stops` sets a breakpoint on each line of the flows that has a comment, runs the
program, and prints where it stopped with the locals.
"""

from __future__ import annotations

import asyncio
import bdb
import sys
import threading
from pathlib import Path
from types import FrameType

from . import program

FILE = Path(__file__).with_name("flows_stepped.py")
LINES = {
    text.partition("  # ")[2]: number
    for number, text in enumerate(FILE.read_text(encoding="utf-8").splitlines(), 1)
    if "  # " in text
}
"""The lines with a comment, by it."""


class Debugger(bdb.Bdb):
    """Prints each stop and goes on."""

    def user_line(self, frame: FrameType) -> None:
        """Called at every line before which it stops: those with a breakpoint."""
        place = next((name for name, line in LINES.items() if line == frame.f_lineno), None)
        if frame.f_code.co_filename == str(FILE) and place is not None:
            known = {name: value for name, value in sorted(frame.f_locals.items()) if name != "self"}
            print(f"{place}: {frame.f_code.co_name} {known}")
        self.set_continue()


def main() -> None:
    """Debug the program."""
    debugger = Debugger()
    debugger.reset()
    for line in LINES.values():
        problem = debugger.set_break(str(FILE), line)
        assert problem is None, problem
    threading.settrace(debugger.trace_dispatch)
    sys.settrace(debugger.trace_dispatch)
    if "blocking" in sys.argv:
        program.run_blocking()
    else:
        asyncio.run(program.run_on_a_loop())


if __name__ == "__main__":
    main()
