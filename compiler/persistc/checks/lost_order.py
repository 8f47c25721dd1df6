"""Where the order of a set cannot show: loops that only add up, lists only sorted or counted, dicts only asked by key.

In doubt it shows. What is added is taken to be a number where the name it is added to begins as an `int`.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import pairwise

from persistc.checks.acting import acts, is_value
from persistc.checks.flow_code import FlowBody, Located
from persistc.flow_tree import (
    Argument,
    Assign,
    Attribute,
    Block,
    Branch,
    Call,
    Case,
    Comprehension,
    Conditional,
    Constant,
    Display,
    Do,
    Expression,
    ForLoop,
    Handler,
    Name,
    NestedFunction,
    Node,
    Operation,
    Other,
    Subscript,
    Try,
    Unary,
    WhileLoop,
    With,
    bound_names,
    walk,
)

_WHOLE = frozenset(
    f"builtins.{name}" for name in ("all", "any", "frozenset", "len", "max", "min", "set", "sorted", "sum")
)
_KEYWORDS = frozenset({"default", "reverse"})
"""Those with which it stays so; `key` lets the order of equals show."""
_VIEWS = frozenset({"items", "keys", "values"})

_DICTS = frozenset({"builtins.dict", "collections.Counter", "collections.defaultdict"})


# --- values under a name --------------------------------------------------------------------------------------------


def is_under_lost_name(body: FlowBody, around: Sequence[Node], value: Node) -> bool:
    """Whether a list goes into a name and no further: it is sorted at once, or only asked what has no order."""
    assign = _assignment(body, around, value)
    if assign is None:
        return False
    return _is_sorted_next(body, around, assign) or _is_only_asked(body, _name(assign), by_key=False)


def is_under_key_name(body: FlowBody, around: Sequence[Node], value: Node) -> bool:
    """Whether a dict goes into a name that is only asked by key, or sorted."""
    assign = _assignment(body, around, value)
    return assign is not None and _is_only_asked(body, _name(assign), by_key=True)


def fills_by_element(body: FlowBody, comprehension: Comprehension) -> bool:
    """Whether each item of a dict comprehension is of one element alone, so that no later one overwrites it."""
    match comprehension:
        case Comprehension(kind="dict", elements=(Name(name=key), value), clauses=(clause,)):
            names = frozenset(bound_names(clause.target))
            is_key = isinstance(clause.target, Name) and clause.target.name == key
            return is_key and all(is_value(body, each, names) for each in (value, *clause.conditions))
        case _:
            return False


def _assignment(body: FlowBody, around: Sequence[Node], value: Node) -> Assign | None:
    """The assignment of a value to one name, if nothing else is ever assigned to it."""
    match around[-1] if around else None:
        case Assign(targets=(Name(name=name),), operator="=", value=given) as assign if given is value:
            return assign if _sole_binding(body, name) is assign else None
        case _:
            return None


def _name(assign: Assign) -> str:
    return next(bound_names(assign.targets[0]))


def _sole_binding(body: FlowBody, name: str) -> Node | None:
    bindings = body.bindings.get(name, ())
    is_parameter = any(parameter.name == name for parameter in body.method.parameters)
    return bindings[0] if len(bindings) == 1 and not is_parameter else None


def _is_sorted_next(body: FlowBody, around: Sequence[Node], assign: Assign) -> bool:
    for block in _blocks(around[-2]) if len(around) > 1 else (body.method.body,):
        for statement, following in pairwise(block):
            if statement is assign:
                return _is_sorting(following, _name(assign))
    return False


def _is_sorting(statement: Node, name: str) -> bool:
    match statement:
        case Do(value=Call(function=Attribute(value=Name(name=sorted_name), name="sort"), arguments=arguments)):
            return sorted_name == name and all(each.keyword == "reverse" for each in arguments)
        case _:
            return False


def _blocks(node: Node) -> tuple[Block, ...]:
    match node:
        case Branch(body=body, orelse=orelse) | ForLoop(body=body, orelse=orelse) | WhileLoop(body=body, orelse=orelse):
            return body, orelse
        case Try(body=body, orelse=orelse, final=final):
            return body, orelse, final
        case With(body=body) | Handler(body=body) | Case(body=body) | NestedFunction(body=body):
            return (body,)
        case _:
            return ()


def _is_only_asked(body: FlowBody, name: str, *, by_key: bool) -> bool:
    uses = (each for each in body.nodes if isinstance(each.node, Name) and each.node.name == name)
    return all(_asks(body, each) or (by_key and _asks_by_key(body, each)) for each in uses)


def _asks(body: FlowBody, use: Located) -> bool:
    """Whether one use of a name gives the same for every order of what is in it."""
    node = use.node
    match use.parent:
        case Argument():
            return _is_taken_whole(body, use.around)
        case Operation(operator="in" | "not in", right=right):
            return right is node
        case Assign(targets=targets):
            return any(target is node for target in targets)
        case _:
            return _is_tested(use.around, node)


def _is_tested(around: Sequence[Node], value: Node) -> bool:
    """Whether it is only asked whether there is anything in it: `if names and ...`."""
    match around[-1] if around else None:
        case Unary(operator="not"):
            return True
        case Branch(test=test) | WhileLoop(test=test) | Conditional(test=test):
            return test is value
        case Operation(operator="and" | "or") as outer:
            return _is_tested(around[:-1], outer)
        case _:
            return False


def _asks_by_key(body: FlowBody, use: Located) -> bool:
    match use.around:
        case (*_, Subscript(value=value)):
            return value is use.node
        case (*_, Call(function=function, arguments=arguments), Attribute(name="get" | "pop") as method):
            return function is method and bool(arguments)
        case (*before, Call(function=function, arguments=()), Attribute(name=name) as method) if name in _VIEWS:
            return function is method and _is_taken_whole(body, before)
        case _:
            return False


def _is_taken_whole(body: FlowBody, around: Sequence[Node]) -> bool:
    """Whether a call takes what stands there as its only argument, and gives the same for every order."""
    match around:
        case (*_, Call(function=function, arguments=(first, *others)), Argument(keyword=None, star="") as argument):
            return (
                first is argument
                and body.origin(function) in _WHOLE
                and all(each.keyword in _KEYWORDS for each in others)
            )
        case _:
            return False


# --- loops ----------------------------------------------------------------------------------------------------------


def is_adding_up(body: FlowBody, loop: ForLoop) -> bool:
    """Whether a loop comes to the same for every order: it only adds numbers, adds to sets, and fills dicts by key."""
    names = frozenset(bound_names(loop.target))
    if loop.orelse or any(not isinstance(node, Name | Display) for node in walk(loop.target)):
        return False
    written = [_written(body, statement, loop.target, names) for statement in loop.body]
    changed: list[Name] = []
    for each in written:
        if each is None:
            return False
        changed += each
    return not _is_read(loop, changed) and not any(_is_left_over(body, loop, name) for name in names)


def _written(body: FlowBody, statement: Node, target: Expression, names: Set[str]) -> list[Name] | None:
    """The names that a statement of a loop adds to; None if it does anything else."""
    match statement:
        case Other(keyword="pass" | "continue"):
            return []
        case Branch(test=test, body=inner, orelse=orelse) if not acts(body, test, names):
            found: list[Name] = []
            for each in (*inner, *orelse):
                written = _written(body, each, target, names)
                if written is None:
                    return None
                found += written
            return found
        case Assign(targets=(Name() as total,), operator="+=" | "-=", value=value) if value is not None:
            return [total] if _is_count(body, total.name) and not acts(body, value, names) else None
        case Assign(targets=(Name() as filled,), operator="|=", value=value) if value is not None:
            return [filled] if _is_local_set(body, filled.name) and not acts(body, value, names) else None
        case Do(value=Call(function=Attribute(value=Name() as filled, name="add" | "update"), arguments=arguments)):
            is_clean = not any(acts(body, each.value, names) for each in arguments)
            return [filled] if is_clean and _is_local_set(body, filled.name) else None
        case Assign(targets=(Subscript(value=Name() as filled, items=(Name(name=key),)),), value=value):
            is_key = isinstance(target, Name) and target.name == key
            if value is None or not is_key or not is_value(body, value, names):
                return None
            return [filled] if _is_key_dict(body, filled.name) else None
        case _:
            return None


def _is_count(body: FlowBody, name: str) -> bool:
    """Whether a name begins as a whole number, so that what is added to it is one; sums of floats differ in the end."""
    begun = 0
    for node in body.bindings.get(name, ()):
        match node:
            case Assign(operator="=", value=Constant(value=int()), annotation=None):
                begun += 1
            case Assign(operator="=", value=Constant(value=int()), annotation=Name(name="int")):
                begun += 1
            case Assign(operator="+=" | "-="):
                continue
            case _:
                return False
    return begun > 0


def _is_local_set(body: FlowBody, name: str) -> bool:
    """Whether a name is that of a set made here; elsewhere it is asked what takes anything out of that one."""
    made = [node for node in body.bindings.get(name, ()) if not (isinstance(node, Assign) and node.operator == "|=")]
    match made:
        case [Assign(value=Display(kind="set") | Comprehension(kind="set"))]:
            return True
        case [Assign(value=Call(function=function))]:
            return body.origin(function) == "builtins.set"
        case _:
            return False


def _is_key_dict(body: FlowBody, name: str) -> bool:
    match _sole_binding(body, name):
        case Assign(value=Display(kind="dict") | Comprehension(kind="dict")):
            return _is_only_asked(body, name, by_key=True)
        case Assign(value=Call(function=function)):
            return body.origin(function) in _DICTS and _is_only_asked(body, name, by_key=True)
        case _:
            return False


def _is_read(loop: ForLoop, changed: Sequence[Name]) -> bool:
    """Whether the loop asks for what it has come to so far."""
    names = {each.name for each in changed}
    return any(
        isinstance(node, Name) and node.name in names and not any(node is each for each in changed)
        for node in walk(loop.over, *loop.body)
    )


def _is_left_over(body: FlowBody, loop: ForLoop, name: str) -> bool:
    """Whether the last element may be asked for when the loop is over."""
    return any(
        isinstance(located.node, Name) and located.node.name == name and not _is_bound_around(located, loop, name)
        for located in body.nodes
    )


def _is_bound_around(use: Located, loop: ForLoop, name: str) -> bool:
    line = (*use.around, use.node)
    for outer, inner in pairwise(line):
        match outer:
            case ForLoop() if outer is loop:
                return True
            case ForLoop(target=target, body=block):
                if name in bound_names(target) and (inner is target or any(inner is each for each in block)):
                    return True
            case Comprehension(clauses=clauses):
                if any(name in bound_names(clause.target) for clause in clauses):
                    return True
            case _:
                continue
    return False
