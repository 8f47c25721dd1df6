"""The step and signal methods of generated flow classes: what statements call, and their source."""

from __future__ import annotations

from typing import NamedTuple

from .grammar import Node


class Method(NamedTuple):
    """A step or signal method of the class; steps with the same options share one."""

    kind: str
    form: str
    """Of a step "async" or "plain", of a signal its name."""
    retry: int = 0
    delay: int = 0
    once: bool = False
    listed: bool = False

    @classmethod
    def of(cls, node: Node) -> Method:
        """The method a statement calls."""
        if node.kind == "signal":
            return cls("signal", str(node["method"]))
        form = "async" if node["form"] == "async" else "plain"
        return cls("step", form, node.number("retry"), node.number("delay"), bool(node["once"]), bool(node["listed"]))

    @property
    def name(self) -> str:
        """Its name tells its options."""
        if self.kind == "signal":
            return self.form
        parts = (
            "work" if self.form == "async" else "plain",
            f"retry{self.retry}" if self.retry else "",
            f"delay{self.delay}" if self.delay else "",
            "once" if self.once else "",
            "" if self.listed else "unlisted",
        )
        return "_".join(part for part in parts if part)

    def text(self, *, plain: bool) -> list[str]:
        """Its source, in a plain flow or not; what the body of a step does is the world's business."""
        if self.kind == "signal":
            define = "def" if plain else "async def"
            return ["@signal", f"{define} {self.name}(self, what: str) -> str:", "    return what"]
        options = [
            f"retry=Retry(max_attempts={self.retry}, initial=timedelta(seconds=2))" if self.retry else "",
            f"delay=timedelta(seconds={self.delay})" if self.delay else "",
            "at_most_once=True" if self.once else "",
            "raises=(Declined,)" if self.listed else "",
        ]
        written = ", ".join(option for option in options if option)
        define = "async def" if self.form == "async" else "def"
        return [
            f"@step({written})" if written else "@step",
            f"{define} {self.name}(self, name: str, fails: int, behaviour: str) -> int:",
            '    raise NotImplementedError("the simulated world says what bodies do")',
        ]
