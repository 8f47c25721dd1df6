"""`python -m examples.hello`: run it twice, and the second run prints the sum alone: no step runs again."""

import argparse

from persistasaurus import BlockingEngine

from .flows_durable import DurableHelloFlow


def main() -> None:
    parser = argparse.ArgumentParser(prog="hello", description=__doc__)
    parser.add_argument("name", nargs="?", default="world", help="whom to greet (default: %(default)s)")
    parser.add_argument("--log", default="hello.db", help="the execution log (default: %(default)s)")
    options = parser.parse_args()

    with BlockingEngine(options.log, flows=[DurableHelloFlow()]) as engine:
        hello = engine.get_flow(DurableHelloFlow, f"hello-{options.name}")
        print("sum:", hello.say_hello.run(options.name))


if __name__ == "__main__":
    main()
