"""What keeps persistc from doing its work at all: exit code 2, in contrast to findings in the source."""


class CannotRun(Exception):
    """The command could not run; the message says what is wrong and what to do."""
