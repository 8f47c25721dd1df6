"""`python -m examples.onboarding`, killed in any of its jobs."""

import asyncio
import signal
from pathlib import Path

import pytest

from examples.onboarding.flows_durable import DurableOnboardingFlow
from examples.onboarding.office import Office
from tests.examples.program import recorded, run

FLOW = "flow=onboard-Grace"


def test_onboarding_without_a_crash_does_each_job_once(tmp_path: Path) -> None:
    lines = run(tmp_path, "examples.onboarding").stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("[RUN]")] == list(Office.JOBS)
    assert lines[-1] == "Grace has laptop-7"


def test_a_killed_onboarding_skips_what_is_done_and_runs_the_rest(tmp_path: Path) -> None:
    killed = run(tmp_path, "examples.onboarding", "--crash-at", "provision_laptop")
    assert killed.returncode == -signal.SIGKILL
    lines = run(tmp_path, "examples.onboarding").stdout.splitlines()
    assert lines[:2] == [
        f"[SKIP] create_record step=1 {FLOW}",
        f"[RUN] provision_laptop step=2 {FLOW} attempt=2",
    ]
    assert lines[-2:] == [f"[DONE] OnboardingFlow.onboard {FLOW} COMPLETE", "Grace has laptop-7"]


@pytest.mark.parametrize("job", Office.JOBS)
def test_an_onboarding_killed_in_any_job_ends_right_the_second_time(tmp_path: Path, job: str) -> None:
    first = run(tmp_path, "examples.onboarding", "--crash-at", job)
    assert first.returncode == -signal.SIGKILL
    assert first.stdout.splitlines()[-1] == f"crash in {job}"
    second = run(tmp_path, "examples.onboarding")
    assert second.stdout.splitlines()[-1] == "Grace has laptop-7"
    proxy = DurableOnboardingFlow(Office())
    flow, history = asyncio.run(recorded(tmp_path / "onboarding.db", proxy, "onboard-Grace"))
    assert flow.status == "COMPLETE"
    assert {call.name: call.attempts for call in history}[f"OnboardingFlow.{job}"] == 2
    assert ("a record for Grace" in second.stdout) == (job == "create_record")


def test_onboarding_refuses_a_job_that_does_not_exist(tmp_path: Path) -> None:
    done = run(tmp_path, "examples.onboarding", "--crash-at", "lunch")
    assert done.returncode == 2
    assert "invalid choice: 'lunch'" in done.stdout
