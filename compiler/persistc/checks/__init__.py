"""The checks: what would go wrong when a flow is replayed, found in the model before anything is generated.

Each module of this package is one family of checks, and each check a function over frozen values that returns findings.
"""

from collections.abc import Iterator, Sequence

from persistc.checks.assignments import check_assignments
from persistc.checks.awaits import check_awaits
from persistc.checks.calls import check_calls
from persistc.checks.completion import check_completion
from persistc.checks.decorators import check_decorators
from persistc.checks.definitions import check_definitions
from persistc.checks.effects import effects_of
from persistc.checks.exceptions import check_exceptions
from persistc.checks.flow_class import flow_classes
from persistc.checks.flow_code import flow_code
from persistc.checks.inheritance import check_inheritance
from persistc.checks.kept_bodies import check_kept_bodies
from persistc.checks.mark_arguments import check_mark_arguments
from persistc.checks.modules import check_modules
from persistc.checks.plain_in_async import check_plain_in_async
from persistc.checks.set_order import check_set_order
from persistc.checks.shared_state import check_shared_state
from persistc.checks.signatures import check_signatures
from persistc.checks.strays import check_strays
from persistc.checks.swallowing import check_swallowing
from persistc.checks.tasks import check_tasks
from persistc.checks.version_overrides import check_version_overrides
from persistc.checks.waits import check_waits
from persistc.diagnostics import Code, Diagnostic, in_order
from persistc.project import Project
from persistc.reading import Reading

OF_MODULES = (check_modules, check_decorators, check_strays)
OF_CLASSES = (
    check_definitions,
    check_inheritance,
    check_assignments,
    check_mark_arguments,
    check_kept_bodies,
    check_version_overrides,
    check_signatures,
)
OF_FLOW_CODE = (
    check_calls,
    check_waits,
    check_awaits,
    check_plain_in_async,
    check_exceptions,
    check_shared_state,
    check_set_order,
    check_swallowing,
    check_tasks,
    check_completion,
)


def check_reading(reading: Reading) -> list[Diagnostic]:
    """Everything that is wrong in what was read, and in the modules that the checks looked into on their way."""
    checked = check(reading.project)
    return [*reading.findings, *reading.later_findings(), *checked]


def check(project: Project) -> list[Diagnostic]:
    """Everything that is wrong in the modules of the project that were read with their bodies, in order."""
    found: list[Diagnostic] = []
    for module in project.modules.values():
        for check_module in OF_MODULES:
            found += check_module(project, module)
    check_effects = effects_of(project)
    for flow_class in flow_classes(project):
        for check_class in OF_CLASSES:
            found += check_class(flow_class)
        bodies = flow_code(flow_class)
        for check_code in (*OF_FLOW_CODE, check_effects):
            found += check_code(flow_class, bodies)
    return in_order(_one_a_site(found))


def _one_a_site(found: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """An effect in cleanup is told as that alone, whatever else it is."""
    in_cleanup = {(each.file, each.start) for each in found if each.code is Code.EFFECT_IN_CLEANUP}
    for each in found:
        is_effect = each.code.startswith("PST20")
        if not is_effect or (each.file, each.start) not in in_cleanup:
            yield each
