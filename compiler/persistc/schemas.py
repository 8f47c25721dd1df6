"""JSON Schema of flow classes, as a process in the environment of the user's program tells it.

The types are those that the program itself stores: the generated modules are imported, not read.
"""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from persistc.cannot_run import CannotRun
from persistc.compiling import Compiled
from persistc.model import Class, Kind, Module
from persistc.program import ask_program, generated_name
from persistc.proxies import proxied_classes, proxy_name


@dataclass(frozen=True, slots=True)
class Proxied:
    """A flow class that has a proxy."""

    name: str
    """Its name, with that of its module before it where two bear the same."""
    cls: Class
    module: Module
    flows: tuple[str, ...]


def schema_document(compiled: Compiled, wanted: Sequence[str], python: str) -> Mapping[str, Any]:
    """The schemas of the flow classes that are asked for, or of all.

    Args:
        compiled: A compilation without errors; the generated files must be up to date.
        wanted: `SignupFlow`, or `SignupFlow.sign_up` for a class with no flow but this one.
        python: The interpreter of the program.

    Raises:
        CannotRun: There is no such flow, or its module cannot be imported.
    """
    proxied = _proxied(compiled)
    chosen = _chosen(proxied, wanted) if wanted else {each.name: each.flows for each in proxied}
    document = _told(compiled, [each for each in proxied if each.name in chosen], python)
    for name, flows in chosen.items():
        told = document[name]["flows"]
        document[name]["flows"] = {flow: told[flow] for flow in told if flow in flows}
    return document


def _proxied(compiled: Compiled) -> list[Proxied]:
    project = compiled.project
    found = [(module, cls) for module in project.modules.values() for cls in proxied_classes(project, module)]
    count = Counter(cls.name for _, cls in found)
    return [
        Proxied(
            name=cls.name if count[cls.name] == 1 else f"{module.import_name}.{cls.name}",
            cls=cls,
            module=module,
            flows=tuple(
                owned.method.name for owned in project.members(cls, module).values() if owned.method.kind is Kind.FLOW
            ),
        )
        for module, cls in found
    ]


def _chosen(proxied: Sequence[Proxied], wanted: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The flows that are asked for, by class."""
    known = {each.name: each for each in proxied}
    chosen: dict[str, tuple[str, ...]] = {}
    for name in wanted:
        owner, _, flow = name.rpartition(".")
        if name in known:
            chosen[name] = known[name].flows
        elif owner in known and flow in known[owner].flows:
            chosen[owner] = (*chosen.get(owner, ()), flow)
        else:
            raise CannotRun(_unknown(name, proxied))
    return chosen


def _unknown(name: str, proxied: Sequence[Proxied]) -> str:
    if not proxied:
        return f"there is no flow `{name}`: this project has no flow classes"
    names = [each for one in proxied for each in (one.name, *(f"{one.name}.{flow}" for flow in one.flows))]
    near = difflib.get_close_matches(name, names, 3, 0.5)
    meant = f"did you mean {' or '.join(f'`{each}`' for each in near)}?" if near else f"there are {_listed(proxied)}"
    return f"there is no flow `{name}`: {meant}"


def _listed(proxied: Sequence[Proxied]) -> str:
    return ", ".join(f"`{each.name}`" for each in proxied)


def _told(compiled: Compiled, proxied: Sequence[Proxied], python: str) -> dict[str, Any]:
    for one, other in combinations(proxied, 2):
        if one.module is not other.module and generated_name(one.module) == generated_name(other.module):
            raise CannotRun(
                f"{one.module.file} and {other.module.file} are imported by one name, `{one.module.import_name}`, and "
                f"not both by one program: name flows of one of them, of {_listed(proxied)}"
            )
    places = [f"{each.name}={generated_name(each.module)}:{proxy_name(each.cls)}" for each in proxied]
    question = ["persistasaurus.schema_process", *places]
    told = ask_program(python, question, compiled.root, [each.module for each in proxied], f"import {_listed(proxied)}")
    if not told:
        raise CannotRun(f"{python} could not import {_listed(proxied)}: it did not say why")
    answer: dict[str, Any] = json.loads(told)
    if "refused" in answer:
        raise CannotRun(f"{answer['refused']}")
    document: dict[str, Any] = answer["document"]
    return document
