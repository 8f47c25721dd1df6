"""Source that changed without being compiled again: noticed at import, by `persistc check`, and mostly by mypy."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from tests.compiler.projects import IMPORT_PATH, Project, run_module

BEFORE = """\
from datetime import datetime, timedelta

from persistasaurus import Retry, flow, signal, step


class PaymentDeclined(Exception):
    pass


class CardExpired(Exception):
    pass


class ShopFlow:
    @flow
    async def buy(self, article: str, count: int = 1) -> str:
        return await self.pay(article, count)

    @step(raises=(PaymentDeclined,))
    async def pay(self, article: str, count: int, *, gift: bool = False) -> str:
        return article

    @step
    def pack(self, article: str, /, *extras: str, **labels: int) -> None: ...

    @signal
    async def confirm(self, at: datetime) -> datetime:
        return at

    @flow(version=3)
    async def order(self, article: str) -> str:
        return article

    @flow(version=2, of=order)
    async def order_v2(self, article: str, count: int) -> str:
        return article

    @flow
    async def reorder(self) -> None: ...
"""
PAY = "async def pay(self, article: str, count: int, *, gift: bool = False) -> str:"
AWAITED = f"""\
await self.pay(article, count)

    @step(raises=(PaymentDeclined,))
    {PAY}"""
KEPT = """\
@flow(version=2, of=order)
    async def order_v2(self, article: str, count: int) -> str:
        return article

"""


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of change to the source."""

    name: str
    old: str
    new: str
    method: str
    """What the error must name."""
    seen_by_mypy: bool


CHANGES = (
    Change("parameter_added", PAY, PAY.replace("count: int,", "count: int, tax: int,"), "pay", True),
    Change("optional_parameter_added", PAY, PAY.replace("count: int,", "count: int, tax: int = 0,"), "pay", True),
    Change("parameter_removed", PAY, PAY.replace(" count: int,", ""), "pay", False),
    Change("parameter_renamed", PAY, PAY.replace("count", "number"), "pay", False),
    Change("parameters_swapped", PAY, PAY.replace("article: str, count: int", "count: int, article: str"), "pay", True),
    Change("parameter_type_changed", PAY, PAY.replace("count: int", "count: str"), "pay", True),
    Change("parameter_type_widened", PAY, PAY.replace("count: int", "count: int | None"), "pay", True),
    Change("parameter_type_narrowed", PAY, PAY.replace("count: int", "count: bool"), "pay", False),
    Change("result_type_changed", PAY, PAY.replace("-> str", "-> int"), "pay", True),
    Change("result_type_widened", PAY, PAY.replace("-> str", "-> str | None"), "pay", False),
    Change("default_added", PAY, PAY.replace("count: int", "count: int = 1"), "pay", True),
    Change("default_changed", "count: int = 1", "count: int = 2", "buy", False),
    Change("default_removed", "count: int = 1", "count: int", "buy", False),
    Change("made_keyword_only", PAY, PAY.replace("count: int, *", "*, count: int"), "pay", False),
    Change("made_positional", PAY, PAY.replace("*, gift", "gift"), "pay", True),
    Change("no_longer_positional_only", "article: str, /, *extras", "article: str, *extras", "pack", False),
    Change("variadic_removed", "*extras: str, ", "", "pack", False),
    Change("variadic_type_changed", "**labels: int", "**labels: str", "pack", True),
    Change("made_plain", AWAITED, AWAITED.replace("async ", "").replace("await ", ""), "pay", True),
    Change("made_async", "    def pack", "    async def pack", "pack", True),
    Change("method_renamed", "def pack(", "def wrap(", "pack", True),
    Change(
        "method_added", "    @signal", "    @step\n    async def more(self) -> None: ...\n\n    @signal", "more", False
    ),
    Change("step_made_flow", "    @step\n    def pack", "    @flow\n    def pack", "pack", False),
    Change("step_made_signal", "    @step\n    def pack", "    @signal\n    def pack", "pack", False),
    Change("mark_removed", "    @step\n    def pack", "    def pack", "pack", False),
    Change(
        "kept_signature_changed", "def order_v2(self, article: str", "def order_v2(self, name: str", "order_v2", False
    ),
    Change("kept_made_plain", KEPT, KEPT.replace("async ", ""), "order_v2", True),
    Change("kept_removed", f"    {KEPT}", "", "order_v2", True),
    Change("kept_added", KEPT, KEPT + "    " + KEPT.replace("2", "1"), "order_v1", False),
    Change(
        "flow_made_kept",
        "    @flow\n    async def reorder",
        "    @flow(version=1, of=order)\n    async def reorder",
        "reorder",
        False,
    ),
    Change("error_added", "raises=(PaymentDeclined,)", "raises=(PaymentDeclined, CardExpired)", "pay", False),
)


@pytest.fixture(scope="module")
def stale(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A package for each kind of change, all compiled before it."""
    project = Project(tmp_path_factory.mktemp("stale"))
    for change in CHANGES:
        project.write(f"{change.name}/__init__.py", "")
        project.write(f"{change.name}/flows.py", BEFORE)
    assert project.persistc("generate").exit_code == 0
    for change in CHANGES:
        changed = BEFORE.replace(change.old, change.new)
        assert changed != BEFORE
        project.write(f"{change.name}/flows.py", changed)
    return project


@pytest.fixture(scope="module")
def errors_at_import(stale: Project) -> dict[str, str]:
    """What the import of each package's proxies raises."""
    ended = stale.python(f"""
        import importlib, json
        from persistasaurus import StaleProxy
        raised = {{}}
        for name in {[change.name for change in CHANGES]}:
            try:
                importlib.import_module(f"{{name}}.flows_durable")
            except StaleProxy as error:
                raised[name] = str(error)
        print(json.dumps(raised))
    """)
    assert ended.exit_code == 0, ended.stderr
    errors: dict[str, str] = json.loads(ended.stdout)
    return errors


@pytest.fixture(scope="module")
def complaints_of_mypy(stale: Project) -> str:
    files = [f"{change.name}/flows_durable.pyi" for change in CHANGES]
    return run_module("mypy", "--strict", *files, cwd=stale.root, MYPYPATH=IMPORT_PATH).stdout


@pytest.fixture(scope="module")
def differences_of_check(stale: Project) -> str:
    ended = stale.persistc("check", "--output-format", "concise")
    assert ended.exit_code == 1
    return ended.stdout


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_change_without_compiling_is_an_error_at_import_that_names_the_method(
    change: Change, errors_at_import: dict[str, str]
) -> None:
    message = errors_at_import[change.name]
    assert f" {change.method}" in message
    assert "Run `persistc generate`" in message


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_change_without_compiling_is_found_by_check(change: Change, differences_of_check: str) -> None:
    assert f"stale: {change.name}/flows_durable.py\n" in differences_of_check


@pytest.mark.parametrize("change", [each for each in CHANGES if each.seen_by_mypy], ids=lambda change: change.name)
def test_a_change_of_types_is_found_by_mypy(change: Change, complaints_of_mypy: str) -> None:
    assert f"{change.name}/flows_durable.pyi:" in complaints_of_mypy
