"""What the runtime knows of a flow class, and the digest of its code."""

import os
import subprocess
import sys
import textwrap
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from persistasaurus import Retry, ValueNotStorable
from persistasaurus.proxies import Durable, FlowClass
from tests.runtime.proxies.modules import GENERATED, SOURCE, edited, generated


def flow_class(source: str = SOURCE) -> FlowClass:
    found: FlowClass = generated(source).DurableOrderFlow.__persistasaurus__
    return found


def test_every_flow_step_and_signal_is_described_inherited_ones_included() -> None:
    found = flow_class()

    assert {name: (method.kind, method.is_async) for name, method in found.methods.items()} == {
        "place": ("flow", True),
        "place_quickly": ("flow", False),
        "charge": ("step", True),
        "price": ("step", True),
        "pack": ("step", False),
        "approve": ("signal", True),
        "audit": ("step", True),
    }
    assert [flow.name for flow in found.flows] == ["place", "place_quickly"]
    assert {method.class_name for method in found.methods.values()} == {"OrderFlow"}


def test_options_come_from_the_mark_and_lines_from_the_code() -> None:
    methods = flow_class().methods

    assert methods["charge"].delay_us == timedelta(days=1) // timedelta(microseconds=1)
    assert methods["charge"].retry == Retry(max_attempts=2)
    assert (methods["pack"].at_most_once, methods["pack"].delay_us, methods["pack"].retry) == (True, None, None)
    assert methods["place"].where == f"app/flows.py:{SOURCE[: SOURCE.index('@flow')].count(chr(10)) + 1}"


def test_a_flow_is_recorded_under_class_and_method_or_under_its_own_name() -> None:
    methods = flow_class().methods

    assert (methods["place"].recorded_class, methods["place"].recorded_name) == ("OrderFlow", "place")
    assert (methods["place_quickly"].recorded_class, methods["place_quickly"].recorded_name) == ("", "quick-order")


def test_a_body_is_the_users_method_bound_to_the_proxy() -> None:
    module = generated()
    proxy = module.DurableOrderFlow("here")
    methods = module.DurableOrderFlow.__persistasaurus__.methods
    body = methods["pack"].body(proxy)

    assert body.__self__ is proxy
    assert body.__func__ is module.OrderFlow.pack
    assert body(3) == 4


def test_codecs_are_built_from_the_overrides_signature() -> None:
    module = generated()
    methods = module.DurableOrderFlow.__persistasaurus__.methods

    text, args, kwargs = methods["place_quickly"].parameters.round_trip(
        ("a", "b"), {"speed": module.Speed.SLOW, "sku": 3}
    )

    assert text == '{"sku":"a","speed":"slow","more":["b"],"options":{"sku":3}}'
    assert (args, kwargs) == (("a", "b"), {"speed": module.Speed.SLOW, "sku": 3})
    assert methods["charge"].parameters.round_trip((Decimal("1.50"),), {})[0] == '{"amount":"1.50"}'
    assert methods["approve"].result.round_trip("yes") == ('"yes"', "yes")


def test_the_default_object_of_the_override_is_left_out_of_the_record() -> None:
    module = generated()
    pack = module.DurableOrderFlow.__persistasaurus__.methods["pack"]
    default = module.DurableOrderFlow.pack.__defaults__[0]

    assert pack.parameters.round_trip((1, default), {}) == ('{"number":1}', (1, default), {})
    assert pack.parameters.encode((1, [1, 2]), {}) == '{"number":1,"boxes":[1,2]}'


def test_the_listed_exceptions_come_back_with_enums_of_the_flows_module() -> None:
    module = generated()
    failures = module.DurableOrderFlow.__persistasaurus__.failures

    back = failures.decode(failures.encode(module.Declined(module.Speed.SLOW)))

    assert type(back) is module.Declined
    assert back.args == (module.Speed.SLOW,)


def test_the_flow_instance_class_is_the_one_the_proxy_names() -> None:
    module = generated()

    assert module.DurableOrderFlow.__persistasaurus__.instance_class is module.OrderFlowInstance


def test_a_parameter_that_cannot_be_stored_is_an_error_at_import() -> None:
    source = edited(SOURCE, ("approve(self, by: str", "approve(self, by: object"))
    proxy = edited(GENERATED, ("approve(self, by: str", "approve(self, by: object"))

    with pytest.raises(
        ValueNotStorable, match=r"parameter 'by' of OrderFlow\.approve \(app/flows\.py:\d+\) has a type"
    ):
        generated(source, proxy)


def test_a_result_that_cannot_be_stored_is_an_error_at_import() -> None:
    source = edited(SOURCE, ("at: datetime) -> str", "at: datetime) -> list[object]"))
    proxy = edited(GENERATED, ("at: datetime) -> str", "at: datetime) -> list[object]"))

    with pytest.raises(ValueNotStorable, match=r"OrderFlow\.approve .* in `list\[object\]`, `object` says nothing"):
        generated(source, proxy)


def test_a_step_that_never_returns_is_described() -> None:
    source = edited(SOURCE, ("at: datetime) -> str", "at: datetime) -> NoReturn"), ("import TYPE_CHECKING", "import *"))
    proxy = "from typing import NoReturn" + edited(GENERATED, ("at: datetime) -> str", "at: datetime) -> NoReturn"))

    result = generated(source, proxy).DurableOrderFlow.__persistasaurus__.methods["approve"].result

    assert result.round_trip(None) == ("null", None)


def test_a_subclass_of_a_proxy_is_refused_because_its_overrides_would_not_be_recorded() -> None:
    module = generated()

    with pytest.raises(TypeError, match=r"Mine derives from the proxy DurableOrderFlow.*derive from OrderFlow and run"):
        type("Mine", (module.DurableOrderFlow,), {})


def test_a_proxy_works_for_a_class_with_slots_and_a_metaclass() -> None:
    source = edited(
        SOURCE, ("class OrderFlow(Base):", "import abc\nclass OrderFlow(Base, abc.ABC):\n    __slots__ = ('shop',)\n")
    )

    assert generated(source).DurableOrderFlow("here").shop == "here"


def test_the_digest_is_the_same_for_the_same_code_elsewhere() -> None:
    assert flow_class().digest == flow_class(f"# a comment\n\n\n{SOURCE}").digest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("number + 1", "number + 2"),
        ("sum(line.count for line in lines)\n\n    @step(at", "sum(line.count + 1 for line in lines)\n\n    @step(at"),
        (
            "def total(lines: list[Line]) -> int:\n    return sum(",
            "def total(lines: list[Line]) -> int:\n    return -sum(",
        ),
        ("self.pack(3)", "self.pack(4)"),
        ("self.shop = shop", "self.shop = shop.strip()"),
        ("async def audit(self, text: str) -> None: ...", "async def audit(self, text: str) -> None: print(text)"),
    ],
)
def test_a_change_of_any_code_of_the_class_or_its_module_is_another_digest(before: str, after: str) -> None:
    assert flow_class(edited(SOURCE, (before, after))).digest != flow_class().digest


def test_a_change_of_a_constant_that_the_code_reads_is_another_digest() -> None:
    reading = edited(SOURCE, ("self.pack(3)", "self.pack(BOXES)"))

    assert flow_class(f"BOXES = 3\n{reading}").digest != flow_class(f"BOXES = 4\n{reading}").digest


def test_the_digest_is_the_same_in_every_process(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    with_sets = edited(
        SOURCE, ("return total", 'return total if note in {"a", "b", "c", None, 1.5, ("d", 2)} else total')
    )
    program = textwrap.dedent("""
        import flows, sys
        from persistasaurus.code_digest import code_digest
        print(code_digest(flows.OrderFlow))
    """)
    digests = set()
    for place, seed in (("here", "1"), ("there", "2")):
        (tmp_path / place / "flows.py").write_text(with_sets)
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path.insert(0, '.')\n{program}"],
            cwd=tmp_path / place,
            env=environment | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(run.stdout)

    assert len(digests) == 1


def test_what_only_some_programs_need_is_made_at_first_use() -> None:
    found = flow_class()

    assert not {"digest", "instance_class"} & vars(found).keys()
    assert issubclass(found.proxy_class, Durable)
