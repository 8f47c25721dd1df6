"""A flow of five steps in a loop, whose results are summed."""

from persistasaurus import flow, step


class HelloFlow:
    @flow
    def say_hello(self, name: str) -> int:
        """Greet five times; returns the sum of what the steps returned."""
        total = 0
        for count in range(5):
            total += self.say(name, count)
        return total

    @step
    def say(self, name: str, count: int) -> int:
        print(f"Hello, {name} ({count})")
        return count
