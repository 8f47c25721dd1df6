"""The web side of the sign-up: one link, `/confirm/<flow id>`, answered with a status and a line of text."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

LINK = "/confirm/"
Confirm = Callable[[str], Awaitable[tuple[HTTPStatus, str]]]
"""Takes a flow id and says how to answer."""


async def serve(confirm: Confirm, port: int) -> asyncio.Server:
    """Listen on a port of this machine; 0 takes one that is free."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readline()).decode("latin-1").split()
        while (await reader.readline()).strip():
            pass  # headers
        status, text = HTTPStatus.NOT_FOUND, "nothing here"
        if len(request) == 3 and request[1].startswith(LINK):
            status, text = await confirm(request[1].removeprefix(LINK))
        body = f"{text}\n".encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", port)


def address_of(server: asyncio.Server) -> str:
    """Where the server is to be found."""
    host, port = server.sockets[0].getsockname()
    return f"http://{host}:{port}"
