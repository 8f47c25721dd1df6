"""A comment allows what it names, where it stands, and nothing that generated code would suffer from."""

from __future__ import annotations

import pytest

from persistc.diagnostics import Code, Diagnostic, Severity
from persistc.explanations import explain
from persistc.spans import Position, Span
from persistc.suppression import honoured, is_allowable
from tests.compiler.projects import Project

COUNTING = """\
from persistasaurus import flow, step


class ImportFlow:
    def __init__(self) -> None:
        self.begun = 0

    @flow
    async def import_all(self) -> None:
        self.begun += 1{comment}
        await self.load(1)

    @step
    async def load(self, page: int) -> None: ...
"""
ALLOWED = "  # persistc: allow[PST205] a figure for the dashboard"


def finding(line: int, code: Code = Code.SHARED_STATE, end: int | None = None) -> Diagnostic:
    return Diagnostic(code, "m", "flows.py", Span(Position(line, 4), Position(end or line, 9)))


def codes(text: str, *findings: Diagnostic) -> list[tuple[str, int]]:
    return [(found.code, found.start.line) for found in honoured(findings, {"flows.py": text})]


def test_code_is_generated_for_a_class_whose_findings_are_allowed(project: Project) -> None:
    project.write("flows.py", COUNTING.format(comment=""))
    assert project.persistc("generate").exit_code == 1
    project.write("flows.py", COUNTING.format(comment=ALLOWED))
    ended = project.persistc("generate")
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert "class DurableImportFlow" in project.read("flows_durable.py")
    assert project.persistc("check").stdout == ""


def test_an_unused_comment_is_a_warning_that_stops_nothing(project: Project) -> None:
    project.write("flows.py", COUNTING.format(comment=ALLOWED).replace("self.begun += 1", "begun = 1"))
    assert project.persistc("generate").exit_code == 0
    ended = project.persistc("check", "--output-format", "concise")
    assert ended.exit_code == 0
    assert ended.stdout.startswith("flows.py:10:38: warning[PST005] ")


def test_a_malformed_comment_stops_generation(project: Project) -> None:
    project.write("flows.py", COUNTING.format(comment="  # persistc: allow[PST205]"))
    ended = project.persistc("generate", "--output-format", "concise")
    assert ended.exit_code == 1
    assert [line.split()[1] for line in ended.stdout.splitlines()[:2]] == ["error[PST205]", "error[PST006]"]


def test_a_file_that_was_not_asked_about_is_not_judged(project: Project) -> None:
    """Its own findings are not known, so that its comments would all seem to be unused."""
    project.write("billing.py", COUNTING.format(comment=ALLOWED).replace("ImportFlow", "BillingFlow"))
    project.write("flows.py", f"from billing import BillingFlow\n\n{COUNTING.format(comment=ALLOWED)}")
    assert project.persistc("generate").exit_code == 0
    assert project.persistc("check", "flows.py", "--output-format", "concise").stdout == ""


def test_a_comment_in_a_module_without_flows_is_judged(project: Project) -> None:
    project.write("flows.py", COUNTING.format(comment=ALLOWED))
    project.write("words.py", "from persistasaurus import Retry\n\nRETRY = Retry()  # persistc: allow[PST205] x\n")
    assert "words.py:3:36: warning[PST005]" in project.persistc("generate", "--output-format", "concise").stdout


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_findings_count_them(line_end: str) -> None:
    text = line_end.join(["x = '\x0c\u2028'", "y = 2  # persistc: allow[PST205] why not", ""])
    assert codes(text, finding(2)) == []


CALL = "x = 1\nx = f(\n    1,\n    g(2),\n)\ny = 2\n"


@pytest.mark.parametrize("line", [2, 3, 4, 5])
@pytest.mark.parametrize("found", [2, 3, 4])
def test_a_comment_in_a_statement_allows_what_is_found_on_any_line_of_it(line: int, found: int) -> None:
    lines = CALL.splitlines()
    lines[line - 1] += "  # persistc: allow[PST205] why not"
    assert codes("\n".join(lines), finding(found, end=5)) == []


@pytest.mark.parametrize("found", [2, 3, 4])
def test_a_comment_above_a_statement_allows_what_is_found_on_any_line_of_it(found: int) -> None:
    text = CALL.replace("x = f", "# persistc: allow[PST205] why not\nx = f")
    assert codes(text, finding(found + 1)) == []


def test_a_comment_in_a_statement_says_nothing_of_its_neighbours() -> None:
    text = CALL.replace("    1,", "    1,  # persistc: allow[PST205] why not")
    assert codes(text, finding(1)) == [("PST205", 1), ("PST005", 3)]
    assert codes(text, finding(6)) == [("PST205", 6), ("PST005", 3)]


HEAD = """\
@mark(
    1,
)
async def go(self) -> None:
    if f(
        1,
    ):
        g()
    match x:
        case 1 if f(
            2
        ):
            g()
    try:
        g()
    except f(
        3,
    ):
        g()
    with (
        f(),
        g(),
    ):
        g()
"""


@pytest.mark.parametrize(("first", "last", "inside"), [(1, 4, 5), (5, 7, 8), (10, 12, 13), (16, 18, 19), (20, 23, 24)])
def test_of_a_statement_with_a_block_what_stands_before_the_block_counts(first: int, last: int, inside: int) -> None:
    lines = HEAD.splitlines()
    lines[last - 1] += "  # persistc: allow[PST205] why not"
    text = "\n".join(lines)
    assert codes(text, finding(first)) == []
    assert codes(text, finding(inside)) == [("PST205", inside), ("PST005", last)]


def test_of_two_comments_in_a_statement_the_one_that_is_not_on_the_line_of_a_finding_is_unused() -> None:
    text = "x = f(  # persistc: allow[PST205] why not\n    1,\n)  # persistc: allow[PST205] why not\n"
    assert codes(text, finding(1, end=3)) == [("PST005", 3)]
    assert codes(text, finding(1), finding(3)) == []


def test_a_type_error_is_allowed_in_the_way_of_mypy() -> None:
    (found,) = honoured([], {"flows.py": "x = 1  # persistc: allow[PST050] not so\n"})
    assert found.code is Code.MALFORMED_SUPPRESSION
    assert "mypy" in found.message
    assert "type: ignore" in found.help


def test_a_comment_allows_every_finding_of_its_code_on_its_line_and_no_other() -> None:
    text = "x = 1  # persistc: allow[PST205] why not\n"
    two = Diagnostic(Code.SHARED_STATE, "another", "flows.py", Span.within_line(1, 0, 1))
    assert codes(text, finding(1), two, finding(1, Code.SET_ORDER)) == [("PST206", 1)]


def test_a_finding_in_another_file_is_not_allowed() -> None:
    elsewhere = Diagnostic(Code.SHARED_STATE, "m", "other.py", Span.within_line(1, 0, 1))
    assert codes("x = 1  # persistc: allow[PST205] why not\n", elsewhere) == [("PST205", 1), ("PST005", 1)]


def test_a_finding_about_the_whole_file_is_not_allowed() -> None:
    whole = Diagnostic(Code.SHARED_STATE, "m", "flows.py")
    assert codes("x = 1  # persistc: allow[PST205] why not\n", whole) == [("PST205", 1), ("PST005", 1)]


def test_a_comment_at_the_end_of_a_file_is_read() -> None:
    assert codes("x = 1\n# persistc: allow[PST205] nothing below") == [("PST005", 2)]


@pytest.mark.parametrize("text", ["x = (\n", "if x:\n  y\n z\n", "x = '\n"])
def test_text_that_cannot_be_tokenized_is_left_alone(text: str) -> None:
    assert codes(f"{text}# persistc: allow[PST205] why not\n", finding(1))[0] == ("PST205", 1)


def test_only_findings_about_bodies_of_flows_can_be_allowed() -> None:
    refused = {code for code in Code if not is_allowable(code)}
    assert refused == {code for code in Code if code < "PST100"} | {Code.EXCEPTION_NOT_REBUILT}


def test_the_page_names_the_codes_that_can_be_allowed() -> None:
    said = " ".join(explain(Code.MALFORMED_SUPPRESSION).split())
    assert "PST100 to PST109, PST111 and those from PST200 on" in said
    allowable = [code for code in Code if "PST100" <= code < "PST200" and is_allowable(code)]
    assert allowable == [f"PST10{number}" for number in range(10)] + ["PST111"]


def test_what_is_said_of_comments_itself_cannot_be_allowed() -> None:
    text = "x = 1  # persistc: allow[PST005, PST006] both\n"
    found = honoured([], {"flows.py": text})
    assert [(each.code, each.severity) for each in found] == [(Code.MALFORMED_SUPPRESSION, Severity.ERROR)] * 2
