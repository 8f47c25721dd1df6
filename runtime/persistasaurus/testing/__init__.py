"""For tests of flows: a clock that you move, and a log in memory that can crash.

    log, clock = InMemoryLog(), ManualClock()
    async with Engine(log, flows=[DurableSignupFlow()], clock=clock) as engine:
        signup = engine.get_flow(DurableSignupFlow, "f")
        await signup.sign_up.start("alice", "alice@example.com")
        await clock.until_alarm(timedelta(days=3))  # the flow waits for its delay,
        clock.advance(timedelta(days=3))  # which is over now
        ...

    for writes in range(len(log.journal) + 1):  # a crash behind every write
        async with Engine(log.crashed(writes), flows=[DurableSignupFlow()], clock=clock) as engine:
            ...

    check_crashes(  # or all of that in one
        DurableSignupFlow,
        lambda signup: signup.sign_up.run("alice", "alice@example.com"),
        signals=[lambda signup: signup.confirm_email_address.send(datetime.now(UTC))],
    )

`InMemoryLog` takes the place of the path of an SQLite log; its `journal` holds every write that became durable, and
`crashed(writes)` is a new log with what would be on record had the process died behind so many. Without an engine,
`log.invocations("f")` reads what is there. With `InMemoryLog(seed=...)` a flow of the same id that is started at the
same time draws the same from `uuid4()` and `random()` in every test. `ManualClock` stands still but for `advance`;
`next_alarm` says how far away the next delay, time limit or retry is, and `until_alarm` waits until there is one.

`ExecutionLogContract` is for authors of other execution logs: a suite of tests that every log has to pass.
"""

from persistasaurus.memory_log import InMemoryLog
from persistasaurus.testing.contract import ExecutionLogContract
from persistasaurus.testing.crashes import check_crashes
from persistasaurus.testing.manual_clock import ManualClock

__all__ = ["ExecutionLogContract", "InMemoryLog", "ManualClock", "check_crashes"]
