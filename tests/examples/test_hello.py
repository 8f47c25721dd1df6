"""`python -m examples.hello`."""

from pathlib import Path

from tests.examples.program import run


def test_hello_greets_five_times_and_sums_up(tmp_path: Path) -> None:
    done = run(tmp_path, "examples.hello", "Ada")
    assert done.stdout.splitlines() == [*(f"Hello, Ada ({count})" for count in range(5)), "sum: 10"]


def test_hello_run_again_gives_the_sum_and_greets_nobody(tmp_path: Path) -> None:
    run(tmp_path, "examples.hello")
    assert run(tmp_path, "examples.hello").stdout == "sum: 10\n"


def test_hello_greets_another_person_anew(tmp_path: Path) -> None:
    run(tmp_path, "examples.hello")
    assert run(tmp_path, "examples.hello", "Ada").stdout.startswith("Hello, Ada (0)\n")
