"""What persistc has to say about a source file, as values; `reporting` turns them into text."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from persistc.spans import Position, Span


class Code(StrEnum):
    """The stable name of each kind of finding. A number is never given a second meaning.

    PST00x: files and modules. PST01x: decorators. PST02x and PST03x: classes and their methods.
    PST04x: signatures. PST05x: types, as mypy sees them. PST10x: bodies of flows. PST11x: exceptions.
    PST20x to PST22x: what makes a replay differ.
    """

    SYNTAX_ERROR = "PST001"
    UNREADABLE_SOURCE = "PST002"
    OUTPUT_COLLISION = "PST003"
    IMPORTS_OWN_PROXIES = "PST004"
    UNUSED_SUPPRESSION = "PST005"
    MALFORMED_SUPPRESSION = "PST006"

    UNRESOLVED_DECORATOR = "PST010"
    DECORATOR_ABOVE_MARK = "PST011"
    SEVERAL_MARKS = "PST012"
    MARK_OUTSIDE_CLASS = "PST013"
    MARK_ARGUMENTS = "PST014"
    AT_MOST_ONCE_WITH_RETRY = "PST015"
    KEPT_BODY_WITHOUT_FLOW = "PST016"
    VERSION_NUMBERS = "PST017"
    OVERRIDE_OF_VERSIONS = "PST018"

    NOT_AN_INSTANCE_METHOD = "PST020"
    GENERATOR = "PST021"
    NESTED = "PST022"
    DEFINED_CONDITIONALLY = "PST023"
    OVERRIDE_WITHOUT_MARK = "PST024"
    PRIVATE_NAME = "PST025"
    FINAL = "PST026"
    GENERIC = "PST027"
    OVERLOADED = "PST028"
    REPLACED_BY_ASSIGNMENT = "PST029"
    ASYNCIO_PRIMITIVE_KEPT = "PST030"
    RESERVED_NAME = "PST031"
    SUBCLASS_OF_PROXY = "PST032"

    MISSING_ANNOTATION = "PST040"
    NOT_STORABLE = "PST041"

    TYPE_ERROR = "PST050"

    STEP_THROUGH_SUPER = "PST100"
    STEP_THROUGH_CLASS = "PST101"
    STEP_OF_UNPROXIED_OBJECT = "PST102"
    SIGNAL_CALLED = "PST103"
    WAIT_FOR_NO_SIGNAL = "PST104"
    WAIT_ACROSS_COLOURS = "PST105"
    NEVER_AWAITED = "PST106"
    ASYNC_STEP_IN_PLAIN_FLOW = "PST107"
    FLOW_CALLS_FLOW = "PST108"
    PLAIN_IN_ASYNC_FLOW = "PST109"

    EXCEPTION_NOT_REBUILT = "PST110"
    EXCEPT_NEVER_MATCHES = "PST111"

    READS_CLOCK = "PST201"
    DRAWS_RANDOM = "PST202"
    READS_ENVIRONMENT = "PST203"
    ACTS_OUTSIDE = "PST204"
    SHARED_STATE = "PST205"
    SET_ORDER = "PST206"
    ASKS_IDENTITY = "PST207"
    STARTS_THREADS = "PST208"
    SWALLOWS_EVERYTHING = "PST209"
    EFFECT_IN_CLEANUP = "PST210"
    BEGUN_IN_NO_ORDER = "PST211"
    TASK_NEVER_AWAITED = "PST212"
    CANNOT_SEE_INTO_CALL = "PST220"

    @property
    def slug(self) -> str:
        """The code in words: `missing-annotation`."""
        return self.name.lower().replace("_", "-")


class Severity(StrEnum):
    """How bad a finding is: nothing is generated while there is an error; a warning stops nothing."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Note:
    """A second place that belongs to a finding: where the step is defined, where the name was bound first."""

    file: str
    span: Span
    label: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding at one place.

    `message` says what is wrong and names the culprit, `label` stands under the caret and says what is the matter
    right there, `help` says what to write instead; lines of `help` after the first are shown as they are, as code.
    `span` is None where the whole file is meant.
    """

    code: Code
    message: str
    file: str
    span: Span | None = None
    label: str = ""
    help: str = ""
    notes: tuple[Note, ...] = ()
    severity: Severity = Severity.ERROR

    @property
    def start(self) -> Position:
        """Where the finding begins: the first position of the file when it has no span."""
        return self.span.start if self.span is not None else Position(1, 0)


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings by file, place and code, so that the output is the same on every run.

    Each only once: what is wrong in a method that several classes inherit is found for each of them, perhaps with
    other notes.
    """
    unique: dict[tuple[str, Span | None, Code, str], Diagnostic] = {}
    for found in diagnostics:
        unique.setdefault((found.file, found.span, found.code, found.message), found)
    return sorted(unique.values(), key=lambda found: (found.file, found.start, found.code, found.message))
