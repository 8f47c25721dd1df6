"""The four forms in which findings are shown, and the frame of the readable one."""

import json
from dataclasses import replace

from persistc.diagnostics import Code, Diagnostic, Note, Severity, in_order
from persistc.findings_of_files import output_collision, syntax_error, unreadable_source
from persistc.reporting import OutputFormat, render
from persistc.spans import Position, Span

SOURCE = "class A:\n    def f(self, b):\n        return b\n"
MISSING = Diagnostic(
    code=Code.MISSING_ANNOTATION,
    message="parameter `b` has no annotation",
    file="a.py",
    span=Span.within_line(2, 16, 17),
    label="of which type?",
    help="write its type: `b: str`",
    notes=(Note("b.py", Span.within_line(1, 0, 1), "seen here"),),
)
COLLISION = Diagnostic(code=Code.OUTPUT_COLLISION, message="100%, really: two\nlines", file="c,d.py")


def test_text_shows_the_source_of_every_file_with_a_caret_and_the_help() -> None:
    assert render([MISSING], {"a.py": SOURCE, "b.py": "x = 1\n"}, OutputFormat.TEXT) == (
        "error[PST040]: parameter `b` has no annotation\n"
        " --> a.py:2:17\n"
        "  |\n"
        "2 |     def f(self, b):\n"
        "  |                 ^ of which type?\n"
        "  |\n"
        " ::: b.py:1:1\n"
        "  |\n"
        "1 | x = 1\n"
        "  | - seen here\n"
        "  |\n"
        "  = help: write its type: `b: str`\n"
        "\n"
        "Found 1 error. `persistc explain PST040` says more.\n"
    )


def test_text_does_without_a_source_that_could_not_be_read() -> None:
    finding = unreadable_source("a.py", "Permission denied")
    assert render([finding], {}, OutputFormat.TEXT) == (
        "error[PST002]: this file cannot be read: Permission denied\n"
        " --> a.py\n"
        "  = help: save it as UTF-8, or name its encoding in its first line: `# -*- coding: latin-1 -*-`\n"
        "\n"
        "Found 1 error. `persistc explain PST002` says more.\n"
    )


def test_the_caret_stands_under_the_culprit_behind_tabs_and_wide_letters() -> None:
    source = "\tx = f('日本', e\u0301, bad)\n"
    start = source.index("bad")
    finding = Diagnostic(Code.NOT_STORABLE, "m", "a.py", Span.within_line(1, start, start + 3), "here")
    frame = render([finding], {"a.py": source}, OutputFormat.TEXT).splitlines()
    assert frame[3] == "1 |     x = f('日本', e\u0301, bad)"
    # Two columns each for the two wide letters, none for the accent.
    assert frame[4] == "  | " + " " * (4 + len("x = f('') , ,") + 4) + "^^^ here"


def test_a_span_of_several_lines_is_underlined_to_the_end_of_its_first() -> None:
    span = Span(Position(2, 4), Position(3, 16))
    frame = render([Diagnostic(Code.GENERATOR, "m", "a.py", span)], {"a.py": SOURCE}, OutputFormat.TEXT)
    assert "2 |     def f(self, b):\n  |     ^^^^^^^^^^^^^^^\n" in frame


def test_lines_are_counted_as_python_counts_them() -> None:
    source = "a = 1\r\nb = '\x0c\u2028'\rc = 3\n"
    frame = render(
        [Diagnostic(Code.GENERATOR, "m", "a.py", Span.within_line(3, 0, 1))], {"a.py": source}, OutputFormat.TEXT
    )
    assert "3 | c = 3\n  | ^\n" in frame


def test_concise_is_one_line_a_finding() -> None:
    assert render([MISSING, COLLISION], {}, OutputFormat.CONCISE).splitlines()[:2] == [
        "a.py:2:17: error[PST040] parameter `b` has no annotation",
        "c,d.py: error[PST003] 100%, really: two",
    ]


def test_json_is_a_list_with_all_that_is_known() -> None:
    first, second = json.loads(render([MISSING, COLLISION], {}, OutputFormat.JSON))
    assert first == {
        "code": "PST040",
        "name": "missing-annotation",
        "severity": "error",
        "message": "parameter `b` has no annotation",
        "file": "a.py",
        "span": {"start": {"line": 2, "column": 17}, "end": {"line": 2, "column": 18}},
        "label": "of which type?",
        "help": "write its type: `b: str`",
        "notes": [
            {
                "file": "b.py",
                "span": {"start": {"line": 1, "column": 1}, "end": {"line": 1, "column": 2}},
                "label": "seen here",
            }
        ],
    }
    assert second["span"] is None


def test_json_of_nothing_is_an_empty_list() -> None:
    assert json.loads(render([], {}, OutputFormat.JSON)) == []


def test_text_of_nothing_is_nothing() -> None:
    assert {render([], {}, each) for each in OutputFormat if each is not OutputFormat.JSON} == {""}


def test_github_gets_workflow_commands_with_its_own_escapes() -> None:
    assert render([MISSING, COLLISION], {}, OutputFormat.GITHUB).splitlines() == [
        "::error title=persistc (PST040),file=a.py,line=2,col=17,endLine=2,endColumn=18"
        "::a.py:2:17: error[PST040] parameter `b` has no annotation%0Awrite its type: `b: str`",
        "::error title=persistc (PST003),file=c%2Cd.py::c,d.py: error[PST003] 100%25, really: two%0Alines",
    ]


def test_the_summary_counts_errors_and_warnings() -> None:
    warning = Diagnostic(Code.GENERIC, "m", "a.py", severity=Severity.WARNING)
    text = render([MISSING, COLLISION, warning], {}, OutputFormat.CONCISE)
    assert text.splitlines()[-1] == "Found 2 errors and 1 warning. `persistc explain PST040` says more."


def test_findings_are_sorted_by_file_place_and_code_and_said_once() -> None:
    late = Diagnostic(Code.GENERIC, "m", "a.py", Span.within_line(10, 0, 1))
    early = Diagnostic(Code.OVERLOADED, "m", "a.py", Span.within_line(9, 4, 5))
    same_place = Diagnostic(Code.FINAL, "m", "a.py", Span.within_line(9, 4, 5))
    assert in_order([COLLISION, late, early, same_place, late]) == [same_place, early, late, COLLISION]


def test_a_finding_that_differs_in_its_notes_only_is_said_once() -> None:
    again = replace(MISSING, notes=())
    assert in_order([MISSING, again]) == [MISSING]


def test_a_syntax_error_without_a_place_is_put_at_the_start() -> None:
    assert syntax_error("a.py", SyntaxError("source code string cannot contain null bytes")).span == Span.within_line(
        1, 0, 1
    )


def test_a_collision_names_both_sides() -> None:
    two = output_collision("a/Flows.py", "a/flows.py", "a/flows_durable.py")
    assert two.message == "this module and `a/flows.py` would both be generated into `a/flows_durable.py`"
    foreign = output_collision("a/flows.py", "a/flows_durable.py", "a/flows_durable.py")
    assert foreign.message == (
        "the proxies of this module belong in `a/flows_durable.py`, and a file that persistc did not write is there"
    )
