"""Takes in files of customers row by row, in batches, each row checked and keyed by what it says."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from uuid import NAMESPACE_URL, UUID, uuid5

from persistasaurus import flow, step


@dataclass(frozen=True)
class Row:
    name: str
    born: date
    key: UUID

    @staticmethod
    def of(fields: dict[str, str]) -> Row:
        name = unicodedata.normalize("NFC", fields["name"]).strip()
        return Row(name, date.fromisoformat(fields["born"]), uuid5(NAMESPACE_URL, name))


@dataclass(frozen=True)
class Report:
    taken: int
    refused: list[str]


def rows_in(text: str) -> Iterator[Row | str]:
    """The rows of a file; for one that is wrong, what is wrong with it."""
    for number, fields in enumerate(csv.DictReader(io.StringIO(text)), 2):
        try:
            yield Row.of(fields)
        except (KeyError, ValueError) as error:
            yield f"line {number}: {error}"


def fingerprint(rows: list[Row]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(row.name.encode())
    return digest.hexdigest()


class ImportFlow:
    def __init__(self, folder: Path, batch_size: int = 100) -> None:
        self.folder = folder
        self.batch_size = batch_size

    @flow
    async def take_in(self, name: str) -> Report:
        path = self.folder / PurePosixPath(name).with_suffix(".csv")
        text = self.read(path.as_posix())
        found = list(rows_in(text))
        rows = [each for each in found if isinstance(each, Row)]
        refused = [each for each in found if isinstance(each, str)]
        for start in range(0, len(rows), self.batch_size):
            batch = list(itertools.islice(rows, start, start + self.batch_size))
            await self.store(batch, fingerprint(batch))
        sample = random.Random(len(text)).sample(rows, min(3, len(rows)))
        await self.show(sorted(row.name for row in sample))
        return Report(len(rows), refused)

    @step
    def read(self, path: str) -> str:
        return Path(path).read_text(encoding="utf-8")

    @step
    async def store(self, rows: list[Row], key: str) -> None:
        print(len(rows), key)

    @step
    async def show(self, names: list[str]) -> None:
        print(names)
