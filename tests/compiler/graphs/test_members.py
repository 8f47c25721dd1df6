"""A step of another flow class stands in the graph by whatever way its proxy is named, and is never taken for lost."""

from __future__ import annotations

import pytest

from persistc.flow_graph.finding import find_flow
from persistc.flow_graph.regions import Dynamic, Step, inside
from persistc.sound_projects import sound_project
from tests.compiler.projects import Project

BILLING = """\
from persistasaurus import step


class Billing:
    @step
    async def charge(self) -> None: ...
"""
FLOWS = """\
from __future__ import annotations

import billing
import billing_durable as generated
from billing_durable import DurableBilling
from persistasaurus import flow, step


class Upper:
    inherited: DurableBilling

    async def _charges(self) -> None:
        await self.inherited.charge()


class OrderFlow(Upper):
    declared: DurableBilling
    perhaps: DurableBilling | None
    renamed: generated.DurableBilling

    def __init__(self, given: DurableBilling) -> None:
        self.given = given
        self.made = DurableBilling()

    @flow
    async def place(self) -> None:
        {body}
"""
KNOWN = {
    "its own attribute": "await self.declared.charge()",
    "one that may be None": "await self.perhaps.charge()",
    "one by the name of its module": "await self.renamed.charge()",
    "one handed in": "await self.given.charge()",
    "one made there": "await self.made.charge()",
    "one of a base": "await self.inherited.charge()",
    "a local name": "local = self.given\n        await local.charge()",
    "a method named through its class": "await OrderFlow._charges(self)",
    "a method named through the base": "await Upper._charges(self)",
}
UNKNOWN = {
    "a local name for two": "local = self.given\n        local = self.made\n        await local.charge()",
    "a proxy handed on": "local = self.given\n        print(local)",
    "an attribute handed on": "print(self.given)",
}


def regions(project: Project, body: str) -> list[Step | Dynamic]:
    project.write("billing.py", BILLING)
    project.write("flows.py", FLOWS.replace("{body}", body))
    found = inside([find_flow(sound_project([project.root]), "place").body])
    return [each for each in found if isinstance(each, Step | Dynamic)]


@pytest.mark.parametrize("body", KNOWN.values(), ids=KNOWN)
def test_a_step_of_a_proxy_is_known_by_each_of_its_names(project: Project, body: str) -> None:
    assert [(type(each), getattr(each, "class_name", "")) for each in regions(project, body)] == [(Step, "Billing")]


@pytest.mark.parametrize("body", UNKNOWN.values(), ids=UNKNOWN)
def test_a_proxy_that_is_handed_on_may_be_asked_for_anything(project: Project, body: str) -> None:
    assert {type(each) for each in regions(project, body)} == {Dynamic}


def test_an_object_that_is_no_proxy_leaves_nothing_in_the_log(project: Project) -> None:
    assert regions(project, "await billing.Billing().charge()") == []


def test_the_generated_module_need_not_be_there(project: Project) -> None:
    body = "await self.given.charge()"
    before = regions(project, body)
    assert project.persistc("generate").exit_code == 0
    assert (project.root / "billing_durable.py").exists()
    assert regions(project, body) == before
