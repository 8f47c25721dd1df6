"""Every part of a generated file that stands for something of the user's leads there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from persistc.compiling import Compiled, compile_paths
from persistc.spans import Position, Span
from persistc.type_checking.generated_places import GeneratedPlace, UserPlace, generated_places, place_at

GOLDEN = Path(__file__).parents[2] / "golden"
FOLDERS = [folder.name for folder in sorted(GOLDEN.iterdir()) if (folder / "flows_durable.pyi").exists()]


def places_of(folder: str, ending: str) -> tuple[Compiled, str, tuple[GeneratedPlace, ...]]:
    compiled = compile_paths([GOLDEN / folder])
    output = next(each for each in compiled.outputs if each.path.endswith(f"flows_durable{ending}"))
    module = next(each for each in compiled.project.modules.values() if each.path.endswith(f"{folder}/flows.py"))
    return compiled, output.text, generated_places(compiled.project, module, output.text)


def written(compiled: Compiled, place: UserPlace) -> str:
    """The text of the user's source at a place."""
    lines = compiled.texts[place.file].splitlines(keepends=True)
    span = place.span
    if span.start.line == span.end.line:
        return lines[span.start.line - 1][span.start.column : span.end.column]
    between = lines[span.start.line : span.end.line - 1]
    return "".join(
        [lines[span.start.line - 1][span.start.column :], *between, lines[span.end.line - 1][: span.end.column]]
    )


def told(compiled: Compiled, places: tuple[GeneratedPlace, ...], position: Position) -> str:
    """What the user wrote for what stands at a position of the generated file."""
    found = place_at(places, position)
    assert found is not None
    return written(compiled, found.made_from[0])


def overrides(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def at(node: ast.expr | ast.stmt | ast.arg) -> Position:
    return Position(node.lineno, node.col_offset)


@pytest.mark.parametrize("ending", [".py", ".pyi"])
@pytest.mark.parametrize("folder", FOLDERS)
def test_overrides_parameters_and_results_lead_to_what_they_override(folder: str, ending: str) -> None:
    compiled, text, places = places_of(folder, ending)
    seen = 0
    for override in overrides(ast.parse(text)):
        for position in (at(override), at(override.decorator_list[0])):
            assert told(compiled, places, position) == override.name
        arguments = override.args
        given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs][1:]
        for each in (*given, arguments.vararg, arguments.kwarg):
            if each is not None:
                assert told(compiled, places, at(each)).lstrip("*").startswith(each.arg)
                seen += 1
        assert override.returns is not None
        returned = told(compiled, places, at(override.returns))
        assert returned != override.name
        ast.parse(returned, mode="eval")  # a type, though perhaps under another name
    assert seen > 0


@pytest.mark.parametrize("folder", FOLDERS)
def test_codecs_lead_to_every_signature_that_stores_the_type(folder: str) -> None:
    _, text, places = places_of(folder, ".pyi")
    tree = ast.parse(text)
    codecs = [
        node for node in ast.walk(tree) if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "_p.Codec"
    ]
    assert codecs
    for codec in codecs:
        found = place_at(places, at(codec))
        assert found is not None
        assert found.is_codec
        stored = ast.unparse(codec.slice)
        count = sum(
            annotation is not None and ast.unparse(annotation) == stored
            for override in overrides(tree)
            for annotation in (
                override.returns,
                *(each.annotation for each in ast.walk(override.args) if isinstance(each, ast.arg)),
            )
        )
        assert 1 <= len(found.made_from) <= count


@pytest.mark.parametrize("ending", [".py", ".pyi"])
def test_instances_and_imports_lead_to_methods_and_names(ending: str) -> None:
    compiled, text, places = places_of("signup", ending)
    lines = text.splitlines()

    def of(beginning: str) -> str:
        number = next(number for number, line in enumerate(lines, 1) if line.strip().startswith(beginning))
        line = lines[number - 1]
        return told(compiled, places, Position(number, len(line) - len(line.lstrip())))

    assert of("sign_up = ") == "sign_up"
    assert of("confirm_email_address = ") == "confirm_email_address"
    assert of("class SignupFlowInstance") == "SignupFlow"
    assert of("class DurableSignupFlow") == "SignupFlow"
    assert of("from .flows import") == "SignupFlow"
    assert of("from datetime import datetime") == "datetime"


def test_what_stands_for_nothing_leads_nowhere() -> None:
    _, text, places = places_of("signup", ".py")
    ours = next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith("import persistasaurus"))
    assert place_at(places, Position(ours, 0)) is None
    assert place_at((), Position(1, 0)) is None
    assert place_at((GeneratedPlace(Span.within_line(2, 0, 5), ()),), Position(2, 5)) is None
