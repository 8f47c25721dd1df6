"""A graph as JSON, for programs.

The document of a flow has `module`, `class_name`, `name`, `recorded` (its name in the log), `version`, `place` and
`body`. A body is a list of regions. Each has a `kind`, a `place` with `file`, `line` and `column` (from 1), and:

- `step`: `class_name`, `name`, `note`
- `wait`: `class_name`, `name`, `timeout`, `key`; the texts are empty where there is none
- `sleep`: `duration`, `timers`: whether it leaves a row in the log, `one`, `none` or `perhaps`
- `within`: `head`, `timers`, `body`
- `branch`: `subject` (of `match`), `is_complete`, `is_expression`, `arms`, each with `text`, `before` and `body`
- `loop`: `head`, `test`, `body`, `orelse`, `is_endless`
- `parallel`: `how`, `body`
- `task`: `how`: `task`, `joined` or `unawaited`, `group`, `body`
- `try`: `body`, `handlers`, each with `text`, `catches_all` and `body`, `orelse`, `final`
- `managed`: `body` of a `with` that may swallow what is raised in it
- `called`: `name`, `body`
- `return`: `is_early`; `raise`: `text`, `is_conditional`; `break`; `continue`
- `dynamic`: `why`, `told`: what is known all the same, `again`: the method that calls itself

Keys may be added; those that are there keep their names and meanings.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TypeAlias, get_args

from persistc.flow_graph.regions import Arm, FlowGraph, Handler, Place, Region, Sequence

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"

_REGIONS = get_args(Region)


def document(graph: FlowGraph) -> str:
    """The document of a flow."""
    return json.dumps(_json(graph), indent=2, ensure_ascii=False) + "\n"


def _json(value: object) -> Json:
    match value:
        case None | bool() | int():
            return value
        case str():
            return str(value)
        case tuple():
            return [_json(part) for part in value]
        case Sequence(parts=parts):
            return [_json(part) for part in parts]
        case Place(file=file, span=span):
            return {"file": file, "line": span.start.line, "column": span.start.column + 1}
        case FlowGraph() | Arm() | Handler():
            return {each.name: _json(getattr(value, each.name)) for each in fields(value)}
        case _ if isinstance(value, _REGIONS):
            kind: dict[str, Json] = {"kind": type(value).__name__.lower()}
            return kind | {each.name: _json(getattr(value, each.name)) for each in fields(value)}
        case _:
            raise AssertionError(f"a part of a graph without a form in JSON: {value!r}")
