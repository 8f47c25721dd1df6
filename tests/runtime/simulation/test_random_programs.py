"""Random programs, killed and replayed: what a flow saw live is what it sees in every replay (G1, G2, G4, G7)."""

from __future__ import annotations

import logging
import os

import pytest

from .check import check_program

PROGRAMS = int(os.environ.get("PROGRAMS", "2000"))
"""How many programs a run checks in all; `PROGRAMS=50000 pytest tests/runtime/simulation` for a long one."""
CHUNKS = 8


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of flows fail as they should; writing down each of their tracebacks is most of the work."""
    caplog.set_level(logging.CRITICAL, "persistasaurus.flow")


def _troubles(seeds: range, *, plain: bool, always_evict: bool = False) -> list[str]:
    return [line for seed in seeds for line in check_program(seed, plain=plain, always_evict=always_evict)]


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_async_flows_see_in_a_replay_what_they_saw_live(chunk: int) -> None:
    size = PROGRAMS // 2 // CHUNKS
    assert _troubles(range(chunk * size, (chunk + 1) * size), plain=False) == []


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_plain_flows_see_in_a_replay_what_they_saw_live(chunk: int) -> None:
    size = PROGRAMS // 4 // CHUNKS
    assert _troubles(range(100_000 + chunk * size, 100_000 + (chunk + 1) * size), plain=True) == []


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_flows_thrown_out_of_memory_at_every_wait_come_to_the_same_end(chunk: int) -> None:
    size = PROGRAMS // 4 // CHUNKS
    seeds = range(200_000 + chunk * size, 200_000 + (chunk + 1) * size)
    assert _troubles(seeds, plain=chunk % 2 == 1, always_evict=True) == []
