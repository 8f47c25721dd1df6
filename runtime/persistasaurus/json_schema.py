"""JSON Schema (2020-12) of what is stored for the types that flow classes declare.

msgspec writes the schema of what it stores itself. What is stored through a conversion (G12) is described here: a
pydantic model says its own schema, and anything else is described by what its `encode` is annotated to return.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from persistasaurus.conversions import Conversion, declared_conversion, encode_model
from persistasaurus.errors import ValueNotStorable
from persistasaurus.flow_classes import FlowClass, Kind, Method
from persistasaurus.storable import storage_of

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE: Final = "#/$defs/{name}"
_SECTIONS: Final[dict[Kind, str]] = {"flow": "flows", "step": "steps", "signal": "signals"}


def document_of(flow_classes: Mapping[str, FlowClass]) -> Schema:
    """One document with the parameters and the result of every flow, step and signal.

    Args:
        flow_classes: By the name each bears in the document.

    Returns:
        Below the name of each class its `flows`, `steps` and `signals`, and in `$defs` the types they refer to.

    Raises:
        ValueNotStorable: A pydantic model cannot say its schema.
    """
    methods = [method for flow_class in flow_classes.values() for method in flow_class.methods.values()]
    types = [each for method in methods for each in _types_of(method)]
    schemas, definitions = schemas_of(types)
    following = iter(schemas)
    classes: Schema = {}
    for name, flow_class in flow_classes.items():
        classes[name] = {section: {} for section in _SECTIONS.values()}
        for method in flow_class.methods.values():
            classes[name][_SECTIONS[method.kind]][method.name] = _method_schema(method, following)
    return {"$schema": DIALECT, **classes, "$defs": definitions}


def schemas_of(types: Sequence[Any]) -> tuple[list[Schema], dict[str, Schema]]:
    """The schemas of types, and the definitions they refer to as `#/$defs/NAME`.

    Raises:
        ValueNotStorable: One of the types cannot be stored, or a pydantic model cannot say its schema.
    """
    converted = _conversions_in(types)
    encoded = [
        (cls, _result_of(conversion.encode))
        for cls, conversions in converted.items()
        for conversion in conversions
        if conversion.encode is not encode_model
    ]
    plain = [*map(_without_conversions, types), *(returned for _, returned in encoded)]
    _, components = msgspec.json.schema_components(plain, schema_hook=lambda _: {"title": "named below"})
    names = _names(converted, components)  # others than those msgspec gives

    def refer(cls: Any) -> Schema:
        return {"$ref": _REFERENCE.format(name=names[get_origin(cls) or cls])}

    schemas, definitions = msgspec.json.schema_components(plain, schema_hook=refer, ref_template=_REFERENCE)
    alternatives: dict[type, list[Schema]] = {}
    for (cls, _), schema in zip(encoded, schemas[len(types) :], strict=True):
        alternatives.setdefault(cls, []).append(schema)
    for cls, conversions in converted.items():
        if any(conversion.encode is encode_model for conversion in conversions):
            schema, inner = _of_model(cls, names[cls])
            alternatives.setdefault(cls, []).append(schema)
            definitions.update(inner)
        definitions[names[cls]] = _one_of(cls, alternatives[cls])
    return list(schemas[: len(types)]), dict(sorted(definitions.items()))


def _types_of(method: Method) -> Iterator[Any]:
    yield from (field.type for field in method.parameters.fields)
    yield method.result.annotation


def _method_schema(method: Method, following: Iterator[Schema]) -> Schema:
    """The schema of a method, whose types' schemas come next."""
    fields = method.parameters.fields
    parameters = {
        "type": "object",
        "properties": {field.name: next(following) for field in fields},
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }
    return {"parameters": parameters, "result": next(following)}


def _conversions_in(types: Sequence[Any]) -> dict[type, list[Conversion]]:
    """The classes that are stored through conversions, each with those it has in one place or another."""
    found: dict[type, list[Conversion]] = {}
    for annotation in types:
        for cls, conversion in storage_of(annotation, "this").conversions.items():
            known = found.setdefault(cls, [])
            if all(conversion.encode != each.encode for each in known):
                known.append(conversion)
    return found


def _names(converted: Mapping[type, object], components: Mapping[str, object]) -> dict[type, str]:
    taken = set(components)
    names: dict[type, str] = {}
    for cls in converted:
        name = _as_name(cls.__name__)
        names[cls] = name if name not in taken else _as_name(f"{cls.__module__}.{cls.__qualname__}")
        taken.add(names[cls])
    return names


def _as_name(text: str) -> str:
    return re.sub(r"[^\w.]", "_", text)


def _of_model(cls: Any, name: str) -> tuple[Schema, dict[str, Schema]]:
    """The schema of a pydantic model, and its definitions under names that begin with its own."""
    try:
        # As it is read: computed fields are not stored.
        schema: Schema = cls.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
    except Exception as reason:
        raise ValueNotStorable(f"pydantic model {cls.__qualname__} has no JSON Schema: {reason}") from reason
    inner = {f"{name}.{each}": definition for each, definition in schema.pop("$defs", {}).items()}
    return schema, inner


def _one_of(cls: type, schemas: Sequence[Schema]) -> Schema:
    different = [schema for number, schema in enumerate(schemas) if schema not in schemas[:number]]
    return {"title": cls.__name__, **(different[0] if len(different) == 1 else {"anyOf": different})}


def _result_of(encode: Callable[[Any], object]) -> Any:
    """The JSON that an `encode` says it returns."""
    if isinstance(encode, type):
        return encode if encode in {bool, int, float, str} else Any
    try:
        returned = get_type_hints(encode, include_extras=True).get("return", Any)
        storage_of(returned, "this")
    except Exception:  # it says nothing that can be understood here
        return Any
    return _without_conversions(returned)


def _without_conversions(annotation: Any) -> Any:
    """The type without `stored_as(...)`, whose functions would become part of the name of a generic class."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = _without_conversions(arguments[0])
        kept = tuple(each for each in arguments[1:] if not _is_conversion(each))
        return Annotated[(inner, *kept)] if kept else inner
    if origin in {None, Literal} or not arguments:
        return annotation
    parts = tuple(each if each is ... else _without_conversions(each) for each in arguments)
    if parts == arguments:
        return annotation
    return Union[parts] if origin in {Union, UnionType} else origin[parts]  # noqa: UP007  (the members are values here)


def _is_conversion(metadata: object) -> bool:
    return isinstance(metadata, msgspec.Meta) and declared_conversion(metadata.extra) is not None
