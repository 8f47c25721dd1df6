"""`make demo`."""

import re
from pathlib import Path

from tests.examples.program import run


def test_the_demo_compiles_kills_recovers_and_shows_every_step_run_once(tmp_path: Path) -> None:
    done = run(tmp_path, "examples.demo")
    assert done.returncode == 0, done.stdout
    assert "wrote signup/flows_durable.py" in done.stdout
    assert done.stdout.count("│ alice gets the number") == done.stdout.count("│ mail to alice") == 1
    rows = re.findall(r"^ +(\d) +(\S+) +COMPLETE +(\d?) +\d\d:", done.stdout, re.MULTILINE)
    assert rows == [
        ("0", "SignupFlow.sign_up", ""),
        ("1", "create_user_record", "1"),
        ("2", "send_welcome_email", "1"),
        ("3", "confirm_email_address", "1"),
        ("4", "finalize_signup", "1"),
    ]
    assert (tmp_path / "build" / "demo" / "signup.db").is_file()
