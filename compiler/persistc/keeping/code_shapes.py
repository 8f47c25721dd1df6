"""What a function says, whatever its layout: a text to compare it by, the members and the names it uses."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef


def shape(node: ast.AST) -> str:
    """A text that is the same for code that differs in layout, comments and docstrings only."""
    if not isinstance(node, Function):
        return ast.dump(node)
    return "\n".join([*(ast.dump(each) for each in node.decorator_list), shape_of_flow(node)])


def shape_of_flow(node: Function) -> str:
    """The same without name and decorators: options of a mark and the number of a version are no part of a body."""
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    parameters = [ast.dump(each) for each in getattr(node, "type_params", ())]
    return "\n".join([type(node).__name__, *parameters, signature(node), *(ast.dump(each) for each in body)])


def signature(node: Function) -> str:
    """The parameters and the result alone, as a text to compare."""
    returns = "" if node.returns is None else ast.dump(node.returns)
    return f"{ast.dump(node.args)} {returns}"


def members_used(node: Function, class_name: str) -> tuple[str, ...]:
    """The attributes that a method names on its instance, `self.charge`, or on its class, in order."""
    owners = {class_name, receiver(node)}
    found = (
        each.attr
        for each in _in_order(node)
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id in owners
    )
    return tuple(dict.fromkeys(found))


def receiver(node: Function) -> str | None:
    """What a method calls its instance."""
    first = [*node.args.posonlyargs, *node.args.args][:1]
    return first[0].arg if first else None


def names_used(node: Function, *, decorated: bool) -> tuple[str, ...]:
    """The names from outside that a function needs, in order; `decorated` includes those of its decorators."""
    found = [name for each in node.decorator_list for name in _free(each, _NONE)] if decorated else []
    return tuple(dict.fromkeys([*found, *_free_of_function(node, _NONE)]))


def names_of(expression: ast.expr) -> tuple[str, ...]:
    """The names that an expression uses, in order."""
    return tuple(dict.fromkeys(_free(expression, _NONE)))


_NONE: frozenset[str] = frozenset()
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _in_order(child)


def _free(node: ast.AST, bound: frozenset[str]) -> Iterator[str]:
    """The names that a piece of code takes from around it; `bound` are those that functions around it bind."""
    match node:
        case ast.Name(id=name):
            if isinstance(node.ctx, ast.Load) and name not in bound:
                yield name
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            for decorator in node.decorator_list:
                yield from _free(decorator, bound)
            yield from _free_of_function(node, bound)
        case ast.Lambda(args=arguments, body=body):
            yield from _free_of_arguments(arguments, bound)
            yield from _free(body, bound.union(_bound_in([arguments])))
        case ast.AnnAssign(target=target, annotation=annotation, value=value):
            yield from (name for name in _named_by_type(annotation) if name not in bound)
            for each in (target, *([] if value is None else [value])):
                yield from _free(each, bound)
        case _:
            if isinstance(node, _COMPREHENSIONS):
                bound = bound.union(_bound_in([each.target for each in node.generators]))
            for child in ast.iter_child_nodes(node):
                yield from _free(child, bound)


def _free_of_function(node: Function, bound: frozenset[str]) -> Iterator[str]:
    yield from _free_of_arguments(node.args, bound)
    if node.returns is not None:
        yield from (name for name in _named_by_type(node.returns) if name not in bound)
    inside = bound.union(_bound_in([node.args, *node.body]))
    for statement in node.body:
        yield from _free(statement, inside)


def _free_of_arguments(node: ast.arguments, bound: frozenset[str]) -> Iterator[str]:
    """The names of defaults and annotations, which belong to what is around the function."""
    for each in (*node.posonlyargs, *node.args, *node.kwonlyargs, node.vararg, node.kwarg):
        if each is not None and each.annotation is not None:
            yield from (name for name in _named_by_type(each.annotation) if name not in bound)
    for default in (*node.defaults, *node.kw_defaults):
        if default is not None:
            yield from _free(default, bound)


def _named_by_type(annotation: ast.expr) -> Iterator[str]:
    """The names of an annotation, those in quotes too."""
    for each in _in_order(annotation):
        match each:
            case ast.Name(id=name):
                yield name
            case ast.Constant(value=str(quoted)):
                try:
                    yield from _free(ast.parse(quoted, mode="eval"), _NONE)
                except SyntaxError:
                    continue  # a text within `Literal["a b"]`


def _bound_in(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The names that code of one scope binds; those of functions and comprehensions within it are theirs."""
    for node in nodes:
        yield from _bound_by(node)
        if not isinstance(node, (Function, ast.ClassDef, ast.Lambda, *_COMPREHENSIONS)):
            yield from _bound_in(ast.iter_child_nodes(node))


def _bound_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.arg(arg=name):
            yield name
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.alias(name=name, asname=alias):
            yield alias or name.partition(".")[0]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name
        case _:
            return
