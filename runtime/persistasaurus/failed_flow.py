"""How a flow's error stands in its row: the error itself, and which failed steps it came from (G7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from persistasaurus.errors import CorruptRow
from persistasaurus.failures import FailureCodec


class _FailedFlow(msgspec.Struct):
    error: msgspec.Raw
    steps: tuple[int, ...] = ()


_decoder = msgspec.json.Decoder(_FailedFlow)
_encoder = msgspec.json.Encoder()


def encode_failed_flow(codec: FailureCodec, error: BaseException, steps: Iterable[int]) -> str:
    """The error of a flow as JSON, with the numbers of the failed steps it came from."""
    return _encoder.encode(_FailedFlow(msgspec.Raw(codec.encode(error).encode()), tuple(steps))).decode()


def decode_failed_flow(flow_id: str, codec: FailureCodec, text: str | None) -> tuple[BaseException, tuple[int, ...]]:
    """The error of a flow and the failed steps it came from.

    Raises:
        CorruptRow: The text is no error.
    """
    try:
        failed = _decoder.decode(text or "")
        return codec.decode(bytes(failed.error).decode()), failed.steps
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptRow(f"flow {flow_id}: its error on record cannot be read: {error}") from error


def failing_steps(error: BaseException, failures: Mapping[int, tuple[BaseException, int]]) -> list[int]:
    """The steps whose exceptions an error holds: itself, in its groups or in its chain of causes (G7).

    Args:
        error: What left the flow body.
        failures: Exceptions handed to the flow, by their `id`, each with the step it came from.
    """
    return sorted({failures[id(each)][1] for each in _tree_of(error, set()) if id(each) in failures})


def _tree_of(error: BaseException | None, seen: set[int]) -> Iterator[BaseException]:
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    yield error
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _tree_of(member, seen)
    yield from _tree_of(error.__cause__, seen)
    yield from _tree_of(error.__context__, seen)
