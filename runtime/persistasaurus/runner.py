"""The engine's machinery on the program's event loop: executions in memory, commits, bodies, waiting callers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from persistasaurus.bodies import Bodies
from persistasaurus.clock import Alarm
from persistasaurus.commits import Commits, fail
from persistasaurus.errors import (
    ClaimLost,
    CorruptRow,
    EngineClosed,
    FlowNotRegistered,
    IncompatibleChange,
    LogUnavailable,
    PersistasaurusError,
    RecoveryLimit,
)
from persistasaurus.execution import Execution
from persistasaurus.failed_flow import FailurePoint, encode_failed_flow
from persistasaurus.flow_record import log_parked
from persistasaurus.log import ExecutionLog
from persistasaurus.open_call import OpenCall, State
from persistasaurus.proxies import FlowClass, Method
from persistasaurus.pump import Pump
from persistasaurus.records import (
    FlowRow,
    FlowStatus,
    InvocationRow,
    Kind,
    Readmit,
    Rejoin,
    Release,
    SignalRow,
    Status,
)
from persistasaurus.replay import History
from persistasaurus.row_changes import change_of
from persistasaurus.schedule import Schedule
from persistasaurus.settings import Settings
from persistasaurus.versions import body_is_missing

logger = logging.getLogger("persistasaurus.engine")


class Registered(Struct, frozen=True):
    """A flow an engine can run: its class, its method, and the proxy it runs on."""

    flow_class: FlowClass
    method: Method
    proxy: object

    def body_of(self, flow: FlowRow) -> Method | None:
        """The body that a flow runs, which is that of the version it was started on; None if it is not there."""
        return self.flow_class.bodies[self.method.name].get(flow.version)

    def body_is_missing(self, flow: FlowRow) -> IncompatibleChange:
        """What to say of a flow whose body is not there."""
        return body_is_missing(flow, self.method, self.flow_class.bodies[self.method.name])


class Runner:
    """Runs flows; everything here happens on the thread of the event loop.

    Args:
        log: The execution log, not yet open.
        registered: The flows it can run, by recorded name.
        settings: Its settings.
    """

    def __init__(self, log: ExecutionLog, registered: Mapping[str, Registered], settings: Settings) -> None:
        self.log = log
        self.put = log.put
        self.clock = settings.clock
        self.random = settings.random
        self.seed = b""
        self.max_bytes = settings.max_bytes
        self.pump = Pump()
        self.closing = False
        self.heard = 0
        self.broken: Exception | None = None
        """Why nothing is recorded any more, if that is so."""
        self.executions: dict[str, Execution] = {}
        self._registered = registered
        self.names = tuple(registered)
        """The recorded names of the flows it can run."""
        self._news_told = False
        self._hear_at = 0.0
        """When news are heard at the earliest, by the loop's time."""
        self._settings = settings
        self.loop = asyncio.get_running_loop()
        self._bodies = Bodies(self.loop, settings.threads)
        self._commits = Commits(log.put, self)
        self.ask = self._commits.ask
        self.is_durable = self._commits.is_durable
        self.is_sent_to = self._commits.is_sent_to
        self.when_durable = self._commits.when_durable
        self._callers: dict[str, list[asyncio.Future[FlowRow]]] = {}
        self._unregistered: set[str] = set()
        self.schedule = Schedule(self, settings)

    def open(self) -> None:
        """Open the log and begin recovery."""
        self.log.open(self._commits.committed, self._news)
        try:
            self.seed = self.log.seed
            self.heard = self.log.last_signal()
            self.schedule.recover()
        except BaseException:
            self.log.close()
            raise

    async def close(self) -> None:
        """Stop cleanly: no flow goes on, bodies get their grace, what they did is recorded (G14)."""
        self.closing = True
        self._commits.close()
        self.schedule.stop()
        for call in self._bodies.withdraw():
            call.state = State.STARTING
        if self._bodies.count:
            logger.info(
                "the engine closes: %d step bodies have %.1f s to end", self._bodies.count, self._settings.closing_grace
            )
        try:
            left = await self._bodies.close(self._settings.closing_grace)
            if left:
                logger.warning(
                    "%d step bodies had not ended %.1f s after the engine was told to close; their steps stay PENDING",
                    left,
                    self._settings.closing_grace,
                )
        finally:
            await self._let_go()  # or the log would stay taken when an impatient caller cancels the wait

    async def _let_go(self) -> None:
        for execution in self.executions.values():
            execution.attempts.take_back()
        try:
            await asyncio.to_thread(self.log.close)
        finally:
            self._commits.settle()
            self._drop_executions()
            self.pump.close()
            closed = EngineClosed("the engine was closed; the flow goes on when an engine opens its log again")
            self._fail_callers(closed)
            self._commits.fail_questions(closed)

    # -- other engines ------------------------------------------------------------------------------------------------

    def _news(self) -> None:
        """Another engine may have recorded something that matters here; on any thread."""
        if not self._news_told:
            self._news_told = True
            try:
                self.loop.call_soon_threadsafe(self._hear_news)
            except RuntimeError:
                return  # the loop is closed

    def _hear_news(self) -> None:
        self._news_told = False
        if self.closing or self.broken is not None:
            return
        begun = self.loop.time()
        if begun < self._hear_at:
            self._news_told = True
            self.loop.call_at(self._hear_at, self._hear_news)
            return
        try:
            self._hear_signals()
            self._hear_ends()
        except LogUnavailable as problem:
            logger.warning("what other engines did is heard of later, for now the log cannot be read: %s", problem)
        took = self.loop.time() - begun
        if took > _LONG_HEARING:
            self._hear_at = begun + 10 * took  # thousands wait for flows that others run
        self.schedule.look()

    def _hear_signals(self) -> None:
        last = self.log.last_signal()
        if last == self.heard:
            return
        signals = self.log.signals_from_others(self.heard, last)
        self.heard = last
        for signal in signals:
            execution = self.executions.get(signal.flow_id)
            if execution is not None:
                try:
                    execution.mailbox.heard_of(signal)
                except Exception:
                    logger.exception("flow %s did not take a signal; others go on", signal.flow_id)

    def _hear_ends(self) -> None:
        elsewhere = [flow_id for flow_id in self._callers if flow_id not in self.executions]
        if elsewhere:
            for flow in self.log.ended(elsewhere):
                if self.schedule.has_new_code(flow):
                    self.schedule.request(flow, parked=True)
                else:
                    self.tell_callers(flow)

    # -- the log ------------------------------------------------------------------------------------------------------

    def refused(self, flow_id: str, error: Exception) -> None:
        """The log refused a row of a flow (`Hearer`)."""
        execution = self.executions.pop(flow_id, None)
        if execution is not None:
            self._bodies.stop_all_of(execution)
            execution.discard()
            if not self.closing:
                self.log.put(Readmit(flow_id))
                if not isinstance(error, ClaimLost):
                    # Whoever asks for the flow again has it tried again; by itself it would come to the same.
                    self.schedule.leave_alone(flow_id)
                    self.log.put(Release(flow_id, execution.record.flow.claims))
                    self.log.put(Readmit(flow_id))  # if it was not to be released, because it waited
        if isinstance(error, ClaimLost):
            # It waited here, and another engine was faster to go on with it. Who waits for its end hears of it.
            logger.debug("%s", error)
            self.schedule.admitted(flow_id)
            self._news()
            return
        logger.error("flow %s stops: %s", flow_id, error)
        for caller in self._callers.pop(flow_id, ()):
            fail(caller, error)

    def fenced(self, engine: int) -> None:
        """Every claim was lost: others go on with the flows, from what is recorded (`Hearer`, G11)."""
        self._drop_executions()
        if not self.closing:
            self.log.put(Rejoin(engine))
            self.schedule.drop_all()
            self._news()  # some of them may have ended elsewhere

    def log_ended(self, error: Exception) -> None:
        """Nothing will be recorded any more (`Hearer`)."""
        self.broken = error
        self._drop_executions()
        self._commits.close()
        self._commits.fail_questions(error)
        self._fail_callers(error)

    def _drop_executions(self) -> None:
        for execution in list(self.executions.values()):
            self._bodies.stop_all_of(execution)
            try:
                execution.discard()
            except Exception:
                logger.exception("flow %s did not leave memory cleanly; its log is as it was", execution.flow_id)
        self.executions.clear()

    def _fail_callers(self, error: Exception) -> None:
        for callers in self._callers.values():
            for caller in callers:
                fail(caller, error)

    def signal_settled(self, flow_id: str) -> None:
        """A signal is on its way to this flow no more (`Hearer`)."""
        execution = self.executions.get(flow_id)
        if execution is not None:
            execution.settle()  # it may be said to wait again

    # -- executions ---------------------------------------------------------------------------------------------------

    def registered(self, flow: FlowRow) -> Registered:
        """What runs a flow.

        Raises:
            FlowNotRegistered: This engine has no such flow.
        """
        found = self._registered.get(flow.name)
        if found is None:
            raise FlowNotRegistered(
                flow.flow_id,
                f"flow {flow.flow_id} is {flow.name}, which none of the flow classes given to this engine has: "
                f"give its proxy to Engine(flows=[...]). The flow is left as it is",
            )
        return found

    def warn_of_unregistered(self, now: int) -> None:
        """Say once of each name that flows of it are there to be run, but nothing here that could run them."""
        while found := self.log.available(now, (*self.names, *self._unregistered), other=True, limit=1):
            name = found[0].name
            self._unregistered.add(name)
            logger.warning("flows of %s are left alone: none of the flow classes given to this engine has it", name)

    def digest_of(self, flow: FlowRow) -> str | None:
        """The digest of the code that would run a flow."""
        found = self._registered.get(flow.name)
        return None if found is None else found.flow_class.digest

    def can_run(self, flow: FlowRow) -> bool:
        """Whether there is a body here of the version that a flow was started on."""
        found = self._registered.get(flow.name)
        return found is not None and found.body_of(flow) is not None

    def begin(self, flow: FlowRow, heard: int) -> None:
        """Run a flow that was just recorded, unless it was found on record and run before this was heard.

        Args:
            flow: Its row.
            heard: The last signal that was heard of when it was put on record: later ones may be for it, and were heard
                of when it was not in memory.
        """
        if flow.flow_id in self.executions:
            return
        found = self.registered(flow)
        unread = self.log.unread_signals(flow.flow_id) if self.heard != heard else ()
        self._run(Execution(self, flow, found.flow_class, found.method, found.proxy, unread=unread))

    def load(self, flow: FlowRow, *, recovering: bool = False) -> None:
        """Bring a flow that was claimed back from the log and let it go on; nothing if it is in memory already.

        Args:
            flow: Its row, claimed.
            recovering: Whether a crash interrupted it.
        """
        if flow.flow_id in self.executions or self.closing:
            return
        found = self.registered(flow)
        body = found.body_of(flow)
        if body is None:
            self._park(flow, found, found.body_is_missing(flow), digest=found.flow_class.digest)
            return
        if recovering and flow.recoveries >= self._settings.max_recoveries:
            problem = RecoveryLimit(
                f"flow {flow.flow_id} was recovered {flow.recoveries} times and its process ended each time before "
                f"it made a new record; look at its last step, then let it go on with `resume()`"
            )
            self._park(flow, found, problem, digest=None)
            return
        try:
            history = History(flow.flow_id, self.read(flow.flow_id))
            taken = self._taken(flow.flow_id, history)
            unread = self.log.unread_signals(flow.flow_id)
        except CorruptRow as problem:
            self._park(flow, found, problem, digest=found.flow_class.digest)
            return
        level = logging.INFO if recovering else logging.DEBUG
        logger.log(
            level, "flow %s (%s) is brought back, with %d calls on record", flow.flow_id, flow.name, len(history)
        )
        self._run(
            Execution(
                self, flow, found.flow_class, body, found.proxy,
                history=history, unread=unread, taken=taken, recovering=recovering,
            )
        )  # fmt: skip

    def read(self, flow_id: str) -> list[InvocationRow]:
        """Every invocation of a flow that is in force."""
        rows: list[InvocationRow] = []
        while True:
            page = self.log.invocations(flow_id, after=rows[-1].step if rows else 0, limit=_PAGE)
            rows.extend(page)
            if len(page) < _PAGE:
                return rows

    def _taken(self, flow_id: str, history: History) -> dict[int, SignalRow]:
        if not history.has_open(Kind.SIGNAL, Status.PENDING):
            return {}
        taken = self.log.taken_signals(flow_id)
        return {signal.taken_by: signal for signal in taken if signal.taken_by is not None}

    def _park(self, flow: FlowRow, found: Registered, problem: PersistasaurusError, *, digest: str | None) -> None:
        log_parked(flow, problem)
        text = encode_failed_flow(found.flow_class.failures, problem, FailurePoint())
        parked = msgspec.structs.replace(
            flow, status=FlowStatus.PARKED, due=None, digest=digest, return_value=text, ended_at=None
        )
        self.when_durable(self.log.put(change_of(parked)), _Parked(self, parked))

    def _run(self, execution: Execution) -> None:
        self.executions[execution.flow_id] = execution
        execution.begin()

    def signal_stored(self, signal: SignalRow, flow: FlowRow) -> None:
        """A signal is on record for a flow."""
        execution = self.executions.get(signal.flow_id)
        if execution is not None:
            execution.mailbox.arrived(signal)
        elif flow.status is FlowStatus.WAITING:
            self.schedule.look()

    # -- what executions ask for (`Host`) -----------------------------------------------------------------------------

    def call_at(self, when: int, then: Callable[[], None]) -> Alarm:
        """Call later, not before the time."""
        return self.clock.call_at(when, then, self.loop)

    def start_body(self, call: OpenCall) -> None:
        """Have a body run."""
        self._bodies.start(call)

    def stop_body(self, call: OpenCall) -> None:
        """Ask a body to stop."""
        self._bodies.stop(call)

    def quiescent(self, execution: Execution) -> None:
        """The flow only waits."""
        self.schedule.quiescent(execution)

    def progressed(self, execution: Execution) -> None:
        """The flow has made a new record."""
        self.schedule.admitted(execution.flow_id)

    def ended(self, execution: Execution) -> None:
        """The flow has ended or was parked, and that is durable."""
        if self.executions.get(execution.flow_id) is not execution:
            return  # the log had refused something of it
        del self.executions[execution.flow_id]
        self.schedule.admitted(execution.flow_id)
        self.tell_callers(execution.record.flow)

    # -- callers ------------------------------------------------------------------------------------------------------

    async def outcome(self, flow_id: str) -> FlowRow:
        """Wait until a flow in memory or on its way there has ended or was parked; returns its row."""
        caller: asyncio.Future[FlowRow] = self.loop.create_future()
        callers = self._callers.setdefault(flow_id, [])
        callers.append(caller)
        try:
            return await caller
        finally:
            if caller in callers:
                callers.remove(caller)
            if not callers and self._callers.get(flow_id) is callers:
                del self._callers[flow_id]

    def tell_callers(self, flow: FlowRow) -> None:
        """The flow has ended or was parked; `flow` is its row."""
        for caller in self._callers.pop(flow.flow_id, ()):
            if not caller.done():
                caller.set_result(flow)


class _Parked:
    """Waits for a flow that was parked without running to be so durably."""

    __slots__ = ("_flow", "_runner")

    def __init__(self, runner: Runner, flow: FlowRow) -> None:
        self._runner = runner
        self._flow = flow

    def durable(self) -> None:
        self._runner.tell_callers(self._flow)


_PAGE = 1000
_LONG_HEARING = 0.002
"""Seconds on the event loop."""
