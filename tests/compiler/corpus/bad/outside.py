"""Flows that act on the world: files, processes, services, and what `__init__` took from outside."""

from __future__ import annotations

import glob
import logging
import os
import shutil
import smtplib
import sqlite3
import subprocess
import time
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from persistasaurus import flow, step


class Mailer(Protocol):
    def send(self, text: str) -> None: ...


class Gateway(ABC):
    @abstractmethod
    def pay(self, amount: int) -> int: ...


class Mail(smtplib.SMTP):
    """A client with a method of its own."""

    def greet(self) -> str:
        return "hello"


class Table:
    def __init__(self, rows: list[int]) -> None:
        self.rows = rows

    def total(self) -> int:
        return sum(self.rows)


class Store:
    def __init__(self, connection: sqlite3.Connection, cache: Path) -> None:
        self.connection = connection
        self.cache = cache

    def count(self) -> int:
        return len(self.connection.execute("select 1").fetchall())

    def cached(self) -> str:
        return self.path().read_text()

    def path(self) -> Path:
        return self.cache.parent / "cache"


@dataclass(frozen=True)
class Settings:
    name: str
    sizes: dict[str, int]
    folder: Path

    def size(self, key: str) -> int:
        return self.sizes.get(key, 0)


class FilesFlow:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @flow
    def take_in(self, name: str) -> None:
        with open(name) as file:  # error: PST204
            self.note(file.read())
        (self.folder / name).write_text("x")  # error: PST204
        for path in self.folder.glob("*"):  # error: PST204
            self.note(path.name)
        self.note(self.folder.with_suffix(".csv").name)
        if os.path.exists(name) or os.listdir(name):  # error: PST204
            shutil.copy(name, name)  # error: PST204
        subprocess.run(["ls"], check=True)  # error: PST204
        self.note(str(glob.glob(name)))  # error: PST204
        time.sleep(1)  # error: PST204
        with urllib.request.urlopen(name) as answer:  # error: PST204
            self.note(str(answer.read()))
        self.note(input("name? "))  # error: PST204
        for path_name in map(os.remove, [name]):  # error: PST204
            self.note(str(path_name))

    @step
    def note(self, text: str) -> None:
        print(open(text).read())  # noqa: SIM115


class HeldFlow:
    def __init__(
        self,
        mailer: Mailer,
        gateways: Sequence[Gateway],
        mail: Mail,
        store: Store,
        settings: Settings,
        table: Table,
        shown: Callable[[int], str],
        client: Any,
        others: dict[str, Mailer] | None = None,
    ) -> None:
        self.mailer, self.gateways = mailer, gateways
        self.mail: Mail = mail
        self.store = store
        self.settings = settings
        self.table = table
        self.shown = shown
        self.client = client
        self.others = others or {}
        self.log = logging.getLogger("held")

    @flow
    def order(self, name: str) -> None:
        self.mailer.send(name)  # error: PST204
        self.log.info(self.settings.name.lower(), self.settings.size(name), self.table.total())
        for gateway in self.gateways:
            self.note(gateway.pay(3))  # error: PST204
        self.gateways[0].pay(3)  # error: PST204
        self.mail.greet()
        self.mail.sendmail("a", "b", name)  # error: PST204
        self.note(self.store.count())  # error: PST204
        self.note(len(self.store.path().name))
        self.note(len(self.store.cached()))  # error: PST204
        self.note(len(self.settings.folder.read_text()))  # error: PST204
        self.note(len(self.shown(3)))  # error: PST204
        self.note(len(list(map(self.shown, [3]))))  # error: PST204
        self.client.charges.create(name)  # error: PST204
        mailer = self.mailer
        mailer.send(name)  # error: PST204
        for other in self.others.values():
            other.send(name)  # error: PST204
        self.run(self.mailer.send)  # error: PST204

    def run(self, action: Callable[[str], None]) -> None:
        action("x")

    @step
    def note(self, number: int) -> None:
        self.mailer.send(str(number))
