"""The document `persistc schema` prints: every method of every class, and nothing it refers to is missing."""

from __future__ import annotations

import importlib
import json
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from persistasaurus.flow_classes import FlowClass
from persistasaurus.json_schema import document_of

ROOT = Path(__file__).parents[3]
GENERATED = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in ("examples", "tests/runtime/promises", "tests/golden")
    for path in (ROOT / folder).rglob("*_durable.py")
)


def flow_classes(module: str) -> dict[str, FlowClass]:
    """The flow classes whose proxies a generated module defines."""
    proxies = [value for value in vars(importlib.import_module(module)).values() if isinstance(value, type)]
    described = [proxy.__dict__["__persistasaurus__"] for proxy in proxies if "__persistasaurus__" in vars(proxy)]
    return {flow_class.name: flow_class for flow_class in described}


@pytest.mark.parametrize("module", GENERATED)
def test_a_document_has_every_method_and_all_it_refers_to(module: str) -> None:
    classes = flow_classes(module)
    document = document_of(classes)

    Draft202012Validator.check_schema(document)
    told = {
        (name, section, method) for name in classes for section, methods in document[name].items() for method in methods
    }
    assert told == {
        (name, f"{method.kind}s", method.name) for name, each in classes.items() for method in each.methods.values()
    }
    assert len(told) > 0
    assert {*re.findall(r'"#/\$defs/([^"]+)"', json.dumps(document))} <= document["$defs"].keys()


ARGUMENTS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("everything", (1, "x"), {"named": True}),
    ("everything", (1, "x"), {"named": False, "pause": timedelta(1), "more": Decimal(3)}),
    ("positional", (1,), {}),
    ("positional", (1, 2), {}),
    ("keywords", (), {"limit": 3}),
    ("variadic", (b"a", b"b"), {"one": None, "two": Decimal("1.5")}),
    ("defaults", (), {}),
    ("defaults", ("text",), {"several": (1, 2, 3), "shape": ("a", "b"), "nothing": "something"}),
    ("nudge", (), {}),
    ("nudge_plainly", (), {"reason": "late"}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), ARGUMENTS)
def test_arguments_on_record_fit_the_parameters(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    classes = flow_classes("tests.golden.parameters.flows_durable")
    document = document_of(classes)
    sections = document["ParametersFlow"].values()
    schema = next(section[name]["parameters"] for section in sections if name in section)
    fits = Draft202012Validator({**schema, "$defs": document["$defs"]})

    recorded = json.loads(classes["ParametersFlow"].methods[name].parameters.encode(args, kwargs))

    fits.validate(recorded)
    assert not fits.is_valid({**recorded, "another": 1})
    assert all(
        not fits.is_valid({key: recorded[key] for key in recorded if key != each}) for each in schema["required"]
    )
