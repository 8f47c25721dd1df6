"""The order of sets, which differs from process to process: flow code takes nothing from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from persistc.checks.flow_class import FlowClass
from persistc.checks.flow_code import FlowBody, Located
from persistc.checks.set_values import Sets
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
_IN_ORDER = _ONE_BY_ONE | {
    *("builtins.enumerate", "builtins.zip", "builtins.dict.fromkeys", "asyncio.as_completed", "functools.reduce"),
    *("itertools.accumulate", "itertools.batched", "itertools.chain", "itertools.chain.from_iterable"),
    *("itertools.combinations", "itertools.cycle", "itertools.groupby", "itertools.islice", "itertools.pairwise"),
    *("itertools.permutations", "itertools.product", "itertools.starmap", "itertools.takewhile"),
    *("itertools.zip_longest", "collections.deque", "collections.OrderedDict.fromkeys"),
}


def check_set_order(flow_class: FlowClass, bodies: Sequence[FlowBody]) -> Iterator[Diagnostic]:
    """PST206 for whatever goes over a set, or takes one of its elements."""
    for body in bodies:
        sets = Sets(flow_class, body, TaskValues(body))
        for located in body.nodes:
            for taken, label in taken_in_order(body, located):
                if sets.is_set(taken):
                    made = sets.made_at(taken)
                    notes = () if made is None else (Note(body.module.file, made, "a set"),)
                    yield set_in_order(body.module.file, taken, label, notes)


def taken_in_order(body: FlowBody, located: Located) -> Iterator[tuple[Expression, str]]:
    """The expressions that a node takes one by one, in an order that shows, with what would be the matter there."""
    node = located.node
    match node:
        case ForLoop(over=over, is_async=False):
            yield over, "another order in another process"
        case Clause(over=over, is_async=False) if _order_shows(body, located):
            yield over, "another order in another process"
        case Starred(value=value) if _spread_shows(located):
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
                elif origin in _IN_ORDER and not (origin in _ONE_BY_ONE and _is_absorbed(body, located.around, call)):
                    yield argument.value, "another order in another process"


def _order_shows(body: FlowBody, located: Located) -> bool:
    """Whether a comprehension over a set lets its order show: in what it gives, or in the steps it calls."""
    comprehension = located.around[-1]
    if not isinstance(comprehension, Comprehension):
        return True
    if _acts(body, comprehension):
        return True
    if comprehension.kind == "set":
        return False
    return comprehension.kind == "dict" or not _is_absorbed(body, located.around[:-1], comprehension)


def _acts(body: FlowBody, comprehension: Comprehension) -> bool:
    conditions = (condition for clause in comprehension.clauses for condition in clause.conditions)
    for node in walk(*comprehension.elements, *conditions):
        match node:
            case Await():
                return True
            case Call(function=Attribute(value=owner)) if body.is_self(owner):
                return True
    return False


def _is_absorbed(body: FlowBody, around: Sequence[Node], value: Node) -> bool:
    """Whether what is given in some order goes where no order matters: `sorted(...)`, `len(...)`, `set.union(...)`."""
    if len(around) < 2 or not isinstance(around[-1], Argument) or not isinstance(around[-2], Call):
        return False
    call = around[-2]
    if call.function is value:
        return False
    origin = body.origin(call.function)
    if origin in _ORDER_FREE or _is_order_free_method(call):
        return True
    return origin in _ONE_BY_ONE and _is_absorbed(body, around[:-2], call)


def _is_order_free_method(call: Call) -> bool:
    return isinstance(call.function, Attribute) and call.function.name in _ORDER_FREE_METHODS


def _spread_shows(located: Located) -> bool:
    """`[*tags]`; of a call it is the argument that is asked about, and a set takes them in any order."""
    return isinstance(located.parent, Display) and located.parent.kind in {"list", "tuple"}


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
