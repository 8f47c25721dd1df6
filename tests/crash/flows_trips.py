"""A trip: every kind of call a flow can make. Its bodies leave their traces in a ledger that outlives the process."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path

from persistasaurus import Retry, flow, parallel, signal, sleep, step, step_info, wait_for_signal

MOMENT = timedelta(milliseconds=1)


class Declined(Exception):
    """The bank says no."""


class Ledger:
    """A file to which bodies append what they do, line by line.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, line: str) -> None:
        """Append a line; it is in the hands of the operating system when this returns."""
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(file, f"{line}\n".encode())
        finally:
            os.close(file)

    def lines(self) -> list[str]:
        """What was noted."""
        return self.path.read_text().splitlines() if self.path.exists() else []


class TripFlow:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    @flow
    async def book(self, city: str) -> str:
        flight = await self.reserve("flight", city)
        await asyncio.sleep(MOMENT.total_seconds())
        hotel, car = await asyncio.gather(self.stay(city), self.reserve("car", city))
        approved = await wait_for_signal(self.approve)
        try:
            paid = await self.charge(city)
        except Declined as refusal:
            paid = await self.reserve(f"bill: {refusal}", city)
        mailed = await self.mail(city)
        return "; ".join([flight, hotel, car, approved, paid, mailed])

    async def stay(self, city: str) -> str:
        room = await self.reserve("room", city)
        return f"{room} with {await self.reserve('breakfast', city)}"

    @step
    async def reserve(self, what: str, city: str) -> str:
        self._begin(what)
        return f"{what} in {city}"

    @step(raises=(Declined,))
    async def charge(self, city: str) -> str:
        self._begin("charge")
        raise Declined("no money")

    @step(retry=Retry(max_attempts=4, initial=MOMENT), delay=MOMENT)
    async def mail(self, city: str) -> str:
        self._begin("mail")
        if step_info().attempt == 1:
            raise ConnectionError("no line")
        return f"mail about {city}"

    @signal
    async def approve(self, by: str) -> str:
        self._begin("approve")
        return f"approved by {by}"

    def _begin(self, what: str) -> None:
        self.ledger.note(f"{step_info().step} {what}")


class PlainTripFlow:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    @flow
    def book(self, city: str) -> str:
        flight = self.reserve("flight", city)
        sleep(MOMENT)
        with parallel() as branches:
            hotel = branches.start(self.stay, city)
            car = branches.start(self.reserve, "car", city)
        approved = wait_for_signal(self.approve)
        try:
            paid = self.charge(city)
        except Declined as refusal:
            paid = self.reserve(f"bill: {refusal}", city)
        mailed = self.mail(city)
        return "; ".join([flight, hotel.result(), car.result(), approved, paid, mailed])

    def stay(self, city: str) -> str:
        room = self.reserve("room", city)
        return f"{room} with {self.reserve('breakfast', city)}"

    @step
    def reserve(self, what: str, city: str) -> str:
        self._begin(what)
        return f"{what} in {city}"

    @step(raises=(Declined,))
    def charge(self, city: str) -> str:
        self._begin("charge")
        raise Declined("no money")

    @step(retry=Retry(max_attempts=4, initial=MOMENT), delay=MOMENT)
    def mail(self, city: str) -> str:
        self._begin("mail")
        if step_info().attempt == 1:
            raise ConnectionError("no line")
        return f"mail about {city}"

    @signal
    def approve(self, by: str) -> str:
        self._begin("approve")
        return f"approved by {by}"

    def _begin(self, what: str) -> None:
        self.ledger.note(f"{step_info().step} {what}")
