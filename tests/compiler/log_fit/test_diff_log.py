"""`persistc diff --log` and `persistc versions --log`: code held against the flows in flight of a real log."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.compiler.projects import IMPORT_PATH, Ended, Project, contents, run_module

FLOWS = """\
from dataclasses import dataclass

from persistasaurus import flow, signal, step, wait_for_signal


@dataclass
class Line:
    sku: str
    count: int


@dataclass
class Order:
    lines: list[Line]


class OrderFlow:
    @flow
    async def place_order(self, order: Order) -> str:
        receipt = await self.charge(order)
        await self.ship(order, receipt)
        await wait_for_signal(self.arrived)
        return receipt

    @flow(name="refund")
    async def give_back(self, sku: str) -> str:
        await wait_for_signal(self.returned)
        return await self.pay(sku)

    @step
    async def charge(self, order: Order) -> str:
        return f"paid for {len(order.lines)}"

    @step
    async def ship(self, order: Order, receipt: str) -> None: ...

    @step
    async def pay(self, sku: str) -> str:
        return sku

    @signal
    async def arrived(self) -> None: ...

    @signal
    async def returned(self, count: int) -> int:
        return count
"""

PROGRAM = """\
import asyncio

from persistasaurus import Engine, FlowStatus

from shop.flows import Line, Order
from shop.flows_durable import DurableOrderFlow

flows = [DurableOrderFlow()]
print("a program may print while it is imported")


def make_flows() -> list[DurableOrderFlow]:
    return [DurableOrderFlow()]


async def main() -> None:
    async with Engine("log.db", flows=flows) as engine:
        for number in (1, 2):
            await engine.get_flow(DurableOrderFlow, f"order-{number}").place_order.start(Order([Line("a", number)]))
        await engine.get_flow(DurableOrderFlow, "refund-1").give_back.start("a")
        while len(await engine.flows(status=FlowStatus.WAITING)) < 3:
            await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.fixture(scope="module")
def with_log(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A program that has started three flows, which wait."""
    project = Project(tmp_path_factory.mktemp("shop"))
    project.write("pyproject.toml", '[tool.persistc]\nsource = ["shop"]\n')
    project.write("shop/__init__.py", "")
    project.write("shop/flows.py", FLOWS)
    project.write("shop/main.py", PROGRAM)
    assert project.persistc("generate").exit_code == 0
    ran = run_module("shop.main", cwd=project.root, PYTHONPATH=f"{IMPORT_PATH}:{project.root}")
    assert ran.exit_code == 0, ran.stderr
    return project


@pytest.fixture
def shop(with_log: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The program and its log, to be changed."""
    monkeypatch.setenv("PYTHONPATH", IMPORT_PATH)
    for name, data in contents(with_log.root).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return Project(tmp_path)


def change(shop: Project, *edits: tuple[str, str]) -> None:
    """Edit the flows, and bring the generated files up to date."""
    text = shop.read("shop/flows.py")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    shop.write("shop/flows.py", text)
    assert shop.persistc("generate").exit_code == 0


def test_code_as_it_was_fits(shop: Project) -> None:
    before = contents(shop.root)
    assert shop.persistc("diff", "--log", "log.db") == Ended(
        0,
        "fits: 2 flows of OrderFlow.place_order go on, as far as their steps tell\n  order-1, order-2\n\n"
        "fits: 1 flow of refund goes on, as far as their steps tell\n  refund-1\n\n"
        "3 in flight: 3 fits\n",
        "",
    )
    assert contents(shop.root) == before


def test_a_step_that_is_gone(shop: Project) -> None:
    change(
        shop,
        ("        await self.ship(order, receipt)\n", ""),
        ("    @step\n    async def ship(self, order: Order, receipt: str) -> None: ...\n\n", ""),
    )
    ended = shop.persistc("diff", "--log", "log.db")
    assert ended.exit_code == 1
    assert ended.stdout == (
        "cannot fit: 2 flows of OrderFlow.place_order stand after `charge` and expect `ship`, which is gone\n"
        "  --> shop/flows.py:20\n  order-1, order-2\n\n"
        "fits: 1 flow of refund goes on, as far as their steps tell\n  refund-1\n\n"
        "help: keep the body they run on beside the new one, `persistc keep OrderFlow.place_order`, and they end on "
        "that; without it they are parked, and lose nothing\n"
        "3 in flight: 2 cannot fit, 1 fits\n"
    )


def test_another_step_in_its_place_and_every_output_format(shop: Project) -> None:
    change(shop, ("        await self.ship(order, receipt)\n", '        await self.pay("a")\n'))
    sentence = (
        "2 flows of OrderFlow.place_order stand after `charge` and expect `ship`, "
        "where the code calls `pay` (shop/flows.py:21)"
    )
    assert shop.persistc("diff", "--log", "log.db", "--output-format", "concise").stdout.splitlines()[0] == (
        f"shop/flows.py:20: cannot fit: {sentence}"
    )
    assert shop.persistc("diff", "--log", "log.db", "--output-format", "github").stdout == (
        f"::error title=persistc diff (cannot fit),file=shop/flows.py,line=20::{sentence}\n"
    )
    worst, _ = json.loads(shop.persistc("diff", "--log", "log.db", "--output-format", "json").stdout)
    assert worst == {
        "flow": "OrderFlow.place_order",
        "version": 1,
        "verdict": "cannot fit",
        "message": sentence,
        "help": "keep the body they run on beside the new one, `persistc keep OrderFlow.place_order`, and they end on "
        "that; without it they are parked, and lose nothing",
        "parked": False,
        "file": "shop/flows.py",
        "line": 20,
        "flow_ids": ["order-1", "order-2"],
    }


def test_an_end_that_comes_too_early(shop: Project) -> None:
    change(
        shop, ("        await wait_for_signal(self.returned)\n        return await self.pay(sku)", "        return sku")
    )
    found = shop.persistc("diff", "--log", "log.db").stdout
    assert "1 flow of refund has just begun and expects `returned`, where the code ends\n" in found
    assert "`persistc keep OrderFlow.give_back`" in found, "not the name in the log, which persistc keep does not know"


def test_flows_of_a_class_that_is_not_in_the_list_are_not_replayed(shop: Project) -> None:
    shop.write("shop/main.py", "flows = []\n")
    ended = shop.persistc("diff", "--log", "log.db", "--replay", "shop.main:flows")
    assert ended.exit_code == 0
    assert "cannot tell: 2 flows of OrderFlow.place_order were not replayed: the list of `--replay` has no proxy" in (
        ended.stdout
    )


def test_what_only_the_program_can_tell_is_told_by_a_replay(shop: Project) -> None:
    change(shop, ("await self.ship(order, receipt)", "await getattr(self, 'ship')(order, receipt)"))
    ended = shop.persistc("diff", "--log", "log.db")
    assert ended.exit_code == 0
    assert "cannot tell: 2 flows of OrderFlow.place_order may go on or not: shop/flows.py:21: " in ended.stdout
    assert "help: `--replay app.main:flows` replays them in memory, and tells exactly\n" in ended.stdout
    for flows in ("shop.main:flows", "shop.main:make_flows"):
        replayed = shop.persistc("diff", "--log", "log.db", "--replay", flows)
        assert (replayed.exit_code, replayed.stderr) == (0, "")
        assert "fits: 2 flows of OrderFlow.place_order are replayed without a difference\n" in replayed.stdout
    change(shop, ("'ship')(order, receipt)", "'ship')(order, receipt.upper())"))
    before = contents(shop.root)
    replayed = shop.persistc("diff", "--log", "log.db", "--replay", "shop.main:flows")
    assert replayed.exit_code == 1
    assert (
        "1 flow of OrderFlow.place_order would be parked: OrderFlow.ship as step 2 is on record with" in replayed.stdout
    )
    assert contents(shop.root) == before


def test_rows_that_todays_types_do_not_read_are_named_with_their_path(shop: Project) -> None:
    change(shop, ("    count: int\n", "    count: list[int]\n"))
    assert shop.persistc("diff", "--log", "log.db").exit_code == 0, "the steps are the same"
    ended = shop.persistc("diff", "--log", "log.db", "--decode")
    assert ended.exit_code == 1
    assert (
        "1 flow of OrderFlow.place_order has the arguments of the flow on record, which cannot be read: "
        in ended.stdout
    )
    assert "Expected `array`, got `int` - at `$.order.lines[0].count`" in ended.stdout
    assert ", and 2 more like it\n" in ended.stdout
    assert "help: bring back types that read what is on record: a new field needs a default" in ended.stdout


def test_a_compatible_type_is_read(shop: Project) -> None:
    change(shop, ("    count: int\n", "    count: int\n    colour: str | None = None\n"))
    assert shop.persistc("diff", "--log", "log.db", "--decode").exit_code == 0


def test_flows_whose_class_is_gone(shop: Project) -> None:
    change(shop, ("class OrderFlow:", "class PurchaseFlow:"))
    ended = shop.persistc("diff", "--log", "log.db")
    assert ended.exit_code == 1
    assert "2 flows of OrderFlow.place_order have no flow of this name in the code any more\n" in ended.stdout
    assert "fits: 1 flow of refund" in ended.stdout, "it has a name of its own"
    assert "help: nobody runs them until the name is back: that of the class and the method, or `@flow(name=" in (
        ended.stdout
    )


def test_a_flow_that_is_parked_already_is_told_and_breaks_nothing(shop: Project) -> None:
    change(shop, ("        await self.ship(order, receipt)\n", ""))
    with closing(sqlite3.connect(shop.root / "log.db")) as log:
        log.execute("UPDATE execution_log SET status = 'PARKED' WHERE step = 0 AND flow_id LIKE 'order-%'")
        log.commit()
    ended = shop.persistc("diff", "--log", "log.db")
    assert ended.exit_code == 0
    assert "cannot fit: 2 parked flows of OrderFlow.place_order stand after `charge` and expect `ship`" in ended.stdout


def test_flows_end_on_the_version_they_began_with(shop: Project) -> None:
    kept = (
        "    @flow(version=1, of=place_order)\n    async def place_order_v1(self, order: Order) -> str:\n"
        "        receipt = await self.charge(order)\n        await self.ship(order, receipt)\n"
        "        await wait_for_signal(self.arrived)\n        return receipt\n\n"
    )
    change(
        shop,
        ("    @flow\n    async def place_order", "    @flow(version=2)\n    async def place_order"),
        ("        await self.ship(order, receipt)\n", ""),
        ('    @flow(name="refund")', f'{kept}    @flow(name="refund")'),
    )
    assert shop.persistc("diff", "--log", "log.db", "--decode", "--replay", "shop.main:flows").exit_code == 0
    assert shop.persistc("versions", "--log", "log.db") == Ended(
        0,
        "OrderFlow.place_order\n"
        "  version 2  place_order (shop/flows.py:19, newest): no flow in flight\n"
        "  version 1  place_order_v1 (shop/flows.py:25): 2 flows in flight, order-1, order-2\n"
        "refund\n"
        "  version 1  give_back (shop/flows.py:32, newest): 1 flow in flight, refund-1\n",
        "",
    )
    with closing(sqlite3.connect(shop.root / "log.db")) as log:
        log.execute("UPDATE execution_log SET status = 'COMPLETE' WHERE step = 0 AND flow_id LIKE 'order-%'")
        log.commit()
    assert "version 1  place_order_v1 (shop/flows.py:25): no flow in flight, it can be removed\n" in (
        shop.persistc("versions", "--log", "log.db").stdout
    )
    assert [each["can_be_removed"] for each in versions_document(shop)] == [False, True, False]


def versions_document(shop: Project) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(
        shop.persistc("versions", "--log", "log.db", "--output-format", "json").stdout
    )
    return found


def test_a_version_whose_body_is_gone(shop: Project) -> None:
    change(shop, ("    @flow\n    async def place_order", "    @flow(version=2)\n    async def place_order"))
    ended = shop.persistc("diff", "--log", "log.db")
    assert ended.exit_code == 1
    assert "2 flows of OrderFlow.place_order run on version 1, whose body is gone; there is 2\n" in ended.stdout
    listed = shop.persistc("versions", "--log", "log.db")
    assert listed.exit_code == 1
    assert "  version 1  no body here: 2 flows in flight, order-1, order-2\n" in listed.stdout


def test_versions_without_a_log(shop: Project) -> None:
    assert shop.persistc("versions").stdout == (
        "OrderFlow.place_order\n  version 1  place_order (shop/flows.py:19, newest)\n"
        "refund\n  version 1  give_back (shop/flows.py:26, newest)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--log", "nothing.db"], "persistc: nothing.db: there is no such file. Name the execution log to look at\n"),
        (["--decode"], "persistc: `--decode` and `--replay` are about the flows of a log: name it with `--log`\n"),
        (
            ["--log", "log.db", "--replay", "shop.main"],
            "persistc: 'shop.main' names nothing: write `module:name`, `app.main:flows`\n",
        ),
        (
            ["--log", "log.db", "--replay", "shop.nothing:flows"],
            "persistc: shop.nothing cannot be imported: ModuleNotFoundError: No module named 'shop.nothing'\n",
        ),
        (
            ["--log", "log.db", "--replay", "shop.main:nothing"],
            "persistc: shop.main has no `nothing`: module 'shop.main' has no attribute 'nothing'\n",
        ),
        (
            ["--log", "log.db", "--replay", "shop.main:asyncio"],
            "persistc: shop.main:asyncio is module: name the list of proxies the engine is given, or what returns it\n",
        ),
        (
            ["--log", "log.db", "--python", "no-such-python"],
            "persistc: no-such-python cannot be run: No such file or directory; name a Python with `--python`\n",
        ),
    ],
)
def test_what_cannot_be_done_is_said(shop: Project, arguments: list[str], message: str) -> None:
    assert shop.persistc("diff", *arguments) == Ended(2, "", message)


def test_a_stale_proxy_is_named(shop: Project) -> None:
    shop.write("shop/flows.py", shop.read("shop/flows.py").replace("receipt: str", "receipt: str, note: str = ''"))
    ended = shop.persistc("diff", "--log", "log.db", "--decode")
    assert ended.exit_code == 2
    assert "shop.flows_durable cannot be imported: StaleProxy: " in ended.stderr
    assert "Run `persistc generate`" in ended.stderr


def test_a_damaged_row_keeps_no_other_flow_from_being_told(shop: Project) -> None:
    with closing(sqlite3.connect(shop.root / "log.db")) as log:
        log.execute("UPDATE execution_log SET status = 'NO STATUS' WHERE step = 1 AND flow_id = 'order-1'")
        log.commit()
    ended = shop.persistc("diff", "--log", "log.db")
    assert ended.exit_code == 1
    assert "cannot fit: 1 flow of OrderFlow.place_order has a row on record, which cannot be read: " in ended.stdout
    assert "fits: 1 flow of OrderFlow.place_order goes on" in ended.stdout
