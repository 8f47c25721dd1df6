"""`python -m examples.onboarding --crash-at provision_laptop`, then once more without it: the flow goes on."""

import argparse
import asyncio
import logging
import sys

from persistasaurus import Engine

from .flows_durable import DurableOnboardingFlow
from .office import Office


async def main(name: str, log: str, crash_at: str | None) -> None:
    async with Engine(log, flows=[DurableOnboardingFlow(Office(crash_at))]) as engine:
        laptop = await engine.get_flow(DurableOnboardingFlow, f"onboard-{name}").onboard.run(name)
    print(f"{name} has {laptop}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="onboarding", description=__doc__)
    parser.add_argument("name", nargs="?", default="Grace", help="the new colleague (default: %(default)s)")
    parser.add_argument("--crash-at", choices=Office.JOBS, help="kill the process in the middle of this job")
    parser.add_argument("--log", default="onboarding.db", help="the execution log (default: %(default)s)")
    options = parser.parse_args()

    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    logging.getLogger("persistasaurus.flow").setLevel(logging.DEBUG)  # DEBUG also tells what a replay skips
    asyncio.run(main(options.name, options.log, options.crash_at))
