"""A function that imports where it is called."""


def at_last(text: str) -> str:
    from time import time as clock

    return f"{text} {clock()}"
