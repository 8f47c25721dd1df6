"""How a flow's error stands in its row: the error itself, and which failed steps it came from (G7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from persistasaurus.errors import CorruptRow
from persistasaurus.failures import FailureCodec
from persistasaurus.open_call import OpenCall


class FailurePoint(msgspec.Struct, frozen=True):
    """Where a flow failed.

    Attributes:
        steps: The failed steps its error came from; empty if the error was made by the flow's own code.
        after: The last delivery before its main task ended.
        made: The number the next call would have drawn then.
        open: The calls that were not over then: what ended them was the end of the flow.
        at_most_once: Those of `steps` that must not run again.
    """

    steps: tuple[int, ...] = ()
    after: int = 0
    made: int = 1
    open: tuple[int, ...] = ()
    at_most_once: tuple[int, ...] = ()


class _FailedFlow(msgspec.Struct):
    error: msgspec.Raw
    at: FailurePoint


_decoder = msgspec.json.Decoder(_FailedFlow)
_encoder = msgspec.json.Encoder()


def encode_failed_flow(codec: FailureCodec, error: BaseException, at: FailurePoint) -> str:
    """The error of a flow as JSON, with where it failed."""
    return _encoder.encode(_FailedFlow(msgspec.Raw(codec.encode(error).encode()), at)).decode()


def decode_failed_flow(flow_id: str, codec: FailureCodec, text: str | None) -> tuple[BaseException, FailurePoint]:
    """The error of a flow and where it failed.

    Raises:
        CorruptRow: The text is no error.
    """
    try:
        failed = _decoder.decode(text or "")
        return codec.decode(bytes(failed.error).decode()), failed.at
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptRow(f"flow {flow_id}: its error on record cannot be read: {error}") from error


def text_of_error(text: str | None) -> str | None:
    """The error of a flow as JSON, without where it failed; the text as it is if it cannot be read."""
    try:
        return bytes(_decoder.decode(text or "").error).decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return text


def failing_calls(error: BaseException, failures: Mapping[int, tuple[BaseException, OpenCall]]) -> list[OpenCall]:
    """The steps whose exceptions an error holds: itself, in its groups or in its chain of causes (G7).

    Args:
        error: What left the flow body.
        failures: Exceptions handed to the flow, by their `id`, each with the call it came from.
    """
    return [failures[id(each)][1] for each in _tree_of(error) if id(each) in failures]


def _tree_of(error: BaseException) -> Iterator[BaseException]:
    """The error, the members of groups and the causes, in depth first order; a chain may be of any length."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        left.append(each.__cause__)
        if isinstance(each, BaseExceptionGroup):
            left.extend(reversed(each.exceptions))
