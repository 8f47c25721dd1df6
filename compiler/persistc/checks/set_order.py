"""The order of sets, which differs from process to process: flow code takes nothing from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from persistc.checks.flow_class import FlowClass
from persistc.checks.flow_code import FlowBody, Located
from persistc.checks.lost_order import fills_by_element, is_adding_up, is_under_key_name, is_under_lost_name
from persistc.checks.set_texts import shown_as_text
from persistc.checks.set_values import Sets, is_of_numbers
from persistc.checks.task_values import TaskValues
from persistc.diagnostics import Code, Diagnostic, Note
from persistc.flow_tree import (
    Argument,
    Assign,
    Attribute,
    Await,
    Call,
    Clause,
    Comprehension,
    Display,
    Expression,
    ForLoop,
    Node,
    Starred,
    Yield,
    dotted,
    walk,
)
from persistc.model import PACKAGE

# What gives the same for every order of its argument.
_ORDER_FREE = frozenset(
    f"builtins.{name}" for name in ("all", "any", "frozenset", "len", "max", "min", "print", "set", "sorted", "sum")
) | {"collections.Counter", "math.fsum", "math.prod", "asyncio.wait"}
_ORDER_FREE_METHODS = frozenset(
    {
        *("difference", "difference_update", "intersection", "intersection_update", "isdisjoint", "issubset"),
        *("issuperset", "symmetric_difference", "symmetric_difference_update", "union"),
    }
)
# What hands its argument on one by one, so that it depends on who takes them.
_ONE_BY_ONE = frozenset({"builtins.filter", "builtins.iter", "builtins.list", "builtins.map", "builtins.tuple"})
_DRAWS = frozenset({f"{PACKAGE}.random", f"{PACKAGE}.uuid4"})
_IN_ORDER = _ONE_BY_ONE | {
    *("builtins.enumerate", "builtins.zip", "builtins.dict.fromkeys", "asyncio.as_completed", "functools.reduce"),
    *("itertools.accumulate", "itertools.batched", "itertools.chain", "itertools.chain.from_iterable"),
    *("itertools.combinations", "itertools.cycle", "itertools.groupby", "itertools.islice", "itertools.pairwise"),
    *("itertools.permutations", "itertools.product", "itertools.starmap", "itertools.takewhile"),
    *("itertools.zip_longest", "collections.deque", "collections.OrderedDict.fromkeys"),
}


def check_set_order(flow_class: FlowClass, bodies: Sequence[FlowBody]) -> Iterator[Diagnostic]:
    """PST206 for whatever goes over a set, takes one of its elements, or makes a text of it."""
    for body in bodies:
        sets = Sets(flow_class, body, TaskValues(body))
        for located in body.nodes:
            for taken, label in (*taken_in_order(body, located), *shown_as_text(flow_class, body, located)):
                if sets.is_set(taken) and not is_of_numbers(taken):
                    made = sets.made_at(taken)
                    notes = () if made is None else (Note(body.module.file, made, "a set"),)
                    yield set_in_order(body.module.file, taken, label, notes)


def taken_in_order(body: FlowBody, located: Located) -> Iterator[tuple[Expression, str]]:
    """The expressions that a node takes one by one, in an order that shows, with what would be the matter there."""
    node = located.node
    match node:
        case ForLoop(over=over, is_async=False) if not is_adding_up(body, node):
            yield over, "another order in another process"
        case Clause(over=over, is_async=False) if _order_shows(body, located):
            yield over, "another order in another process"
        case Starred(value=value) if _spread_shows(body, located):
            yield value, "another order in another process"
        case Yield(value=value, is_from=True) if value is not None:
            yield value, "another order in another process"
        case Assign(targets=targets, value=value) if value is not None:
            if node.operator == "+=" or any(isinstance(each, Display) and len(each.items) > 1 for each in targets):
                yield value, "another order in another process"
        case Call():
            yield from _taken_by_call(body, located, node)


def _taken_by_call(body: FlowBody, located: Located, call: Call) -> Iterator[tuple[Expression, str]]:
    origin = body.origin(call.function)
    match call:
        case Call(function=Attribute(value=owner, name="pop"), arguments=()):
            yield owner, "takes another element in another process"
        case Call(function=Attribute(name="extend" | "extendleft" | "join"), arguments=(only,)):
            yield only.value, "another order in another process"
        case Call(arguments=arguments):
            for argument in arguments:
                if argument.star == "*":
                    if origin not in _ORDER_FREE and not _is_order_free_method(call):
                        yield argument.value, "another order in another process"
                elif origin in _IN_ORDER and not _is_call_absorbed(body, located.around, call):
                    yield argument.value, "another order in another process"


def _is_call_absorbed(body: FlowBody, around: Sequence[Node], call: Call) -> bool:
    origin = body.origin(call.function)
    if origin == "builtins.dict.fromkeys":
        return is_under_key_name(body, around, call)
    if origin in {"builtins.filter", "builtins.map"} and call.arguments:
        calls = call.arguments[0].value
        if isinstance(calls, Attribute) and body.is_self(calls.value):
            return False
    return origin in _ONE_BY_ONE and _is_absorbed(body, around, call)


def _order_shows(body: FlowBody, located: Located) -> bool:
    """Whether a comprehension over a set lets its order show: in what it gives, or in the steps it calls."""
    comprehension = located.around[-1]
    if not isinstance(comprehension, Comprehension):
        return True
    if _acts(body, comprehension):
        return True
    if comprehension.kind == "set":
        return False
    around = located.around[:-1]
    if comprehension.kind == "dict":
        return not (fills_by_element(body, comprehension) and is_under_key_name(body, around, comprehension))
    return not _is_absorbed(body, around, comprehension)


def _acts(body: FlowBody, comprehension: Comprehension) -> bool:
    conditions = (condition for clause in comprehension.clauses for condition in clause.conditions)
    for node in walk(*comprehension.elements, *conditions):
        match node:
            case Await():
                return True
            case Call(function=Attribute(value=owner)) if body.is_self(owner):
                return True
            case Call(function=function) if body.origin(function) in _DRAWS:
                return True
    return False


def _is_absorbed(body: FlowBody, around: Sequence[Node], value: Node) -> bool:
    """Whether what is given in some order goes where no order matters: `sorted(...)`, `len(...)`, `set.union(...)`, or
    a name of which no more than that is asked.
    """
    if _is_list(body, value) and is_under_lost_name(body, around, value):
        return True
    if len(around) < 2 or not isinstance(around[-1], Argument) or not isinstance(around[-2], Call):
        return False
    call = around[-2]
    if call.function is value:
        return False
    origin = body.origin(call.function)
    if origin in _ORDER_FREE or _is_order_free_method(call):
        return True
    return origin in _ONE_BY_ONE and _is_absorbed(body, around[:-2], call)


def _is_list(body: FlowBody, value: Node) -> bool:
    """Whether it holds all that was taken; a generator gives it to the first who asks."""
    match value:
        case Comprehension(kind="list") | Display(kind="list" | "tuple"):
            return True
        case Call(function=function):
            return body.origin(function) in {"builtins.list", "builtins.tuple"}
        case _:
            return False


def _is_order_free_method(call: Call) -> bool:
    return isinstance(call.function, Attribute) and call.function.name in _ORDER_FREE_METHODS


def _spread_shows(body: FlowBody, located: Located) -> bool:
    """`[*tags]`; of a call it is the argument that is asked about, and a set takes them in any order."""
    display = located.parent
    if not isinstance(display, Display) or display.kind not in {"list", "tuple"}:
        return False
    return not is_under_lost_name(body, located.around[:-1], display)


def set_in_order(file: str, taken: Expression, label: str, notes: tuple[Note, ...] = ()) -> Diagnostic:
    """PST206 for a set that is taken element by element."""
    written = dotted(taken)
    what = f"`{written}`" if written is not None else "this"
    return Diagnostic(
        code=Code.SET_ORDER,
        message=f"{what} is a set: the order of its elements may be another when the flow is replayed",
        file=file,
        span=taken.span,
        label=label,
        help=f"go by an order of its own: `sorted({written or '...'})`",
        notes=notes,
    )
