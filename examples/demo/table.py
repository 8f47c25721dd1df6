"""The execution log of one flow as a table, with what happened to its process in between."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from persistasaurus import FlowSummary, Invocation

_HEAD = ("step", "what", "status", "attempts", "asked for", "done", "result")


def table(flow: FlowSummary, history: Sequence[Invocation], events: Sequence[tuple[datetime, str]]) -> Iterator[str]:
    """The lines of the table.

    Args:
        flow: The flow.
        history: Its invocations.
        events: What happened outside, and when; each becomes a line at its place.
    """
    rows = [(flow.started_at, _flow_row(flow)), *((call.called_at, _row(call)) for call in history)]
    widths = [max(map(len, column)) for column in zip(_HEAD, *(cells for _, cells in rows), strict=True)]
    yield _line(_HEAD, widths)
    yield "  ".join("─" * width for width in widths)
    lines = [(when, _line(cells, widths)) for when, cells in rows]
    lines += [(when, f"{'':{widths[0]}}  ── {_time(when)} {what}") for when, what in events]
    yield from (line for _, line in sorted(lines, key=lambda line: line[0]))


def _flow_row(flow: FlowSummary) -> tuple[str, ...]:
    done = _time(flow.ended_at)
    return ("0", flow.name, flow.status, "", _time(flow.started_at), done, flow.return_value or "")


def _row(call: Invocation) -> tuple[str, ...]:
    return (
        str(call.step), call.name.rpartition(".")[2], call.status, str(call.attempts),
        _time(call.called_at), _time(call.delivered_at), call.return_value or "",
    )  # fmt: skip


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _time(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone().strftime("%H:%M:%S.%f")[:-3]
