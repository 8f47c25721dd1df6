"""From the model to what `persistc generate --tests` writes: for each flow class a test that crashes its flows."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from persistc.checks.flow_class import FlowClass
from persistc.flow_graph.building import flow_graph
from persistc.flow_graph.regions import Wait, inside
from persistc.model import Class, Kind, Method, Module, Parameter, ParameterKind
from persistc.project import Owned, Project
from persistc.proxies import proxied_classes, proxy_name
from persistc.sources import outputs_of
from persistc.versions import is_kept

_MADE_UP: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "str": ('"{name}"', ()),
    "int": ("1", ()),
    "float": ("1.0", ()),
    "bool": ("True", ()),
    "bytes": ('b"{name}"', ()),
    "None": ("None", ()),
    "object": ("None", ()),
    "decimal.Decimal": ('Decimal("1")', ("decimal", "Decimal")),
    "datetime.datetime": ("datetime(2025, 1, 1, tzinfo=UTC)", ("datetime", "UTC", "datetime")),
    "datetime.date": ("date(2025, 1, 1)", ("datetime", "date")),
    "datetime.timedelta": ("timedelta(days=1)", ("datetime", "timedelta")),
    "uuid.UUID": ("UUID(int=1)", ("uuid", "UUID")),
    "pathlib.Path": ('Path("{name}")', ("pathlib", "Path")),
}
"""Values by the types that need no imagination, with the module they need and what of it."""
_EMPTY = (("list[", "[]"), ("Sequence[", "[]"), ("dict[", "{}"), ("Mapping[", "{}"), ("set[", "set()"))


@dataclass(frozen=True, slots=True)
class Blank:
    """A function that the user fills in."""

    name: str
    wanted: str
    """What it is to return."""

    @property
    def message(self) -> str:
        """What a test says that needs it, as a literal."""
        return json.dumps(f"fill in {self.name}(): return {self.wanted}", ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class CrashTest:
    """The test of one flow."""

    name: str
    run: str
    """What runs it: `sign_up.run("alice")`."""
    signals: tuple[str, ...]
    """What sends each: `confirm.send()`."""


@dataclass(frozen=True, slots=True)
class CrashTestModule:
    """What one test file says; it is named `file`."""

    file: str
    flow_class: str
    proxy: str
    module: str
    """Where the proxy is imported from."""
    imports: tuple[str, ...]
    made: str
    """The call that makes the proxy."""
    takes: tuple[str, ...]
    """What it takes, which the user has to say."""
    blanks: tuple[Blank, ...]
    tests: tuple[CrashTest, ...]


def crash_test_modules(project: Project, modules: Sequence[Module]) -> tuple[CrashTestModule, ...]:
    """A test file for each flow class that has a proxy and a flow."""
    found = [
        (cls, module)
        for module in modules
        for cls in proxied_classes(project, module)
        if any(owned.method.kind is Kind.FLOW for owned in project.members(cls, module).values())
    ]
    taken = Counter(_snake(cls.name) for cls, _ in found)
    return tuple(_Composer(project, module, cls).compose(taken[_snake(cls.name)] > 1) for cls, module in found)


class _Composer:
    def __init__(self, project: Project, module: Module, cls: Class) -> None:
        self._project = project
        self._module = module
        self._class = cls
        self._members = project.members(cls, module)
        self._imports: dict[str, set[str]] = {}
        self._blanks: list[Blank] = []

    def compose(self, is_one_of_many: bool) -> CrashTestModule:
        """The test file; flow classes of one name have their module in those of their files."""
        flows = [
            owned for owned in self._members.values() if owned.method.kind is Kind.FLOW and not is_kept(owned.method)
        ]
        init = self._members.get("__init__")
        takes = () if init is None else tuple(each.name for each in init.method.values if _is_asked_for(each))
        tests = tuple(self._test(flow) for flow in flows)
        package = self._module.import_name
        if os.path.basename(self._module.path) != "__init__.py":
            package = package.rpartition(".")[0]
        output = os.path.basename(outputs_of(self._module.path)[0]).removesuffix(".py")
        prefix = f"{self._module.import_name.replace('.', '_')}_" if is_one_of_many else ""
        return CrashTestModule(
            file=f"test_{prefix}{_snake(self._class.name)}_crashes.py",
            flow_class=self._class.name,
            proxy=proxy_name(self._class),
            module=f"{package}.{output}" if package else output,
            imports=tuple(
                f"from {home} import {', '.join(sorted(self._imports[home]))}" for home in sorted(self._imports)
            ),
            made=f"{proxy_name(self._class)}({', '.join(takes)})",
            takes=takes,
            blanks=tuple(self._blanks),
            tests=tests,
        )

    def _test(self, flow: Owned) -> CrashTest:
        graph = flow_graph(FlowClass(self._project, self._module, self._class), flow)
        waits = [each for each in inside((graph.body,)) if isinstance(each, Wait)]
        return CrashTest(
            name=flow.method.name,
            run=f"{flow.method.name}.run({self._arguments(flow)})",
            signals=tuple(self._sent(self._members[wait.name], wait) for wait in waits if wait.name in self._members),
        )

    def _sent(self, signal: Owned, wait: Wait) -> str:
        name, keyed = signal.method.name, ""
        if wait.key:
            keyed = f".keyed({self._filled_in(f'{name}_key', f'the key by which the flow waits for `{name}`')})"
        return f"{name}{keyed}.send({self._arguments(signal)})"

    def _arguments(self, owned: Owned) -> str:
        return ", ".join(self._values(owned))

    def _values(self, owned: Owned) -> Iterator[str]:
        for each in owned.method.values:
            if _is_asked_for(each):
                value = self._value(each, owned)
                yield f"{each.name}={value}" if each.kind is ParameterKind.KEYWORD_ONLY else value

    def _value(self, parameter: Parameter, owned: Owned) -> str:
        """A value of the parameter's type, or the call of a function that the user fills in."""
        if parameter.annotation is None:
            return self._blank(parameter, owned.method)
        text = parameter.annotation.text
        origin = self._project.origin_of(parameter.annotation.expression, owned.module, owned.owner)
        made_up = _MADE_UP.get((origin or text).removeprefix("builtins."))
        if made_up is not None:
            value, needed = made_up
            if needed:
                self._imports.setdefault(needed[0], set()).update(needed[1:])
            return value.format(name=parameter.name)
        if text.endswith("| None") or text.startswith("Optional["):
            return "None"
        empty = next((value for start, value in _EMPTY if text.startswith(start)), None)
        return empty if empty is not None else self._blank(parameter, owned.method)

    def _blank(self, parameter: Parameter, method: Method) -> str:
        wanted = f"the `{parameter.annotation.text}`" if parameter.annotation is not None else "what it is"
        return self._filled_in(f"{method.name}_{parameter.name}", f"{wanted} for `{parameter.name}` of `{method.name}`")

    def _filled_in(self, name: str, wanted: str) -> str:
        blank = Blank(name, wanted)
        if blank not in self._blanks:
            self._blanks.append(blank)
            self._imports.setdefault("typing", set()).add("Any")
        return f"{name}()"


def _is_asked_for(parameter: Parameter) -> bool:
    variadic = parameter.kind in {ParameterKind.VARIADIC, ParameterKind.VARIADIC_KEYWORD}
    return parameter.default is None and not variadic


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
