"""`make demo`: compiles the examples, then kills a sign-up in the middle of a delay and lets it go on."""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

from examples.signup.flows_durable import DurableSignupFlow
from examples.signup.services import Mailer, Users
from persistasaurus import Engine

from .application import Application
from .table import table

EXAMPLES = Path(__file__).parent.parent
IS_TERMINAL = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def main(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    events: list[tuple[datetime, str]] = []

    heading("1. Compile: persistc writes the proxies beside the flow classes")
    compile_examples(folder)
    show("", "what it read in signup/flows.py, as a comment in signup/flows_durable.py:")
    for line in outline(folder / "signup" / "flows_durable.py"):
        show(line)

    heading("2. Run: a sign-up, whose welcome mail is due in four seconds")
    application = start(folder)
    application.read_until("[WAIT]")
    time.sleep(1)  # for those who watch; the record is durable long before
    application.kill()
    happened(events, "kill -9, in the middle of the delay")

    heading("3. Recover: the same command again; the record is not made twice, the rest of the delay is waited for")
    happened(events, "started again")
    application = start(folder)
    link = application.read_until("link: ")
    application.read_until("mail to ")
    application.read_until("[WAIT]")

    heading("4. A person follows the link, which sends the signal")
    happened(events, "the link is followed")
    with urlopen(link) as answer:
        show(f"GET {link}: {answer.status} {answer.read().decode().strip()}")
    application.finish()

    heading("5. Once more: a flow that has ended gives its result again, and no step runs")
    application = start(folder)
    application.finish()

    heading("6. The execution log: what ran, when, how often")
    asyncio.run(show_log(folder / "signup.db", events))
    show("", f"It is an SQLite file: {folder / 'signup.db'}")


def compile_examples(folder: Path) -> None:
    for name in ("hello", "signup", "onboarding"):
        without = shutil.ignore_patterns("*_durable.py*", "__pycache__")
        shutil.copytree(EXAMPLES / name, folder / name, ignore=without)
    command = [sys.executable, "-m", "persistc", "generate", "."]
    show("$ persistc generate .")
    done = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    show(*done.stdout.splitlines())


def outline(generated: Path) -> list[str]:
    lines = [line.strip() for line in generated.read_text(encoding="utf-8").splitlines()]
    first = lines.index("# flow sign_up")
    return [line.removeprefix("#") for line in lines[first : lines.index("@_p.override", first)]]


def start(folder: Path) -> Application:
    show("$ python -m signup alice alice@example.com")
    return Application(["signup", "alice", "alice@example.com"], folder, lambda line: show(f"│ {line}"))


async def show_log(log: Path, events: list[tuple[datetime, str]]) -> None:
    async with Engine(log, flows=[DurableSignupFlow(Users(), Mailer())]) as engine:
        history = await engine.get_flow(DurableSignupFlow, "signup-alice").history()
        (flow,) = await engine.flows()
    show(*table(flow, history, events))


def happened(events: list[tuple[datetime, str]], what: str) -> None:
    events.append((datetime.now(UTC), what))
    show(f"── {what}")


def heading(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m\n" if IS_TERMINAL else f"\n{text}\n", flush=True)


def show(*lines: str) -> None:
    for line in lines:
        print(f"   {line}".rstrip(), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/demo"), help="made anew (default: %(default)s)")
    main(parser.parse_args().folder)
