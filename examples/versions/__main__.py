"""`python -m examples.versions`: an order of yesterday ends as it began, beside one of today."""

import argparse
import asyncio

from persistasaurus import Engine

from . import today_durable, yesterday_durable


async def main(log: str) -> None:
    print("yesterday")
    async with Engine(log, flows=[yesterday_durable.DurableOrderFlow()]) as engine:
        await engine.get_flow(yesterday_durable.DurableOrderFlow, "order-1").place_order.start("teapot")

    print("today")  # the deployment: another class under the same name, on the same log
    async with Engine(log, flows=[today_durable.DurableOrderFlow()]) as engine:
        old = engine.get_flow(today_durable.DurableOrderFlow, "order-1")
        new = engine.get_flow(today_durable.DurableOrderFlow, "order-2")
        await old.confirmed.send("Ada")
        print(await old.place_order.result())
        await new.place_order.start("cup", count=2)
        await new.confirmed.send("Grace")
        print(await new.place_order.result())
        for flow in await engine.flows():
            print(f"{flow.flow_id} ran version {flow.version} of {flow.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="versions", description=__doc__)
    parser.add_argument("--log", default="versions.db", help="the execution log (default: %(default)s)")
    options = parser.parse_args()
    asyncio.run(main(options.log))
