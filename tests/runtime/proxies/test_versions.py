"""The bodies of a flow: which there are is settled when the proxy is imported."""

import pytest

from persistasaurus import DuplicateFlow, StaleProxy
from persistasaurus.proxies import FlowClass
from tests.runtime.proxies.modules import GENERATED, SOURCE, edited, generated

KEPT = """
    @flow(version=1, of=place)
    async def place_v1(self, sku: str) -> int:
        return 1

    @flow(version=2, of=place)
    def place_v2(self, sku: str, count: int) -> float:
        return 1.5

    @flow(name="quick-order")"""
OVERRIDES = """
    @_p.override
    async def place_v1(self, sku: str) -> int:
        return await _p.flow(super().place_v1, sku)

    @_p.override
    def place_v2(self, sku: str, count: int) -> float:
        return _p.plain_flow(super().place_v2, sku, count)

    @_p.override
    async def charge("""
VERSIONS = edited(SOURCE, ("    @flow\n", "    @flow(version=3)\n"), ('\n    @flow(name="quick-order")', KEPT))
PROXY = edited(GENERATED, ("\n    @_p.override\n    async def charge(", OVERRIDES))


def flow_class(source: str, proxy: str = PROXY, name: str = "OrderFlow") -> FlowClass:
    found: FlowClass = getattr(generated(source, proxy.replace("OrderFlow", name)), f"Durable{name}").__persistasaurus__
    return found


def test_a_flow_has_a_body_for_each_version_with_its_own_signature_and_result() -> None:
    found = flow_class(VERSIONS)
    bodies = found.bodies["place"]
    assert {version: (body.name, body.is_async) for version, body in bodies.items()} == {
        3: ("place", True),
        1: ("place_v1", True),
        2: ("place_v2", False),
    }
    assert bodies[1].parameters.encode(("a",), {}) == '{"sku":"a"}'
    assert bodies[2].parameters.encode(("a", 2), {}) == '{"sku":"a","count":2}'
    assert bodies[2].result.decode("3") == 3.0
    assert {body.full_name for body in bodies.values()} == {"OrderFlow.place"}


def test_kept_bodies_are_no_flows_of_their_own() -> None:
    found = flow_class(VERSIONS)
    assert [flow.name for flow in found.flows] == ["place", "place_quickly"]
    assert found.methods.keys().isdisjoint({"place_v1", "place_v2"})


def test_kept_bodies_are_recorded_under_the_own_name_of_their_flow() -> None:
    source = edited(VERSIONS, ("@flow(version=3)", '@flow(version=3, name="orders")'))
    bodies = flow_class(source).bodies["place"]
    assert {(body.recorded_class, body.recorded_name) for body in bodies.values()} == {("", "orders")}


def test_a_subclass_that_overrides_the_flow_has_the_kept_bodies_of_its_base() -> None:
    assert sorted(_subclass("@flow(version=4)").bodies["place"]) == [1, 2, 4]


def test_two_bodies_of_one_version_are_refused() -> None:
    source = edited(VERSIONS, ("version=2, of=place", "version=1, of=place"))
    with pytest.raises(
        DuplicateFlow,
        match=r"OrderFlow\.place has two bodies of version 1: place_v1 \(app/flows\.py:\d+\) and place_v2 \(app/flows",
    ):
        flow_class(source)


@pytest.mark.parametrize(
    ("version", "error", "message"),
    [
        (1, DuplicateFlow, r"SpecialFlow\.place has two bodies of version 1: place "),
        (
            2,
            DuplicateFlow,
            r"SpecialFlow\.place has two bodies of version 2: place .* and place_v2 .*give one of them another number",
        ),
    ],
)
def test_a_subclass_that_overrides_the_flow_with_a_number_that_is_kept_is_refused(
    version: int, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        _subclass(f"@flow(version={version})")


def test_a_kept_body_is_older_than_its_flow_also_where_a_subclass_overrides_that() -> None:
    source = edited(VERSIONS, ("    @flow(version=3)\n", "    @flow(version=9)\n"), ("version=2, of", "version=8, of"))
    with pytest.raises(
        TypeError, match=r"place_v2 .* is kept as version 8 of place .*itself version 4.*version=9\) above"
    ):
        _subclass("@flow(version=4)", source)


def test_a_kept_body_of_what_is_no_flow_any_more_is_refused() -> None:
    source = (
        VERSIONS
        + """

class SpecialFlow(OrderFlow):
    @step
    async def place(self, lines: list[Line], note: str | None = None) -> "Decimal":
        return await self.price([])
"""
    )
    proxy = PROXY.replace("_p.flow(super().place,", "_p.step(super().place,")
    with pytest.raises(TypeError, match=r"place_v1 .* is kept as a body of place, which is no flow of SpecialFlow"):
        flow_class(source, proxy, "SpecialFlow")


def _subclass(mark: str, source: str = VERSIONS) -> FlowClass:
    override = f"""

class SpecialFlow(OrderFlow):
    {mark}
    async def place(self, lines: list[Line], note: str | None = None) -> "Decimal":
        return await self.price([])
"""
    return flow_class(source + override, name="SpecialFlow")


def test_generated_code_that_lacks_a_kept_body_or_has_another_signature_of_it_is_stale() -> None:
    with pytest.raises(StaleProxy, match="place_v1: it is a flow now, the generated code lacks it"):
        flow_class(VERSIONS, GENERATED)
    with pytest.raises(StaleProxy, match=r"place_v2.*parameter 'count' is gone"):
        flow_class(edited(VERSIONS, ("sku: str, count: int) -> float", "sku: str) -> float")))


def test_an_attribute_that_was_generated_before_the_body_was_kept_says_that_it_is_stale() -> None:
    offered = "    place = _p.flow_method(DurableOrderFlow.place)\n"
    proxy = edited(PROXY, (offered, f"{offered}{offered.replace('place', 'place_v1')}"))
    with pytest.raises(StaleProxy, match=r"DurableOrderFlow .*: place_v1: it is a kept body.*Run `persistc generate`"):
        generated(VERSIONS, proxy)


def test_the_number_of_a_version_is_part_of_the_digest_of_the_code() -> None:
    sources = (SOURCE, edited(SOURCE, ("    @flow\n", "    @flow(version=2)\n")))
    first, second = (generated(source).DurableOrderFlow.__persistasaurus__.digest for source in sources)
    assert first != second
