"""The generated files are laid out as black would: the layout is held against black itself."""

import black
from black.mode import TargetVersion
from hypothesis import given, settings
from hypothesis import strategies as st

from persistc.layout import laid_out_file

NAMES = st.sampled_from(["a", "name", "customer_number", "a_parameter_with_a_very_long_name", "x" * 40])
ATOMS = st.sampled_from(["int", "str", "datetime", "SomeRatherLongClassName", "orders.DeliveryAddress", "None"])


def subscripts(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, min_size=1, max_size=3).map(", ".join)
    generic = st.tuples(st.sampled_from(["list", "dict", "abc.Mapping", "tuple"]), several)
    return generic.map(lambda parts: f"{parts[0]}[{parts[1]}]")


TYPES = st.recursive(ATOMS, subscripts, max_leaves=6)
UNIONS = st.lists(TYPES, min_size=1, max_size=3).map(" | ".join)
DEFAULTS = st.sampled_from(["", " = None", " = timedelta(minutes=5, seconds=30)", ' = "a, (b"', " = (1, 2)"])
RESULTS = UNIONS.filter(lambda text: len(text) < 80)  # beyond that black weighs one bracket against the other
PARAMETERS = st.lists(st.tuples(UNIONS, DEFAULTS), max_size=5)


@st.composite
def methods(draw: st.DrawFn) -> str:
    name = draw(NAMES)
    parameters = [
        f"{draw(NAMES)}_{number}: {annotation}{default}"
        for number, (annotation, default) in enumerate(draw(PARAMETERS))
    ]
    if len(parameters) > 1 and draw(st.booleans()):
        parameters.insert(1, "*")
    arguments = "".join(f", {parameter.partition(':')[0]}" for parameter in parameters if parameter != "*")
    return (
        f"    async def {name}({', '.join(['self', *parameters])}) -> {draw(RESULTS)}:\n"
        f"        return await _p.step(super().{name}{arguments})\n"
    )


def as_black_does(text: str, *, is_stub: bool) -> str:
    return black.format_str(text, mode=black.Mode(is_pyi=is_stub, target_versions={TargetVersion.PY311}))


@given(st.lists(methods(), min_size=1, max_size=2))
@settings(max_examples=200, deadline=None)
def test_definitions_and_calls_are_laid_out_as_black_does(drawn: list[str]) -> None:
    text = "class C(Base):\n" + "\n".join(drawn)
    assert laid_out_file(text) == as_black_does(text, is_stub=False)


@given(st.sampled_from(["S", "SignupFlow", "OrderFulfilment", "AVeryLongNameOfAFlowClass", "Y" * 45]))
def test_class_headers_are_laid_out_as_black_does(name: str) -> None:
    instance = f"{name}Instance"
    header = f'class Durable{name}({name}, _p.Durable["{instance}[_p.Async]", "{instance}[_p.Blocking]"]):\n    pass\n'
    assert laid_out_file(header) == as_black_does(header, is_stub=False)
    stub = f"class Durable{name}({name}, _p.Durable[{instance}[_p.Async], {instance}[_p.Blocking]]):\n    x: int\n"
    assert laid_out_file(stub) == as_black_does(stub, is_stub=True)


@given(st.lists(NAMES, min_size=1, max_size=6, unique=True))
def test_imports_and_error_tables_are_laid_out_as_black_does(names: list[str]) -> None:
    listed = f"({', '.join(names)}{',' if len(names) == 1 else ''})"
    text = f"from .flows import {', '.join(names)}\n\n\n@_p.proxy(raises={listed})\nclass C:\n    pass\n"
    assert laid_out_file(text) == as_black_does(text, is_stub=False)


@given(st.lists(UNIONS, min_size=2, max_size=4))
def test_lists_of_stored_types_are_laid_out_as_black_does(types: list[str]) -> None:
    text = "_Stored = tuple[\n" + "".join(f"    _p.Codec[{each}],\n" for each in types) + "]\n"
    assert laid_out_file(text) == as_black_does(text, is_stub=True)
