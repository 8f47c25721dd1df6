"""`persistc schema`: one document for flow classes, and what it says when there can be none."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.compiler.projects import Project

ORDERS = '''\
"""Orders."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from persistasaurus import Json, flow, signal, step, stored_as

print("imported")


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents


def cents(money: Money) -> int:
    return money.cents


@dataclass
class Line:
    sku: str
    price: Annotated[Money, stored_as(cents, Money)]
    count: int = 1


class OrderFlow:
    @flow
    async def place(self, lines: list[Line], /, *notes: str, rush: bool = False, **more: int) -> Path: ...

    @flow
    async def cancel(self) -> None: ...

    @step
    async def ship(self, line: Line, at: date | None) -> Json: ...

    @signal
    async def approve(self, by: str) -> str: ...
'''


@pytest.fixture
def orders(project: Project) -> Project:
    """A project with a flow class of every kind of method."""
    project.write("app/__init__.py", "")
    project.write("app/flows.py", ORDERS)
    assert project.persistc("generate").exit_code == 0
    return project


def schema(project: Project, *flows: str) -> Any:
    """The document the command prints."""
    ended = project.persistc("schema", *flows, "--output-format", "json")
    assert (ended.exit_code, ended.stderr) == (0, "")
    return json.loads(ended.stdout)


def refused(project: Project, *arguments: str) -> str:
    """What it says when there can be no document."""
    ended = project.persistc("schema", *arguments)
    assert (ended.exit_code, ended.stdout) == (2, "")
    return ended.stderr


def parameters(required: list[str], **properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def test_the_document_has_every_parameter_result_and_signal(orders: Project) -> None:
    text, number, line = {"type": "string"}, {"type": "integer"}, {"$ref": "#/$defs/Line"}
    lines = {"type": "array", "items": line}
    place = parameters(
        ["lines"],
        lines=lines,
        rush={"type": "boolean"},
        notes={"type": "array", "items": text},
        more={"type": "object", "additionalProperties": number},
    )
    at = {"anyOf": [{**text, "format": "date"}, {"type": "null"}]}
    assert schema(orders) == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "OrderFlow": {
            "flows": {
                "place": {"parameters": place, "result": {"$ref": "#/$defs/Path"}},
                "cancel": {"parameters": parameters([]), "result": {"type": "null"}},
            },
            "steps": {"ship": {"parameters": parameters(["line", "at"], line=line, at=at), "result": {}}},
            "signals": {"approve": {"parameters": parameters(["by"], by=text), "result": text}},
        },
        "$defs": {
            "Line": {
                "title": "Line",
                "type": "object",
                "properties": {"sku": text, "price": {"$ref": "#/$defs/Money"}, "count": {**number, "default": 1}},
                "required": ["sku", "price"],
            },
            "Money": {"title": "Money", **number},
            "Path": {"title": "Path", **text},
        },
    }


def test_one_flow_can_be_asked_for(orders: Project) -> None:
    document = schema(orders, "OrderFlow.cancel")
    assert [*document["OrderFlow"]["flows"]] == ["cancel"]
    assert [*document["OrderFlow"]["signals"]] == ["approve"]
    assert [*schema(orders, "OrderFlow.cancel", "OrderFlow.place")["OrderFlow"]["flows"]] == ["place", "cancel"]
    assert [*schema(orders, "OrderFlow.cancel", "OrderFlow")["OrderFlow"]["flows"]] == ["place", "cancel"]


def test_only_the_classes_asked_for_are_imported(orders: Project) -> None:
    orders.write("app/broken.py", "import nowhere\n" + ORDERS.replace("OrderFlow", "BrokenFlow"))
    orders.persistc("generate")
    assert [*schema(orders, "OrderFlow")] == ["$schema", "OrderFlow", "$defs"]


def test_the_document_is_the_same_under_every_hash_seed(orders: Project) -> None:
    tags = "count: int = 1\n    tags: frozenset[str] = frozenset('abcdefgh')\n"
    orders.write("app/flows.py", ORDERS.replace("count: int = 1\n", tags))
    orders.persistc("generate")
    documents = {orders.persistc_process("schema", PYTHONHASHSEED=seed).stdout for seed in ("1", "2", "3")}
    assert len(documents) == 1
    assert json.loads(documents.pop())["$defs"]["Line"]["properties"]["tags"]["type"] == "array"


def test_a_project_without_flows_has_an_empty_document(project: Project) -> None:
    project.write("app.py", "print('hello')\n")
    assert schema(project) == {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": {}}


@pytest.mark.parametrize("folder", ["src/app", "services/shop/app"])
def test_modules_are_imported_from_where_the_program_has_them(project: Project, folder: str) -> None:
    project.write(f"{folder}/__init__.py", "")
    project.write(f"{folder}/values.py", "Number = int\n")
    project.write(
        f"{folder}/sub/__init__.py",
        ORDERS.replace("by: str", "by: Number").replace(
            "import date\n", "import date\n\nfrom app.values import Number\n"
        ),
    )
    project.persistc("generate")
    by = schema(project, "OrderFlow")["OrderFlow"]["signals"]["approve"]["parameters"]["properties"]["by"]
    assert by == {"type": "integer"}


def test_the_root_of_the_project_is_on_the_path(project: Project) -> None:
    project.write("pyproject.toml", '[tool.persistc]\nsource = ["app"]\n')
    project.write("shared.py", "Number = int\n")
    project.write(
        "app/flows.py",
        ORDERS.replace("by: str", "by: Number").replace("import date\n", "import date\n\nfrom shared import Number\n"),
    )
    project.persistc("generate")
    assert schema(project)["OrderFlow"]["signals"]["approve"]["result"] == {"type": "string"}


def test_classes_of_one_name_bear_their_modules(orders: Project) -> None:
    orders.write("app/others.py", ORDERS)
    orders.persistc("generate")
    assert [*schema(orders)][1:-1] == ["app.flows.OrderFlow", "app.others.OrderFlow"]
    assert [*schema(orders, "app.others.OrderFlow.cancel")["app.others.OrderFlow"]["flows"]] == ["cancel"]


def test_modules_that_are_imported_by_one_name_are_not_mixed_up(project: Project) -> None:
    project.write("one/flows.py", ORDERS)
    project.write("two/flows.py", ORDERS.replace("OrderFlow", "OtherFlow"))
    project.persistc("generate")
    assert refused(project) == (
        "persistc: one/flows.py and two/flows.py are imported by one name, `flows`, and not both by one program: "
        "name flows of one of them, of `OrderFlow`, `OtherFlow`\n"
    )
    assert [*schema(project, "OtherFlow")][1:-1] == ["OtherFlow"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("OrdersFlow", "did you mean `OrderFlow` or `OrderFlow.place` or `OrderFlow.cancel`?"),
        ("OrderFlow.plaice", "did you mean `OrderFlow.place` or `OrderFlow.cancel` or `OrderFlow`?"),
        ("OrderFlow.ship", "did you mean `OrderFlow` or `OrderFlow.place` or `OrderFlow.cancel`?"),
        ("xyz", "there are `OrderFlow`"),
    ],
)
def test_a_flow_nobody_knows_is_answered_with_those_that_are_near(orders: Project, name: str, meant: str) -> None:
    assert refused(orders, name) == f"persistc: there is no flow `{name}`: {meant}\n"


def test_without_any_flows_none_is_near(project: Project) -> None:
    project.write("app.py", "print('hello')\n")
    assert refused(project, "OrderFlow") == (
        "persistc: there is no flow `OrderFlow`: this project has no flow classes\n"
    )


# --- when there can be no document ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("raise ValueError('first line\\nsecond line')", "ValueError: first line\nsecond line"),
        ("def half(:", ""),
    ],
)
def test_a_module_that_cannot_be_imported_is_named(orders: Project, line: str, reason: str) -> None:
    orders.write("app/values.py", f"{line}\n")
    orders.write("app/flows.py", "import app.values\n" + ORDERS)
    orders.persistc("generate")
    ended = refused(orders)
    assert ended.startswith("persistc: app.flows_durable cannot be imported: " + (reason or "SyntaxError: "))


def test_a_module_that_leaves_the_process_is_no_crash_of_ours(orders: Project) -> None:
    orders.write("app/flows.py", "import sys\n" + ORDERS + "\nsys.exit('no configuration')\n")
    orders.persistc("generate")
    assert refused(orders) == f"persistc: {sys.executable} could not import `OrderFlow`: no configuration\n"


def test_a_type_that_cannot_be_stored_is_said_as_at_import(orders: Project) -> None:
    text = ORDERS.replace("by: str", "by: Message").replace(
        "import date\n", "import date\nfrom email.message import Message\n"
    )
    orders.write("app/flows.py", text)
    orders.persistc("generate")
    assert "ValueNotStorable: parameter 'by' of OrderFlow.approve" in refused(orders)


def test_stale_files_are_said_and_nothing_is_imported(orders: Project) -> None:
    orders.write("app/flows.py", ORDERS.replace("by: str", "by: int"))
    ended = orders.persistc("schema", "--python", "nowhere")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr.startswith("stale: app/flows_durable.py\n")


def test_findings_are_said_and_nothing_is_imported(orders: Project) -> None:
    orders.write("app/flows.py", ORDERS.replace("by: str", "by"))
    ended = orders.persistc("schema", "--python", "nowhere")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "error[PST040]" in ended.stderr


def test_a_python_that_cannot_be_used_is_named(orders: Project) -> None:
    assert refused(orders, "--python", "/no/python") == (
        "persistc: /no/python cannot be run: No such file or directory; name a Python with `--python`\n"
    )
    python = orders.write("bare-python", "#!/bin/sh\necho \"No module named 'persistasaurus'\" >&2; exit 1\n")
    python.chmod(0o755)
    assert refused(orders, "--python", str(python)) == (
        f"persistc: {python} has no persistasaurus: install it there, or name another `--python`\n"
    )
