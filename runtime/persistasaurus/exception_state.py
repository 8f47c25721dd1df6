"""An exception taken apart, and built again without its `__init__`, which may want arguments nobody recorded (G3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, Final

_args: Final = BaseException.__dict__["args"]
_HEAP_TYPE: Final = 1 << 9
"""The flag of classes made by a `class` statement; see `Py_TPFLAGS_HEAPTYPE` in the C API."""


def arguments_of(exception: BaseException) -> tuple[object, ...]:
    """`exception.args`, also of a class that has a property of that name."""
    args: tuple[object, ...] = _args.__get__(exception)
    return args


def attributes_of(exception: BaseException) -> Iterator[tuple[str, object]]:
    """The attributes an exception holds: in its `__dict__`, in slots, and in the members of builtin classes."""
    for name, (owner, descriptor) in _descriptors(type(exception)).items():
        try:
            value = descriptor.__get__(exception)
        except Exception:
            continue  # an empty slot
        if value is not None or _is_made_by_class_statement(owner):
            yield name, value
    for name, value in object.__getattribute__(exception, "__dict__").items():
        if isinstance(name, str) and not _is_special(name):
            yield name, value


def rebuild(
    cls: type[BaseException],
    arguments: Sequence[object],
    attributes: Mapping[str, object],
    group: tuple[str, Sequence[BaseException]] | None,
) -> BaseException:
    """An exception of a class, from what `arguments_of` and `attributes_of` gave.

    Args:
        cls: Its class.
        arguments: Its `args`; a group has its own.
        attributes: Its attributes.
        group: For an exception group, its message and members.

    Raises:
        TypeError: It is of a class that only its own constructor can make.
        ValueError: It is a group that cannot have these members.
    """
    native: Any = cls
    while _is_made_by_class_statement(native):
        native = native.__base__  # the base whose memory layout it has, not the next in the order of methods
    # By the native class and not by its own `__new__`, and without arguments: OSError would choose another class.
    exception: BaseException = native.__new__(cls) if group is None else native.__new__(cls, *group)
    if group is None:
        _args.__set__(exception, tuple(arguments))
    descriptors = _descriptors(cls)
    held = object.__getattribute__(exception, "__dict__")
    for name, value in attributes.items():
        if name in descriptors:
            _set(descriptors[name][1], exception, value)
        else:
            held[name] = value
    return exception


def _set(descriptor: Any, exception: BaseException, value: object) -> None:
    try:
        descriptor.__set__(exception, value)
    except (AttributeError, TypeError):
        return  # what a builtin class keeps to itself, such as the members of a group


def _descriptors(cls: type[BaseException]) -> dict[str, tuple[type, Any]]:
    return {
        name: (owner, descriptor)
        for owner in reversed(cls.__mro__)
        for name, descriptor in vars(owner).items()
        if isinstance(descriptor, MemberDescriptorType | GetSetDescriptorType)
        and name != "args"
        and not _is_special(name)
    }


def _is_special(name: str) -> bool:
    return len(name) > 4 and name.startswith("__") and name.endswith("__")


def _is_made_by_class_statement(cls: type) -> bool:
    return bool(cls.__flags__ & _HEAP_TYPE)
