"""`persistc generate --tests`: what it writes runs, says what is missing, and belongs to the user."""

from __future__ import annotations

import os
import sys

import pytest

from tests.compiler.projects import FLOWS, IMPORT_PATH, Ended, Project, run

ORDERS = '''\
"""Orders."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from persistasaurus import flow, signal, step, wait_for_signal


@dataclass
class Order:
    number: int


class OrderFlow:
    def __init__(self, shop: list[str], *, name: str = "shop") -> None:
        self.shop = shop

    @flow
    async def place(self, order: Order, price: Decimal, tags: list[str], *, note: str | None, more: int = 1) -> str:
        """Place an order."""
        await self.charge(order)
        await wait_for_signal(self.approve, timeout=timedelta(days=1))
        await wait_for_signal(self.check, key="second")
        return "placed"

    @step
    async def charge(self, order: Order) -> None:
        self.shop.append("charge")

    @signal
    async def approve(self, at: datetime) -> None: ...

    @signal
    async def check(self) -> None: ...
'''
WRITTEN = '''\
"""OrderFlow: its flows come to the same when they crash behind any write to their log.

Written once by `persistc generate --tests`; it is yours from then on.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from persistasaurus.testing import check_crashes

from app.orders_durable import DurableOrderFlow


def make() -> DurableOrderFlow:
    # fill in: doubles for shop
    raise NotImplementedError("fill in make(): return DurableOrderFlow(shop) with doubles")


def place_order() -> Any:
    # fill in: the `Order` for `order` of `place`
    raise NotImplementedError("fill in place_order(): return the `Order` for `order` of `place`")


def check_key() -> Any:
    # fill in: the key by which the flow waits for `check`
    raise NotImplementedError("fill in check_key(): return the key by which the flow waits for `check`")


def test_place_comes_to_the_same_after_every_crash() -> None:
    check_crashes(
        make,
        lambda flow: flow.place.run(place_order(), Decimal("1"), [], note=None),
        signals=[
            lambda flow: flow.approve.send(datetime(2025, 1, 1, tzinfo=UTC)),
            lambda flow: flow.check.keyed(check_key()).send(),
        ],
    )
'''
FILE = "tests/test_order_flow_crashes.py"


@pytest.fixture
def orders(project: Project) -> Project:
    """A project with a flow that takes what cannot be made up."""
    project.write("app/__init__.py", "")
    project.write("app/orders.py", ORDERS)
    assert project.persistc("generate", "--tests").stdout.endswith(f"wrote {FILE}\n")
    return project


def pytest_in(project: Project) -> Ended:
    """Run the tests of a project."""
    path = os.pathsep.join([IMPORT_PATH, str(project.root)])
    return run(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=project.root, PYTHONPATH=path
    )


def test_a_test_is_written_for_each_flow_class(orders: Project) -> None:
    assert orders.read(FILE) == WRITTEN


def test_a_flow_of_simple_values_is_tested_without_further_ado(greeting: Project) -> None:
    ended = greeting.persistc("generate", "--tests", "--tests-folder", "checks/flows")
    assert ended.stdout.endswith("wrote checks/flows/test_greeting_flow_crashes.py\n")
    (greeting.root / "checks/flows").rename(greeting.root / "tests")
    ended = pytest_in(greeting)
    assert "1 passed" in ended.stdout, ended.stdout


def test_what_it_finds_fails_the_test(greeting: Project) -> None:
    greeting.persistc("generate", "--tests")
    planted = FLOWS.replace("await self.say(name)", "await self.say(f'{name} {next(COUNT)}')")
    greeting.write("flows.py", planted.replace("\n\nclass", "\nfrom itertools import count\nCOUNT = count()\n\nclass"))
    ended = pytest_in(greeting)
    assert ended.exit_code == 1
    assert "replayed, the flow is parked" in ended.stdout


def test_what_is_to_be_filled_in_is_named_and_then_it_passes(orders: Project) -> None:
    blanks = {
        'raise NotImplementedError("fill in make(): return DurableOrderFlow(shop) with doubles")':
            "return DurableOrderFlow([])",
        'raise NotImplementedError("fill in place_order(): return the `Order` for `order` of `place`")':
            "from app.orders import Order; return Order(1)",
        'raise NotImplementedError("fill in check_key(): return the key by which the flow waits for `check`")':
            'return "second"',
    }  # fmt: skip
    for blank, filled in blanks.items():
        ended = pytest_in(orders)
        assert ended.exit_code == 1
        assert blank.removeprefix('raise NotImplementedError("').removesuffix('")') in ended.stdout
        orders.write(FILE, orders.read(FILE).replace(blank, filled))
    ended = pytest_in(orders)
    assert "1 passed" in ended.stdout, ended.stdout


def test_a_test_that_is_there_is_its_users(orders: Project) -> None:
    orders.write(FILE, "MINE = 1\n")
    assert orders.persistc("generate", "--tests").stdout == "2 unchanged\n"
    assert orders.read(FILE) == "MINE = 1\n"
    assert orders.persistc("generate", "--tests", "--force").stdout == f"wrote {FILE}\n2 unchanged\n"
    assert orders.read(FILE) == WRITTEN


def test_check_and_generate_leave_the_tests_alone(orders: Project) -> None:
    (orders.root / FILE).unlink()
    assert orders.persistc("check").exit_code == 0
    assert orders.persistc("generate").stdout == "2 unchanged\n"
    assert not (orders.root / FILE).exists()


def test_flow_classes_of_one_name_get_a_file_each(greeting: Project) -> None:
    greeting.write("app/flows.py", FLOWS)
    greeting.write("app/__init__.py", "")
    greeting.persistc("generate", "--tests")
    found = sorted(path.name for path in (greeting.root / "tests").iterdir())
    assert found == ["test_app_flows_greeting_flow_crashes.py", "test_flows_greeting_flow_crashes.py"]


def test_nothing_is_written_when_anything_is_wrong(greeting: Project) -> None:
    greeting.write("broken.py", FLOWS.replace("name: str", "name"))
    assert greeting.persistc("generate", "--tests").exit_code == 1
    assert not (greeting.root / "tests").exists()
