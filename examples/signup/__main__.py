"""`python -m examples.signup`: kill it whenever you like and start it again; it goes on where it was.

It ends when somebody has followed the link that it prints, with a browser, say, or with curl.
"""

import argparse
import asyncio
import logging
import sys
from datetime import UTC, datetime
from http import HTTPStatus

from persistasaurus import Engine, FlowEnded, UnknownFlow

from .flows_durable import DurableSignupFlow
from .services import Mailer, Users
from .web import LINK, address_of, serve


async def main(user_name: str, email: str, log: str, port: int) -> None:
    async with Engine(log, flows=[DurableSignupFlow(Users(), Mailer())]) as engine:

        async def confirm(flow_id: str) -> tuple[HTTPStatus, str]:
            signup = engine.get_flow(DurableSignupFlow, flow_id)
            try:
                await signup.confirm_email_address.send(datetime.now(UTC))
            except UnknownFlow:
                return HTTPStatus.NOT_FOUND, "nobody signed up here"
            except FlowEnded:
                return HTTPStatus.GONE, "this address is confirmed"
            return HTTPStatus.OK, "thank you"

        flow_id = f"signup-{user_name}"
        async with await serve(confirm, port) as server:
            print(f"link: {address_of(server)}{LINK}{flow_id}")
            user_id = await engine.get_flow(DurableSignupFlow, flow_id).sign_up.run(user_name, email)
        print(f"{user_name} is signed up as number {user_id}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="signup", description=__doc__)
    parser.add_argument("user_name", nargs="?", default="alice", help="default: %(default)s")
    parser.add_argument("email", nargs="?", default="alice@example.com", help="default: %(default)s")
    parser.add_argument("--log", default="signup.db", help="the execution log (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="where to listen (default: any free port)")
    options = parser.parse_args()

    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    logging.getLogger("persistasaurus.flow").setLevel(logging.DEBUG)  # DEBUG also tells what a replay skips
    asyncio.run(main(options.user_name, options.email, options.log, options.port))
