"""`check_crashes`: sound flows pass it, and it finds what a crash would bring to light."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest

from examples.hello.flows_durable import DurableHelloFlow
from examples.onboarding.flows_durable import DurableOnboardingFlow
from examples.onboarding.office import Office
from examples.signup.flows_durable import DurableSignupFlow
from examples.signup.services import Mailer, Users
from persistasaurus import StepFailed, ValueNotStorable
from persistasaurus.generated import Async
from persistasaurus.testing import check_crashes

from .flows_planted_durable import DurablePlantedFlow, DurablePlantedPlainFlow, PlantedFlowInstance

Instance = PlantedFlowInstance[Async]


def checked(run: Callable[[Instance], Coroutine[Any, Any, Any]], **options: Any) -> tuple[Any, list[str]]:
    """What a flow with numbers that never come again returns, and the effects of its last run."""
    effects: list[str] = []
    numbers = itertools.count(1)
    result = check_crashes(lambda: DurablePlantedFlow(effects, lambda: next(numbers)), run, effects=effects, **options)
    return result, effects


def test_the_flows_of_the_examples_survive_every_crash() -> None:
    assert check_crashes(DurableHelloFlow, lambda hello: hello.say_hello.run("Ada")) == 10
    laptop = check_crashes(lambda: DurableOnboardingFlow(Office()), lambda each: each.onboard.run("Ada"))
    assert laptop == "laptop-7"
    number = check_crashes(
        lambda: DurableSignupFlow(Users(), Mailer()),
        lambda signup: signup.sign_up.run("ada", "ada@example.com"),
        signals=[lambda signup: signup.confirm_email_address.send(datetime(2025, 1, 2, tzinfo=UTC))],
    )
    assert number == 1003


def test_steps_may_come_to_something_else_when_they_run_again() -> None:
    assert checked(lambda flow: flow.sound.run(["Ada", "Bob"])) == ([1, 2], [])


def test_a_plain_flow_with_bodies_on_threads_survives_every_crash() -> None:
    effects: list[str] = []
    names = ["Ada", "Bob", "Eve"]
    proxy = lambda: DurablePlantedPlainFlow(effects)  # noqa: E731
    assert check_crashes(proxy, lambda flow: flow.sound.run(names), effects=effects) == 9


def test_delays_retries_signals_and_time_limits_take_no_time() -> None:
    signals = [lambda flow: flow.answer.send("yes"), lambda flow: flow.answer.send("no")]
    result, _ = checked(lambda flow: flow.waits.run("Ada"), signals=signals)
    assert result == "yes, no, silence"


def test_what_time_and_chance_give_may_be_something_else_when_steps_run_again() -> None:
    (moment, identifier, number), _ = checked(lambda flow: flow.looks_at_time_and_chance.run("Ada"))
    assert moment.tzinfo is UTC
    assert identifier.version == 4
    assert 0 <= number < 1


def test_a_flow_may_take_another_way_because_of_the_time() -> None:
    count, _ = checked(lambda flow: flow.steered_by_time.run("Ada"))
    assert count == 4


def test_results_are_compared_by_what_is_stored_of_them() -> None:
    coins, _ = checked(lambda flow: flow.prices.run(["Ada"]))
    assert coins.count == 1


@pytest.mark.parametrize(
    ("seconds", "answer"),
    [
        (4.0, "Ada after 4.0 s"),
        (6.0, "Bob after 0.0 s"),
        (10_000_000.0, "Bob after 0.0 s"),
        (None, "Bob after 0.0 s"),
    ],
)
def test_a_body_sleeps_as_long_as_its_time_limit_lets_it(seconds: float | None, answer: str) -> None:
    assert checked(lambda flow: flow.asks_for_five_seconds.run(seconds)) == (answer, [])


def test_a_body_without_a_limit_that_waits_for_ever_is_named() -> None:
    with pytest.raises(AssertionError, match="waits for step 1 `ask`, whose body waits for something that never comes"):
        checked(lambda flow: flow.asks_for_ever.run("Ada"))


def test_bodies_on_threads_are_waited_for_before_a_time_limit() -> None:
    assert checked(lambda flow: flow.asks_on_a_thread.run("Ada")) == ("Ada", [])
    assert checked(lambda flow: flow.asks_a_plain_step.run("Ada")) == ("Ada", [])


def test_a_signal_that_cannot_be_sent_says_so_itself() -> None:
    with pytest.raises(ValueNotStorable):
        checked(lambda flow: flow.waits.run("Ada"), signals=[lambda flow: flow.answer.send(object())])


def test_what_a_flow_raises_comes_out_at_the_end() -> None:
    with pytest.raises(StepFailed, match="Refused: Ada"):
        checked(lambda flow: flow.fails.run("Ada"))


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (
            lambda flow: flow.asks_for_something_else.run("Ada"),
            r"crashed behind write \d+ of \d+, when no step had ended: replayed, the flow is parked: .*`greet`|greet",
        ),
        (
            lambda flow: flow.comes_to_something_else.run("Ada"),
            r"crashed behind write \d+ of \d+, when .*: the flow came to \d+, and replayed to \d+: "
            "something outside of steps differs",
        ),
        (
            lambda flow: flow.does_it_outside_of_steps.run("Ada"),
            r"done again though every step had ended, so outside of steps: \['note Ada'\]",
        ),
    ],
)
def test_a_planted_defect_is_found_and_its_place_is_named(
    run: Callable[[Instance], Coroutine[Any, Any, int]], message: str
) -> None:
    with pytest.raises(AssertionError, match=message):
        checked(run)


def test_a_planted_defect_of_a_plain_flow_is_found() -> None:
    effects: list[str] = []
    with pytest.raises(AssertionError, match="outside of steps: \\['note Ada'\\]"):
        check_crashes(
            lambda: DurablePlantedPlainFlow(effects),
            lambda flow: flow.does_it_outside_of_steps.run("Ada"),
            effects=effects,
        )


def test_a_signal_that_nobody_sends_is_named() -> None:
    signals = [lambda flow: flow.answer.send("yes")]
    with pytest.raises(AssertionError, match="the flow waits for `answer`, and nothing more comes"):
        checked(lambda flow: flow.waits.run("Ada"), signals=signals)


def test_a_call_that_starts_no_flow_says_so_itself() -> None:
    with pytest.raises(TypeError):
        checked(lambda flow: flow.sound.run())  # type: ignore[call-arg]
