"""`python -m examples.signup`, killed while it waits, confirmed by a request from outside."""

import asyncio
import subprocess
from datetime import timedelta
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from examples.signup.flows_durable import DurableSignupFlow
from examples.signup.services import Mailer, Users
from tests.examples.program import read_until, recorded, started, wait_until_recorded


def follow(link: str) -> str:
    with urlopen(link) as answer:
        text: bytes = answer.read()
    return text.decode().strip()


def link_of(process: subprocess.Popen[str]) -> str:
    return read_until(process, "link: ")[-1].removeprefix("link: ")


def test_a_signup_killed_in_the_delay_and_in_the_wait_ends_with_every_step_run_once(tmp_path: Path) -> None:
    log = tmp_path / "signup.db"
    with started(tmp_path, "examples.signup") as process:
        assert "alice gets the number 1005" in read_until(process, "[WAIT]")
        wait_until_recorded(log, step=2)

    with started(tmp_path, "examples.signup") as process:
        lines = read_until(process, "mail to alice@example.com")
        assert "[SKIP] create_user_record step=1 flow=signup-alice" in lines
        wait_until_recorded(log, step=3)

    with started(tmp_path, "examples.signup") as process:
        assert follow(link_of(process)) == "thank you"
        output, _ = process.communicate(timeout=30)
        assert output.splitlines()[-1] == "alice is signed up as number 1005"
        assert "mail to" not in output

    proxy = DurableSignupFlow(Users(), Mailer())
    flow, history = asyncio.run(recorded(log, proxy, "signup-alice"))
    assert (flow.status, flow.return_value) == ("COMPLETE", "1005")
    assert [(call.name.partition(".")[2], call.attempts) for call in history] == [
        ("create_user_record", 1),
        ("send_welcome_email", 1),
        ("confirm_email_address", 1),
        ("finalize_signup", 1),
    ]
    mail = history[1]
    assert mail.delivered_at is not None
    assert mail.delivered_at - mail.called_at >= timedelta(seconds=4)


def test_a_link_followed_before_the_mail_counts(tmp_path: Path) -> None:
    with started(tmp_path, "examples.signup", "bob", "bob@example.com") as process:
        link = link_of(process)
        read_until(process, "[WAIT]")
        assert follow(link) == "thank you"
        output, _ = process.communicate(timeout=30)
        assert output.splitlines()[-1] == "bob is signed up as number 1003"


def test_a_link_nobody_was_sent_is_not_found(tmp_path: Path) -> None:
    with started(tmp_path, "examples.signup") as process, pytest.raises(HTTPError, match="404"):
        follow(link_of(process).replace("alice", "mallory"))
