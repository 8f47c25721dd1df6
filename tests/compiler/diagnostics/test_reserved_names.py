"""The names that flows and signals cannot have are those every flow instance has."""

from persistasaurus.generated import FlowInstance
from persistc.checks.definitions import RESERVED


def test_the_compiler_reserves_what_a_flow_instance_has() -> None:
    assert {name for name in dir(FlowInstance) if not name.startswith("_")} == RESERVED
