"""Versions of flows: which number the body of a flow has, and of which flow it is a kept, older body.

`@flow(version=2)` is the newest body, which new flows run; `@flow(version=1, of=place_order)` beside it is kept for
those that started on it. An option that cannot be read is a finding of the checks; here it counts as left out.
"""

from __future__ import annotations

from persistc.flow_tree import Constant, Name
from persistc.model import Kind, Method, Text

FIRST = 1
"""The version of a flow that does not say one."""


def version(flow: Method) -> int:
    """The number of the body of a flow."""
    written = flow_option(flow, "version")
    number = None if written is None else _number(written)
    return FIRST if number is None else number


def has_readable_version(flow: Method) -> bool:
    """Whether `version=` is left out or a whole number, 1 or more."""
    written = flow_option(flow, "version")
    return written is None or _number(written) is not None


def is_kept(method: Method) -> bool:
    """Whether it is a kept body, and so no flow that could be started."""
    return flow_option(method, "of") is not None


def kept_of(method: Method) -> str | None:
    """The name of the flow of which this is a kept body; None for a flow itself, and for what is no flow."""
    written = flow_option(method, "of")
    return written.expression.name if written is not None and isinstance(written.expression, Name) else None


def flow_option(method: Method, keyword: str) -> Text | None:
    """What a flow's mark says for an option; None for what is no flow."""
    return method.mark.argument(keyword) if method.kind is Kind.FLOW and method.mark is not None else None


def _number(written: Text) -> int | None:
    value = written.expression.value if isinstance(written.expression, Constant) else None
    return value if type(value) is int and value >= FIRST else None
