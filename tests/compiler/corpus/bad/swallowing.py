"""Flows that let nothing pass."""

from __future__ import annotations

import asyncio
import contextlib

from persistasaurus import flow, step


class BackupFlow:
    @flow
    async def back_up(self, names: list[str]) -> int:
        done = 0
        for name in names:
            try:
                await self.copy(name)
                done += 1
            except:  # error: PST209
                await self.report(name)
        with contextlib.suppress(BaseException):  # error: PST209
            await self.report("done")
        try:
            await self.copy("last")
        except* BaseException:  # error: PST209
            done -= 1
        return done

    @flow
    async def retried(self, name: str) -> str:
        while True:
            try:
                return await self.copy(name)
            except (ValueError, BaseException):  # error: PST209
                await asyncio.sleep(1)

    @flow
    async def translated(self, name: str) -> str:
        try:
            return await self.copy(name)
        except BaseException as error:  # error: PST209
            raise RuntimeError("the backup failed") from error

    @flow
    async def sometimes(self, name: str) -> str:
        try:
            return await self.copy(name)
        except BaseException as error:  # error: PST209
            if isinstance(error, ValueError):
                raise
            return "failed"

    @flow
    async def too_early(self, name: str) -> str:
        try:
            return await self.copy(name)
        except BaseException:  # error: PST209
            if name:
                return "failed"
            raise

    @flow
    async def in_finally(self, names: list[str]) -> str:
        for name in names:
            try:
                await self.copy(name)
            finally:
                if name:
                    continue  # error: PST209
        try:
            return await self.copy("all")
        finally:
            await self.report("all")
            return "done"  # error: PST209

    @step
    async def copy(self, name: str) -> str:
        return name

    @step
    async def report(self, name: str) -> None:
        print(name)
