"""Every code has a page, and the examples on the page are what they claim to be."""

import re
from pathlib import Path

import pytest

from persistc.diagnostics import Code
from persistc.explanations import UnknownCode, explain
from tests.compiler.diagnostics.fixtures import diagnose

WITHOUT_EXAMPLE = {Code.UNREADABLE_SOURCE, Code.OUTPUT_COLLISION}
OF_MYPY = {Code.TYPE_ERROR}
"""Their examples take mypy, and are tested where that is run."""


def examples(code: Code) -> list[str]:
    return re.findall(r"^```py\n(.*?)^```$", explain(code), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", list(Code))
def test_each_page_is_headed_by_its_code_and_name(code: Code) -> None:
    assert explain(code).startswith(f"# {code} {code.slug}\n\n")


@pytest.mark.parametrize("code", [code for code in Code if code not in WITHOUT_EXAMPLE | OF_MYPY])
def test_the_bad_example_is_found_and_the_good_one_is_not(
    code: Code, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bad, good = examples(code)
    assert {found.code for found in diagnose({"flows.py": bad}, tmp_path).found} == {code}
    assert diagnose({"flows.py": good}, tmp_path).found == ()


def test_a_code_is_found_in_any_case_and_by_its_name() -> None:
    assert explain("pst040") == explain("missing-annotation") == explain("PST040")


def test_an_unknown_code_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownCode, match="no finding `PST999`; it has these:\n  PST001  syntax-error"):
        explain("PST999")
