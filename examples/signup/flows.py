"""A record, a mail some time later, a confirmation from outside, an end."""

from datetime import datetime, timedelta

from persistasaurus import Retry, flow, signal, step, wait_for_signal

from .services import Mailer, Users


class SignupFlow:
    def __init__(self, users: Users, mailer: Mailer) -> None:
        self.users = users
        self.mailer = mailer

    @flow
    async def sign_up(self, user_name: str, email: str) -> int:
        """Sign a user up; returns the new user's number."""
        user_id = await self.create_user_record(user_name)
        await self.send_welcome_email(user_id, email)
        confirmed_at = await wait_for_signal(self.confirm_email_address, timeout=timedelta(days=7))
        await self.finalize_signup(user_id, confirmed_at)
        return user_id

    @step
    async def create_user_record(self, user_name: str) -> int:
        return await self.users.insert(user_name)

    # Four seconds, to be watched; four days would be as durable.
    @step(delay=timedelta(seconds=4), retry=Retry(max_attempts=5))
    async def send_welcome_email(self, user_id: int, email: str) -> None:
        await self.mailer.send(email, f"welcome, number {user_id}! Follow the link to confirm your address.")

    @signal
    async def confirm_email_address(self, confirmed_at: datetime) -> datetime:
        """The user has followed the link in the mail."""
        return confirmed_at

    @step
    async def finalize_signup(self, user_id: int, confirmed_at: datetime) -> None:
        await self.users.confirm(user_id)
