"""What a run has found, and which generated files are not as they should be, as one text: for people, for programs, for
GitHub."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from persistc.compiling import Compiled
from persistc.files import Difference, State
from persistc.reporting import OutputFormat, github_command, json_document, json_object, render
from persistc.sources import shown

_HELP = {
    State.MISSING: "run `persistc generate`",
    State.STALE: "run `persistc generate`",
    State.EDITED: "put the change into the source and run `persistc generate --force`",
    State.ORPHAN: "nothing is generated into this file any more: run `persistc generate`, which removes it",
    State.FOREIGN: "persistc did not write this file, and its output belongs there: rename it or the source",
}
_EDITED_ORPHAN = "its source is gone, and it was edited by hand: remove it, or run `persistc generate --force`"


def render_run(compiled: Compiled, found: Sequence[Difference], output_format: OutputFormat, *, show_diff: bool) -> str:
    """The findings of a run, then the files; JSON is one document of both."""
    if output_format is OutputFormat.JSON:
        return json_document([*map(json_object, compiled.findings), *map(_json_object, found)])
    return render(compiled.findings, compiled.texts, output_format) + _files(found, output_format, show_diff=show_diff)


def _files(found: Sequence[Difference], output_format: OutputFormat, *, show_diff: bool) -> str:
    """One line a file, `missing: app/flows_durable.py`, followed, with `show_diff`, by what would change in it."""
    match output_format:
        case OutputFormat.GITHUB:
            return "".join(f"{_github(each)}\n" for each in found)
        case _:
            return "".join(f"{_line(each)}{_diff(each) if show_diff else ''}" for each in found) + _advice(found)


def _line(each: Difference) -> str:
    return f"{each.state}: {shown(each.path)}\n"


def _diff(each: Difference) -> str:
    if each.present is None or each.wanted is None:
        return ""
    name = shown(each.path)
    lines = difflib.unified_diff(
        each.present.splitlines(keepends=True),
        each.wanted.splitlines(keepends=True),
        name,
        f"{name} (as it would be generated)",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _advice(found: Sequence[Difference]) -> str:
    """What to do, once for each kind."""
    return "".join(f"{line}\n" for line in dict.fromkeys(f"{each.state}: {_help(each)}" for each in found))


def _help(each: Difference) -> str:
    return _EDITED_ORPHAN if each.state is State.ORPHAN and not each.is_intact else _HELP[each.state]


def _github(each: Difference) -> str:
    properties = {"title": f"persistc ({each.state})", "file": shown(each.path)}
    return github_command("error", properties, f"{each.state}: {_help(each)}")


def _json_object(each: Difference) -> dict[str, str]:
    return {"file": shown(each.path), "state": each.state, "help": _help(each)}
