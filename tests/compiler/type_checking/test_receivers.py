"""What methods do whose objects only mypy knows: where it is told, and where nothing is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from persistc.checks.typed_receivers import typed_receivers
from persistc.compiling import compile_paths
from tests.compiler.projects import REPOSITORY, Project, run_module


@pytest.fixture(autouse=True)
def one_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What mypy knows of libraries is kept from test to test."""
    monkeypatch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "mypy"))


def findings(project: Project, *options: str) -> list[tuple[str, int, str]]:
    """File, line and code of each finding; the generated files are up to date."""
    assert project.persistc("generate").exit_code == 0
    found = json.loads(project.persistc("check", *options, "--output-format", "json").stdout)
    return [(each["file"], each["span"]["start"]["line"], each["code"]) for each in found]


ALLOWED = """\
from persistasaurus import flow
from places import folders


class TidyFlow:
    @flow
    async def tidy(self) -> None:
        for name, folder in folders.items():
            folder.mkdir()  # persistc: allow[PST204] it is there already
            name.strip()  # persistc: allow[PST204] it does nothing
            folder.rmdir()
"""


def test_a_comment_allows_what_only_types_tell_and_is_judged_with_types_alone(project: Project) -> None:
    project.write("places.py", 'from pathlib import Path\n\nfolders = dict(home=Path("home"))\n')
    project.write("flows.py", ALLOWED)
    assert findings(project) == []
    assert findings(project, "--types") == [("flows.py", 10, "PST005"), ("flows.py", 11, "PST204")]


PLACES = """\
from pathlib import Path


class Places:
    def __init__(self) -> None:
        self.home = Path("home")
        self.name = "home"


class Town:
    def __init__(self) -> None:
        self.places = Places()


town = Town()
"""
IN_PLACES = """\
from persistasaurus import flow
from places import town


class TidyFlow:
    @flow
    async def tidy(self) -> None:
        town.places.home.mkdir()
        town.places.home.rmdir()  # persistc: allow[PST220] whatever it does
        town.places.name.title()
        town.places.name.titled()
"""


def test_a_call_whose_effect_types_show_is_no_longer_one_that_cannot_be_seen_into(project: Project) -> None:
    project.write("places.py", PLACES)
    project.write("flows.py", IN_PLACES)
    assert findings(project) == [("flows.py", line, "PST220") for line in (8, 10, 11)]
    assert findings(project, "--types") == [
        ("flows.py", 8, "PST204"),
        ("flows.py", 9, "PST204"),
        ("flows.py", 10, "PST220"),
        ("flows.py", 11, "PST050"),
        ("flows.py", 11, "PST220"),
    ]


# --- libraries ------------------------------------------------------------------------------------------------------

LIBRARIES = {
    "requests/__init__.py": "from requests.sessions import Session\n",
    "requests/sessions.py": "class Session:\n    def get(self) -> str: return ''\n",
    "httpx/__init__.py": "from httpx._client import Client\nfrom httpx._models import Response\n",
    "httpx/_client.py": "class Client:\n    def get(self) -> str: return ''\n",
    "httpx/_models.py": "class Response:\n    def get(self) -> str: return ''\n",
    "sqlalchemy/__init__.py": "",
    "sqlalchemy/orm/__init__.py": "from sqlalchemy.orm.session import Session\n",
    "sqlalchemy/orm/session.py": "class Session:\n    def get(self) -> str: return ''\n",
    "stripe/__init__.py": "class CardError(Exception):\n    def get(self) -> str: return ''\n",
    "pandas/__init__.py": "class DataFrame:\n    def get(self) -> str: return ''\n",
    "nowhere_known/__init__.py": "class Client:\n    def get(self) -> str: return ''\n",
}


@pytest.mark.parametrize(
    ("made", "codes"),
    [
        ("requests.Session()", ["PST204"]),
        ("httpx.Client()", ["PST204"]),
        ("sqlalchemy.orm.Session()", ["PST204"]),
        ("httpx.Response()", []),
        ("stripe.CardError()", []),
        ("pandas.DataFrame()", []),
        ("nowhere_known.Client()", []),
    ],
)
def test_a_class_of_a_library_counts_by_the_name_it_is_offered_under(
    made: str,
    codes: list[str],
    project: Project,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    libraries = Project(tmp_path_factory.mktemp("libraries"))
    for name, text in LIBRARIES.items():
        libraries.write(name, text)
    monkeypatch.setenv("MYPYPATH", str(libraries.root))
    project.write("clients.py", f"import {made.rpartition('.')[0]}\n\nclients = dict(one={made})\n")
    project.write(
        "flows.py",
        "from persistasaurus import flow\nfrom clients import clients\n\n\nclass ClientFlow:\n    @flow\n"
        "    async def fetch(self, text: str) -> None:\n        for _, client in clients.items():\n"
        "            client.get()\n",
    )
    assert findings(project) == []
    assert findings(project, "--types") == [("flows.py", 9, code) for code in codes]


# --- modules as mypy names them -------------------------------------------------------------------------------------

SHOP = """\
import time


class Shop:
    def opened(self) -> float:
        return time.time()


shops = dict(one=Shop())
"""
IN_SHOP = """\
from persistasaurus import flow
from {module} import shops


class ShopFlow:
    @flow
    async def sell(self) -> None:
        for _, shop in shops.items():
            shop.opened()
"""


@pytest.mark.parametrize(
    ("folder", "package", "module"),
    [
        ("", "", "shop"),
        ("app/", "app/__init__.py", "app.shop"),
        ("app/", "app/__init__.py", ".shop"),
        ("src/app/", "src/app/__init__.py", "app.shop"),
    ],
)
def test_a_class_of_the_project_is_found_however_the_project_is_laid_out(
    folder: str, package: str, module: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYPYPATH", "src")
    if package:
        project.write(package, "")
    project.write(f"{folder}shop.py", SHOP)
    project.write(f"{folder}flows.py", IN_SHOP.format(module=module))
    assert findings(project, "--types") == [(f"{folder}flows.py", 9, "PST201")]


# --- good flows -----------------------------------------------------------------------------------------------------


def test_types_have_nothing_to_say_about_good_flows(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(REPOSITORY / "tests/compiler/corpus/good", project.root / "good")
    project.write("good/__init__.py", "")
    monkeypatch.chdir(project.root)

    assert findings(project, "--types") == []

    assert len(typed_receivers(compile_paths([Path("good")]).project)) > 20


def test_types_have_nothing_to_say_about_the_examples() -> None:
    ended = run_module("persistc", "check", "--types", "examples", cwd=REPOSITORY)
    assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "", "")
