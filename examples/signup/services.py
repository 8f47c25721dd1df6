"""What the sign-up works with; here each says what it does, elsewhere they would be a database and a mail service."""


class Users:
    """The users' table."""

    async def insert(self, user_name: str) -> int:
        number = 1000 + len(user_name)
        print(f"{user_name} gets the number {number}")
        return number

    async def confirm(self, user_id: int) -> None:
        print(f"number {user_id} is confirmed")


class Mailer:
    """The mail service."""

    async def send(self, address: str, text: str) -> None:
        print(f"mail to {address}: {text}")
