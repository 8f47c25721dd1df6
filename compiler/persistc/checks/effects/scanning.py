"""The summary of one routine: the effects in its own code, and the project code it calls, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from persistc.checks.effects.calls import Calls
from persistc.checks.effects.classes import Classes
from persistc.checks.effects.reasons import Source
from persistc.checks.effects.scopes import Scope
from persistc.checks.effects.shared import Shared
from persistc.checks.effects.special_methods import Special, by_syntax
from persistc.checks.effects.targets import Done
from persistc.checks.effects.things import Routine
from persistc.flow_tree import (
    Assign,
    Attribute,
    Await,
    Block,
    Branch,
    Call,
    Comprehension,
    Display,
    Expression,
    Handler,
    Lambda,
    Name,
    NestedClass,
    NestedFunction,
    Node,
    Other,
    Return,
    Subscript,
    Try,
    With,
    children,
    dotted,
)
from persistc.spans import Span


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the code where something is called or read."""

    file: str
    span: Span
    shown: str
    """What stands there, in short: `uuid.uuid4()`, `os.environ`."""
    in_cleanup: bool
    """It also runs when the flow leaves memory."""


@dataclass(frozen=True, slots=True)
class Effect:
    site: Site
    source: Source


@dataclass(frozen=True, slots=True)
class Run:
    """Project code that runs at a site."""

    site: Site
    routine: Routine


@dataclass(frozen=True, slots=True)
class Summary:
    effects: tuple[Effect, ...]
    runs: tuple[Run, ...]


def summarise(routine: Routine, classes: Classes) -> Summary:
    """What a routine does itself, and what it calls."""
    scope = Scope(classes, routine)
    scanner = _Scanner(routine, Calls(scope), Shared(scope))
    scanner.block(routine.runs, routine.is_suspended, False)
    return Summary(tuple(scanner.effects), tuple(scanner.runs))


@dataclass
class _Scanner:
    routine: Routine
    calls: Calls
    shared: Shared
    effects: list[Effect] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    def block(self, nodes: Sequence[Node], is_suspended: bool, in_cleanup: bool) -> None:
        for node in nodes:
            self._visit(node, is_suspended, in_cleanup)

    def _visit(self, node: Node, is_suspended: bool, in_cleanup: bool) -> None:
        self._special(by_syntax(node), in_cleanup)
        match node:
            case Call():
                self._call(node, is_suspended, in_cleanup)
                return
            case Name():
                self._read(node, in_cleanup)
                return
            case Attribute():
                self._read(node, in_cleanup)
                if dotted(node) is None:
                    self._visit(node.value, is_suspended, in_cleanup)
                return
            case Return(value=Name() | Attribute() as value):
                self._found(value, value, self.calls.handed_on(value), in_cleanup)
            case Branch(test=test, orelse=orelse) if (dotted(test) or "").endswith("TYPE_CHECKING"):
                self.block(orelse, is_suspended, in_cleanup)
                return
            case Try(final=final):
                self.block((*node.body, *node.handlers, *node.orelse), is_suspended, in_cleanup)
                self.block(final, is_suspended, in_cleanup or is_suspended)
                return
            case Handler(body=body):
                self.block(body, is_suspended, in_cleanup)
                return
            case With(items=items):
                for item in items:
                    for entered, is_end in self.calls.entered(item.value):
                        self._found(item.value, item.value, (entered,), in_cleanup or is_end)
            case Assign(targets=targets, value=value):
                self._written(targets, in_cleanup)
                self.block(_parts_written(targets), is_suspended, in_cleanup)
                if value is not None:
                    self._visit(value, is_suspended, in_cleanup)
                return
            case Other(keyword="del", parts=parts):
                self._written(parts, in_cleanup)
            case NestedFunction(is_async=is_async, body=body, decorators=decorators, defaults=defaults):
                self.block((*decorators, *defaults), is_suspended, in_cleanup)
                self.block(body, is_async or self.routine.is_flow_code, False)
                return
            case Lambda(body=body, defaults=defaults):
                self.block(defaults, is_suspended, in_cleanup)
                self._within(node).block((body,), is_suspended, False)
                return
            case Comprehension():
                self._within(node).block(tuple(children(node)), is_suspended, in_cleanup)
                return
            case NestedClass(decorators=decorators, body=body):
                self.block(decorators, is_suspended, in_cleanup)
                self.block(tuple(_done_by_definition(body)), is_suspended, in_cleanup)
                return
        self.block(tuple(children(node)), is_suspended, in_cleanup)

    def _within(self, node: Comprehension | Lambda) -> _Scanner:
        """The same for what has names of its own."""
        scope = self.calls.scope.within(node)
        return _Scanner(self.routine, Calls(scope), Shared(scope), self.effects, self.runs)

    def _special(self, specials: Iterable[Special], in_cleanup: bool) -> None:
        for special in specials:
            value = special[0]
            asked = Call(value.span, Attribute(value.span, value, ""), ())
            self._found(value, value, self._handed(asked, self.calls.special(special)), in_cleanup)

    def _handed(self, call: Call, done: Iterable[Done]) -> Iterator[Done]:
        return (self.shared.handed(each, call) if isinstance(each, Routine) else each for each in done)

    def _written(self, targets: Sequence[Expression], in_cleanup: bool) -> None:
        for target in targets:
            if isinstance(target, Display):
                self._written(target.items, in_cleanup)
            else:
                self._found(target, target, self.calls.written(target), in_cleanup)
                self._found(target, target, self.shared.changed(target), in_cleanup)

    def _read(self, node: Name | Attribute, in_cleanup: bool) -> None:
        self._found(node, node, self.calls.read(node), in_cleanup)
        self._found(node, node, self.shared.read(node), in_cleanup)

    def _call(self, call: Call, is_suspended: bool, in_cleanup: bool) -> None:
        shown = replace(call, function=self.calls.scope.called(call))
        self._found(shown, call.function, self._handed(call, self.calls.of_call(call)), in_cleanup)
        self._special(self.calls.of_builtin(call), in_cleanup)
        self._found(call, call.function, self.shared.changed(call), in_cleanup)
        function = call.function
        if isinstance(function, Attribute) and isinstance(function.value, Name | Attribute):
            self._found(function.value, function.value, self.shared.read(function.value), in_cleanup)
        if dotted(function) is None:
            inner = function.value if isinstance(function, Attribute) else function
            self._visit(inner, is_suspended, in_cleanup)
        for argument in call.arguments:
            self._special(by_syntax(argument), in_cleanup)
            if not argument.star and not self.calls.is_for_thread(call):
                at_end = in_cleanup or self.calls.is_for_end(call)
                self._found(argument.value, argument.value, self.calls.handed_on(argument.value), at_end)
            self._visit(argument.value, is_suspended, in_cleanup)

    def _found(self, node: Node, place: Node, done: Iterable[Done], in_cleanup: bool) -> None:
        for each in done:
            site = self._site(node, place, in_cleanup)
            if isinstance(each, Routine):
                self.runs.append(Run(site, each))
            else:
                self.effects.append(Effect(site, each))

    def _site(self, node: Node, place: Node, in_cleanup: bool) -> Site:
        return Site(self.routine.module.file, place.span, _shown(node), in_cleanup)


def _done_by_definition(body: Block) -> Iterator[Node]:
    """What defining a class does: all of its body but the bodies of its methods."""
    for node in body:
        if isinstance(node, NestedFunction):
            yield from (*node.decorators, *node.defaults)
        else:
            yield node


def _parts_written(targets: Sequence[Node]) -> tuple[Node, ...]:
    """What an assignment evaluates on its left: the object before the dot, the key in the brackets."""
    return tuple(part for target in targets for part in children(target))


def _shown(node: Node) -> str:
    """An expression in short, without the arguments of calls."""
    match node:
        case Name(name=name):
            return name
        case Attribute(value=value, name=name):
            return f"{_shown(value)}.{name}"
        case Call(function=function):
            return f"{_shown(function)}()"
        case Subscript(value=value):
            return f"{_shown(value)}[...]"
        case Await(value=value):
            return f"(await {_shown(value)})"
        case _:
            return "(...)"
