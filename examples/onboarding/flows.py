"""A record first, then laptop and access side by side, then a mail."""

import asyncio

from persistasaurus import flow, step

from .office import Employee, Office


class OnboardingFlow:
    def __init__(self, office: Office) -> None:
        self.office = office

    @flow
    async def onboard(self, name: str) -> str:
        """Take a colleague in; returns the name of the laptop."""
        employee = await self.create_record(name)
        laptop, access = await asyncio.gather(self.provision_laptop(employee), self.provision_access(employee))
        await self.send_mail(employee, f"your {laptop} is ready, you have keys for {' and '.join(access)}")
        return laptop

    @step
    async def create_record(self, name: str) -> Employee:
        return await self.office.create_record(name)

    @step
    async def provision_laptop(self, employee: Employee) -> str:
        return await self.office.provision_laptop(employee)

    @step
    async def provision_access(self, employee: Employee) -> list[str]:
        return await self.office.provision_access(employee)

    @step
    async def send_mail(self, employee: Employee, text: str) -> None:
        await self.office.send_mail(employee, text)
