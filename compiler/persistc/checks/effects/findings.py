"""Effects of flow code as findings: the caret at the call in the flow body, the chain of calls behind it."""

from __future__ import annotations

from collections.abc import Iterator

from persistc.checks.effects.reaching import Reached
from persistc.checks.effects.reasons import IN_CLEANUP, Reason
from persistc.checks.effects.scanning import Site
from persistc.diagnostics import Code, Diagnostic, Note, Severity


def finding(reached: Reached) -> Diagnostic:
    """What is wrong with an effect that flow code reaches."""
    reason = reached.source.reason
    first, *rest = reached.chain
    is_cleanup = reached.in_cleanup and reason is not Reason.UNSEEN
    code = Code.EFFECT_IN_CLEANUP if is_cleanup else reason.code
    return Diagnostic(
        code=code,
        message=_message(reached, is_cleanup),
        file=first.file,
        span=first.span,
        label=_chain(reached) if rest else _label(reason, is_cleanup),
        help=IN_CLEANUP if is_cleanup else reached.source.fix,
        notes=tuple(_notes(reached, is_cleanup)),
        severity=Severity.WARNING if code is Code.CANNOT_SEE_INTO_CALL else Severity.ERROR,
    )


def _message(reached: Reached, is_cleanup: bool) -> str:
    first, last = reached.chain[0], reached.chain[-1]
    does = reached.source.reason.does
    while_leaving = ", also when the flow leaves memory" if is_cleanup else ""
    if len(reached.chain) == 1:
        return f"`{first.shown}` {does}{while_leaving}"
    return f"`{first.shown}` leads to `{last.shown}`, which {does}{while_leaving}"


def _label(reason: Reason, is_cleanup: bool) -> str:
    return "happens whenever the flow leaves memory" if is_cleanup else reason.label


def _notes(reached: Reached, is_cleanup: bool) -> Iterator[Note]:
    for site in reached.chain[1:-1]:
        yield Note(site.file, site.span, f"calls `{site.shown}`")
    for site in reached.chain[1:][-1:]:
        yield Note(site.file, site.span, _label(reached.source.reason, is_cleanup))


def _chain(reached: Reached) -> str:
    return " → ".join(_step(site) for site in reached.chain)


def _step(site: Site) -> str:
    return f"{site.file}:{site.span.start.line} {site.shown}"
