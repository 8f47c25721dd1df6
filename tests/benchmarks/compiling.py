"""What builds and imports cost: whole processes, cold."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from .measuring import Figures, scaled

_STEP = '''
    @step(retry=Retry(max_attempts=3))
    async def step_{number}(self, order_id: int, amount: Decimal, note: str = "") -> str:
        """Do the work of step {number}."""
        return f"{{order_id}} {{amount}} {{note}}"
'''
_HEAD = '''
from __future__ import annotations

from decimal import Decimal

from persistasaurus import Retry, flow, step


class Order{name}Flow:
    """Handles an order."""

    @flow
    async def handle(self, order_id: int, amount: Decimal) -> list[str]:
        """Handle it, step by step."""
        done: list[str] = []
'''
_PLAIN = '''
"""A module without flows."""


def price_{number}(amount: int, rate: float = {number}.0) -> float:
    """The price."""
    return sum(part * rate for part in range(amount) if part % 3)


class Price{number}:
    """A price."""

    def __init__(self, amount: int) -> None:
        self.amount = amount

    def total(self) -> float:
        return price_{number}(self.amount)
'''


def flow_module(name: str, lines: int) -> str:
    """The source of a flow module of about so many lines."""
    steps = max((lines - 20) // 7, 1)
    calls = "".join(f"        done.append(await self.step_{each}(order_id, amount))\n" for each in range(steps))
    return (
        _HEAD.format(name=name)
        + calls
        + "        return done\n"
        + "".join(_STEP.format(number=each) for each in range(steps))
    )


def figures(rounds: int, scale: float) -> Figures:
    """Milliseconds of an import, of `persistc generate` for one module, and of `persistc check` for 500 files,
    read anew and unchanged since the last time."""
    with tempfile.TemporaryDirectory(prefix="persistasaurus-bench-") as folder:
        place = Path(folder)
        (place / "pyproject.toml").write_text('[project]\nname = "bench"\nversion = "0"\n')
        (place / "flows.py").write_text(flow_module("One", 300))
        generated = [place / "flows_durable.py", place / "flows_durable.pyi"]
        nothing = _milliseconds(rounds, ["-c", "pass"], place)
        imported = _milliseconds(rounds, ["-c", "import persistasaurus"], place)
        generate = _milliseconds(rounds, ["-m", "persistc", "generate", "flows.py"], place, remove=generated)
        (place / "app").mkdir()
        for number in range(scaled(480, scale)):
            (place / "app" / f"prices_{number}.py").write_text(_PLAIN.format(number=number))
        for number in range(scaled(20, scale)):
            (place / "app" / f"flows_{number}.py").write_text(flow_module(str(number), 120))
        subprocess.run([sys.executable, "-m", "persistc", "generate"], cwd=place, check=True, capture_output=True)
        check = _milliseconds(rounds, ["-m", "persistc", "check", "--no-cache"], place)
        unchanged = _milliseconds(rounds, ["-m", "persistc", "check"], place)
    return {
        "import_ms": imported - nothing,
        "python_ms": nothing,
        "generate_ms": generate,
        "check_500_files_ms": check,
        "check_500_unchanged_ms": unchanged,
    }


def _compiled(place: Path) -> dict[str, str]:
    """An environment in which bytecode is kept, as it is for an installed package, but not in this tree."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return environment | {"PYTHONPYCACHEPREFIX": str(place / "bytecode")}


def _milliseconds(rounds: int, arguments: Sequence[str], place: Path, remove: Sequence[Path] = ()) -> float:
    """The median time of a whole process, after one that warms the file cache."""
    found: list[float] = []
    for _ in range(rounds + 1):
        for path in remove:
            path.unlink(missing_ok=True)
        begun = time.perf_counter()
        subprocess.run([sys.executable, *arguments], cwd=place, check=True, capture_output=True, env=_compiled(place))
        found.append((time.perf_counter() - begun) * 1000)
    return statistics.median(found[1:])
