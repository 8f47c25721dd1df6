"""Writes statements of a flow one after the other: steps, waits, branches, loops, handlers.

Every statement leaves its value in a variable of its own, and what the flow sees on the way goes into its trace. What
runs beside the rest is a function inside the flow; a single step or wait is handed over as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from .grammar import Node
from .methods import Method


class Statements:
    """Writes statements; those that run several things at once are in `SideBySide`.

    Args:
        plain: For a plain flow.
    """

    def __init__(self, *, plain: bool) -> None:
        self.plain = plain
        self.define = "def" if plain else "async def"
        self.wait = "" if plain else "await "
        self.lines: list[str] = []
        self._indent = ""
        self._numbers = 0
        self._loops: list[str] = []

    def line(self, text: str) -> None:
        """Write a line."""
        self.lines.append(self._indent + text if text else "")

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Write a compound statement, and what is written inside below it."""
        self.line(head)
        self._indent += "    "
        yield
        self._indent = self._indent[:-4]

    def statement(self, node: Node) -> str:
        """Write a statement; returns the variable with its value."""
        self._numbers += 1
        number = self._numbers
        getattr(self, f"_{node.kind}")(node, f"v{number}", number)
        return f"v{number}"

    def _body(self, head: str, node: Node, target: str) -> None:
        """A block whose value is that of the statement in it."""
        with self.block(head):
            self.line(f"{target} = {self.statement(node)}")

    def _function(self, node: Node) -> str:
        """A function that runs the statement; returns its name."""
        self._numbers += 1
        name = f"branch_{self._numbers}"
        with self.block(f"{self.define} {name}() -> Json:"):
            with self.block("try:"):
                self.line(f"return {self.statement(node)}")
            with self.block("finally:"):
                self.line(f'note(seen, "{name} ends")')
        return name

    def _coroutine(self, node: Node) -> str:
        """An expression that makes a coroutine which runs the statement."""
        if (node.kind == "step" and node["form"] == "async") or node.kind == "signal":
            return self._call(node)
        return f"{self._function(node)}()"

    def _tasks(self, nodes: Sequence[Node], create: str = "asyncio.create_task") -> str:
        return ", ".join(f"{create}({each})" for each in [self._coroutine(node) for node in nodes])

    def _arguments(self, node: Node) -> str:
        name = f'"{node["name"]}"'
        if self._loops:
            name = f'f"{node["name"]}.{".".join(f"{{{each}}}" for each in self._loops)}"'
        return f'{name}, {node["fails"]}, "{node["behaviour"]}"'

    def _call(self, node: Node) -> str:
        method = f"self.{Method.of(node).name}"
        if node.kind == "step":
            return f"{method}({self._arguments(node)})"
        options = f", timeout=timedelta(seconds={node['limit']})" if node["limit"] is not None else ""
        return (
            f'wait_for_signal({method}{options}, key="{node["key"]}")'
            if node["key"]
            else f"wait_for_signal({method}{options})"
        )

    def _seen(self, text: str, target: str) -> None:
        self.line(f'note(seen, f"{text} gave {{{target}!r}}")')

    # -- leaves -------------------------------------------------------------------------------------------------------

    def _nothing(self, node: Node, target: str, number: int) -> None:
        self.line(f"{target} = None")

    def _step(self, node: Node, target: str, number: int) -> None:
        if node["form"] == "thread":
            self.line(f"{target} = await asyncio.to_thread(self.{Method.of(node).name}, {self._arguments(node)})")
        else:
            wait = "await " if node["form"] == "async" else ""
            self.line(f"{target} = {wait}{self._call(node)}")
        self._seen(str(node["name"]), target)

    def _sleep(self, node: Node, target: str, number: int) -> None:
        self.line(
            f"sleep(timedelta(seconds={node['seconds']}))" if self.plain else f"await asyncio.sleep({node['seconds']})"
        )
        self.line(f"{target} = None")

    def _signal(self, node: Node, target: str, number: int) -> None:
        self.line(f"{target} = {self.wait}{self._call(node)}")
        self._seen(str(node["method"]), target)

    def _raise(self, node: Node, target: str, number: int) -> None:
        self.line(f"{target} = None")
        with self.block(f"if {target} is None:"):
            self.line('raise Broken("the program says so")')

    # -- one after the other ------------------------------------------------------------------------------------------

    def _sequence(self, node: Node, target: str, number: int) -> None:
        values = [self.statement(each) for each in node.children]
        self.line(f"{target} = [{', '.join(values)}]")

    def _branch(self, node: Node, target: str, number: int) -> None:
        condition, one, other = node.children
        self._body(f"if odd({self.statement(condition)}):", one, target)
        self._body("else:", other, target)

    def _loop(self, node: Node, target: str, number: int) -> None:
        self.line(f"{target} = None")
        self._loops.append(f"i{number}")
        with self.block(f"for i{number} in range({node['times']}):"):
            self.line(f"{target} = {self.statement(node.children[0])}")
            if node["ends_early"]:
                with self.block(f"if odd({target}):"):
                    self.line("break")
        self._loops.pop()

    def _attempt(self, node: Node, target: str, number: int) -> None:
        inner, handler, final = node.children
        self._body("try:", inner, target)
        with self.block(f"except {node['catches']} as error:"):
            self.line('note(seen, f"caught {type(error).__name__}")')
            value = self.statement(handler)
            self.line("raise" if node["catches"] == "BaseException" else f"{target} = {value}")
        with self.block("finally:"):
            self.statement(final)

    def _ensure(self, node: Node, target: str, number: int) -> None:
        self._body("try:", node.children[0], target)
        with self.block("finally:"):
            self.statement(node.children[1])

    def _stubborn(self, node: Node, target: str, number: int) -> None:
        self._body("try:", node.children[0], target)
        self._body("except asyncio.CancelledError:", node.children[1], target)

    def _split(self, node: Node, target: str, number: int) -> None:
        self.line(f"{target} = None")
        self._body("try:", node.children[0], target)
        with self.block("except* Declined as errors:"):
            self.line('note(seen, f"caught {len(errors.exceptions)}")')
            self.line(f"{target} = {self.statement(node.children[1])}")
