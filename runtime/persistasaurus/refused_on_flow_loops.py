"""What asyncio offers and a flow loop does not: each is refused with an error that says what to write instead (G4)."""

from __future__ import annotations

import asyncio
import sys
from asyncio import tasks as asyncio_tasks
from collections.abc import Callable
from typing import NoReturn

from persistasaurus.errors import Evicted, NotOnFlowLoop

_INSTEAD = {
    "call_soon_threadsafe": "do it in a step: what comes from another thread has no place in the order of a flow",
    "run_forever": "a flow loop runs when the engine lets it",
    "run_until_complete": "write `await`",
    "stop": "a flow ends when its body returns",
    "close": "the engine closes it",
    "shutdown_default_executor": "the engine does it",
    "set_default_executor": "plain steps run on the engine's threads",
    "set_task_factory": "tasks of a flow are made by its loop",
    "set_exception_handler": "handle exceptions in the flow body",
    "add_signal_handler": "handle process signals outside of flows",
    "remove_signal_handler": "handle process signals outside of flows",
}
_INPUT_OUTPUT = (
    "getaddrinfo",
    "getnameinfo",
    "create_connection",
    "create_server",
    "sendfile",
    "start_tls",
    "create_unix_connection",
    "create_unix_server",
    "create_datagram_endpoint",
    "connect_read_pipe",
    "connect_write_pipe",
    "subprocess_shell",
    "subprocess_exec",
    "add_reader",
    "remove_reader",
    "add_writer",
    "remove_writer",
    "sock_recv",
    "sock_recv_into",
    "sock_recvfrom",
    "sock_recvfrom_into",
    "sock_sendall",
    "sock_sendto",
    "sock_connect",
    "sock_accept",
    "sock_sendfile",
    "connect_accepted_socket",
)


class RefusesTheOutside(asyncio.AbstractEventLoop):
    """An event loop without sockets, files, subprocesses, signals, other threads and a life of its own."""

    dead: bool
    """Whether its flow has left memory."""


def _refusal(name: str, instead: str) -> Callable[..., NoReturn]:
    def refuse(self: RefusesTheOutside, *_args: object, **_kwargs: object) -> NoReturn:
        if self.dead:
            raise Evicted
        raise NotOnFlowLoop(f"`loop.{name}` is not to be had in a flow body: {instead}")

    refuse.__name__ = name
    return refuse


for _name, _instead in _INSTEAD.items():
    setattr(RefusesTheOutside, _name, _refusal(_name, _instead))
for _name in _INPUT_OUTPUT:
    setattr(RefusesTheOutside, _name, _refusal(_name, "do it in a step, whose body runs on the program's own loop"))


_ENSURE_FUTURE = {function.__code__ for function in (asyncio_tasks.ensure_future,)} | {
    function.__code__ for function in (getattr(asyncio_tasks, "_ensure_future", None),) if function is not None
}


def refuse_unordered(coro: object) -> None:
    """`as_completed` puts coroutines in a set, whose order follows their addresses; it must get tasks (G4)."""
    frame = sys._getframe(2)
    if frame.f_code not in _ENSURE_FUTURE:
        return
    for _ in range(4):
        outer = frame.f_back
        if outer is None or outer.f_code.co_filename != asyncio_tasks.__file__:
            return
        frame = outer
        if "s_completed" in outer.f_code.co_qualname or "_AsCompletedIterator" in outer.f_code.co_qualname:
            close = getattr(coro, "close", None)
            if close is not None:
                close()
            raise NotOnFlowLoop(
                "asyncio.as_completed over coroutines starts them in no fixed order: "
                "make tasks of them first, `[asyncio.create_task(c) for c in ...]`"
            )
