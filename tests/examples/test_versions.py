"""`python -m examples.versions`."""

from pathlib import Path

from tests.examples.program import run

LINES = [
    "yesterday",
    "today",
    "  charge Ada 10",
    "teapot is paid",
    "  reserve 2 x cup",
    "  charge Grace 20",
    "Receipt(item='cup', count=2, customer='Grace')",
    "order-1 ran version 1 of OrderFlow.place_order",
    "order-2 ran version 2 of OrderFlow.place_order",
]


def test_an_order_of_yesterday_ends_on_its_version_beside_one_of_today(tmp_path: Path) -> None:
    assert run(tmp_path, "examples.versions").stdout.splitlines() == LINES
