"""Texts for agents."""

from __future__ import annotations

import re
import string
import textwrap
from functools import cached_property, lru_cache

_SPACE = re.compile(r"\s+")
_RULES = {"polite": "Be polite.", "short": "Be short."}


@lru_cache(maxsize=100)
def shortened(text: str, length: int) -> str:
    return textwrap.shorten(_SPACE.sub(" ", text).strip(), length, placeholder=" ...")


class Prompt:
    """A prompt with rules."""

    def __init__(self, name: str, rules: tuple[str, ...] = ()) -> None:
        self._name = name
        self._rules = rules
        self._template = string.Template("You are $name. $rules")

    @cached_property
    def rules(self) -> str:
        return " ".join(_RULES[rule] for rule in sorted(self._rules) if rule in _RULES)

    def system(self) -> str:
        return self._filled(self._name.title())

    def _filled(self, name: str) -> str:
        return self._template.substitute(name=name, rules=self.rules)
