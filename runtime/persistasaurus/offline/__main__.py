"""Tells `persistc diff --log` what a log holds, one JSON document a line: `python -m persistasaurus.offline LOG`.

It is a process of its own because `--types` and `--replay` import the program whose flows these are.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from persistasaurus.engine import registered_flows
from persistasaurus.errors import PersistasaurusError
from persistasaurus.flow_classes import FlowClass
from persistasaurus.offline.loading import NotLoaded, load
from persistasaurus.offline.recorded import Recorded, recorded_flows
from persistasaurus.offline.registered import FlowTypes
from persistasaurus.offline.rehearsal import rehearse
from persistasaurus.runner import Registered
from persistasaurus.sqlite_log.looking import look_into


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each flow in flight; the last one says `refused` if not all could be told."""
    options = _parser().parse_args(arguments)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what the program prints while it is imported is not for us
    logging.disable(logging.CRITICAL)
    with out:
        try:
            for told in _told(options):
                out.write(msgspec.json.encode(told) + b"\n")
        except (PersistasaurusError, NotLoaded) as refusal:
            out.write(msgspec.json.encode({"refused": str(refusal)}) + b"\n")
    return 0


def _told(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    types = FlowTypes(map(_flow_class, options.types)) if options.types else None
    registered = _registered(options.replay) if options.replay else None
    with look_into(options.log) as log:
        for recorded in recorded_flows(log):
            yield _flow(recorded, types, registered, log.seed())


def _flow(
    recorded: Recorded, types: FlowTypes | None, registered: Mapping[str, Registered] | None, seed: bytes
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "flow_id": recorded.flow.flow_id,
        "name": recorded.flow.name,
        "version": recorded.flow.version,
        "status": recorded.flow.status,
        "calls": [(call.kind, call.class_name, call.method_name) for call in recorded.calls],
    }
    if recorded.damage is not None:
        told["unreadable"] = [("a row", recorded.damage)]
        return told
    if types is not None:
        told["unreadable"] = [(each.what, each.problem) for each in types.unreadable(recorded)]
    if registered is not None and recorded.flow.name in registered:
        problem = rehearse(recorded, registered, seed)
        told["replay"] = None if problem is None else str(problem).removeprefix(f"flow {recorded.flow.flow_id}: ")
    return told


def _flow_class(place: str) -> FlowClass:
    found: object = getattr(load(place), "__persistasaurus__", None)
    if not isinstance(found, FlowClass):
        raise NotLoaded(f"{place} is no proxy class")
    return found


def _registered(place: str) -> Mapping[str, Registered]:
    found = load(place)
    if callable(found):
        try:
            found = found()
        except Exception as error:
            raise NotLoaded(f"{place}() raised {type(error).__name__}: {error}") from error
    if not isinstance(found, list | tuple):
        raise NotLoaded(
            f"{place} is {type(found).__name__}: name the list of proxies the engine is given, or what returns it"
        )
    try:
        return registered_flows(found)
    except (TypeError, PersistasaurusError) as error:
        raise NotLoaded(f"{place}: {error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m persistasaurus.offline", description=__doc__)
    parser.add_argument("log", help="the file of the log; it is only read")
    parser.add_argument(
        "--types",
        nargs="*",
        default=(),
        metavar="MODULE:CLASS",
        help="proxy classes whose types have to read every row",
    )
    parser.add_argument("--replay", metavar="MODULE:NAME", help="the list of proxies to replay the flows on")
    return parser


if __name__ == "__main__":
    sys.exit(main())
