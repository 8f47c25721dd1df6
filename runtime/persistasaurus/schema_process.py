"""What `persistc schema` runs in the environment of the user's program: imports proxies and prints their schemas.

Called as `python -m persistasaurus.schema_process NAME=MODULE:PROXY ...`. It prints one JSON object:
`{"document": ...}`, or `{"refused": ...}` with what could not be imported or described.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from collections.abc import Sequence

from persistasaurus.errors import ValueNotStorable
from persistasaurus.flow_classes import FlowClass
from persistasaurus.json_schema import document_of


def main(arguments: Sequence[str]) -> None:
    """Print what was asked for; what the user's modules print while they are imported goes to standard error."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as output:
        os.dup2(2, 1)
        json.dump(answer(arguments), output)


def answer(arguments: Sequence[str]) -> dict[str, object]:
    """The document of these proxies, or why there is none."""
    flow_classes: dict[str, FlowClass] = {}
    for argument in arguments:
        name, _, place = argument.partition("=")
        module, _, proxy = place.partition(":")
        try:
            flow_classes[name] = getattr(importlib.import_module(module), proxy).__persistasaurus__
        except Exception as error:
            return {"refused": f"{module} cannot be imported: {traceback.format_exception_only(error)[-1].strip()}"}
    try:
        return {"document": document_of(flow_classes)}
    except ValueNotStorable as error:
        return {"refused": str(error)}


if __name__ == "__main__":
    main(sys.argv[1:])
