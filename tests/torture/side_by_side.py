"""Writes the statements of a flow that run several things at once: groups, limits, queues, locks and the like."""

from __future__ import annotations

from .grammar import Node
from .methods import Method
from .statements import Statements


class SideBySide(Statements):
    """Writes every statement there is."""

    def _parallel(self, node: Node, target: str, number: int) -> None:
        with self.block(f"with parallel() as branches_{number}:"):
            starts = []
            for each in node.children:
                if each.kind == "step":
                    starts.append(f"branches_{number}.start(self.{Method.of(each).name}, {self._arguments(each)})")
                else:
                    starts.append(f"branches_{number}.start({self._function(each)})")
            self.line(f"started_{number} = [{', '.join(starts)}]")
            if node["early"] and starts:
                self.line(f'note(seen, f"first branch gave {{started_{number}[0].result()!r}}")')
        self.line(f"{target} = [branch.result() for branch in started_{number}]")
        self._seen("parallel", target)

    def _gather(self, node: Node, target: str, number: int) -> None:
        branches = [self._coroutine(each) for each in node.children]
        options = [f"return_exceptions={node['keeps']}"] if node["keeps"] else []
        name = "shown" if node["named"] else "settled"
        self.line(f"{target} = {name}(await asyncio.gather({', '.join([*branches, *options])}))")
        self._seen("gather", target)

    def _group(self, node: Node, target: str, number: int) -> None:
        with self.block(f"async with asyncio.TaskGroup() as group_{number}:"):
            self.line(f"tasks_{number} = [{self._tasks(node.children, f'group_{number}.create_task')}]")
        self.line(f"{target} = [task.result() for task in tasks_{number}]")
        self._seen("group", target)

    def _wait(self, node: Node, target: str, number: int) -> None:
        tasks = f"tasks_{number}"
        self.line(f"{tasks} = [{self._tasks(node.children)}]")
        options = f"timeout={node['seconds']}, return_when=asyncio.{node['until']}"
        self.line(f"done_{number}, pending_{number} = await asyncio.wait({tasks}, {options})")
        self.line(f'note(seen, f"done {{[{tasks}.index(task) for task in done_{number}]}}")')
        if not node["keeps"]:
            with self.block(f"for task in pending_{number}:"):
                self.line("task.cancel()")
        name = "shown" if node["named"] else "settled"
        self.line(f"{target} = {name}(await asyncio.gather(*{tasks}, return_exceptions=True))")
        self._seen("wait", target)

    def _limit(self, node: Node, target: str, number: int) -> None:
        seconds, how = node["seconds"], node["how"]
        inner = node.children[0]
        if how == "shield":
            self.line(f"task_{number} = {self._tasks([inner])}")
        elif how == "wait_for":
            awaited = self._coroutine(inner)
        with self.block("try:"):
            if how == "wait_for":
                self.line(f"{target} = await asyncio.wait_for({awaited}, {seconds})")
            else:
                limit = f"timeout({seconds})"
                if how == "timeout_at":
                    limit = f"timeout_at(asyncio.get_running_loop().time() + {seconds})"
                with self.block(f"async with asyncio.{limit}:"):
                    value = f"await asyncio.shield(task_{number})" if how == "shield" else self.statement(inner)
                    self.line(f"{target} = {value}")
        with self.block("except TimeoutError:"):
            self.line(f"{target} = " + (f"await task_{number}" if how == "shield" else '"too late"'))
        self._seen(str(how), target)

    def _cancel(self, node: Node, target: str, number: int) -> None:
        self.line(f"task_{number} = {self._tasks(node.children[:1])}")
        self.line(f"{target} = {self.statement(node.children[1])}")
        self.line(f"task_{number}.cancel()")
        with self.block("try:"):
            self.line(f"{target} = [{target}, await task_{number}]")
        with self.block("except asyncio.CancelledError:"):
            self.line(f'{target} = [{target}, "cancelled"]')
        self._seen("cancel", target)

    def _background(self, node: Node, target: str, number: int) -> None:
        self.line(f"task_{number} = {self._tasks(node.children[:1])}")
        self.line(f"task_{number}.add_done_callback(lambda task: task.cancelled() or task.exception())")
        self.line(f"{target} = {self.statement(node.children[1])}")

    def _queue(self, node: Node, target: str, number: int) -> None:
        functions = [self._function(each) for each in node.children]
        queue, values = f"queue_{number}", f"values_{number}"
        self.line(f"{queue}: asyncio.Queue[Callable[[], Awaitable[Json]] | None] = asyncio.Queue(maxsize=2)")
        self.line(f"{values}: list[Json] = []")
        self.line("")
        with (
            self.block(f"async def consume_{number}() -> None:"),
            self.block(f"while (job := await {queue}.get()) is not None:"),
        ):
            self.line(f"{values}.append(await job())")
        self.line("")
        with self.block(f"async with asyncio.TaskGroup() as group_{number}:"):
            with self.block(f"for _ in range({node['consumers']}):"):
                self.line(f"group_{number}.create_task(consume_{number}())")
            for each in functions:
                self.line(f"await {queue}.put({each})")
            with self.block(f"for _ in range({node['consumers']}):"):
                self.line(f"await {queue}.put(None)")
        self._collected(node, target, values)

    def _collected(self, node: Node, target: str, values: str) -> None:
        self.line(f"{target} = {values}" if node["ordered"] else f"{target} = sorted({values}, key=str)")
        self._seen(node.kind, target)

    def _lock(self, node: Node, target: str, number: int) -> None:
        functions = [self._function(each) for each in node.children]
        lock = "asyncio.Lock()" if node["width"] == 1 else f"asyncio.Semaphore({node['width']})"
        self.line(f"lock_{number} = {lock}")
        self.line(f"values_{number}: list[Json] = []")
        self.line("")
        with (
            self.block(f"async def locked_{number}(job: Callable[[], Awaitable[Json]]) -> None:"),
            self.block(f"async with lock_{number}:"),
        ):
            self.line(f"values_{number}.append(await job())")
        self.line("")
        self.line(f"await asyncio.gather({', '.join(f'locked_{number}({each})' for each in functions)})")
        self._collected(node, target, f"values_{number}")

    def _event(self, node: Node, target: str, number: int) -> None:
        functions = [self._function(each) for each in node.children[1:]]
        self.line(f"event_{number} = asyncio.Event()")
        self.line("")
        with self.block(f"async def behind_{number}(job: Callable[[], Awaitable[Json]]) -> Json:"):
            self.line(f"await event_{number}.wait()")
            self.line("return await job()")
        self.line("")
        tasks = ", ".join(f"asyncio.create_task(behind_{number}({each}))" for each in functions)
        self.line(f"tasks_{number} = [{tasks}]")
        with self.block("try:"):
            self.statement(node.children[0])
        with self.block("finally:"):
            self.line(f"event_{number}.set()")
        self.line(f"{target} = list(await asyncio.gather(*tasks_{number}))")
        self._seen("event", target)

    def _barrier(self, node: Node, target: str, number: int) -> None:
        functions = [self._function(each) for each in node.children]
        self.line(f"barrier_{number} = asyncio.Barrier({max(len(functions), 1)})")
        self.line("")
        with self.block(f"async def meet_{number}(job: Callable[[], Awaitable[Json]]) -> Json:"):
            self.line("value = await job()")
            self.line(f"await barrier_{number}.wait()")
            self.line("return value")
        self.line("")
        self.line(f"{target} = list(await asyncio.gather({', '.join(f'meet_{number}({each})' for each in functions)}))")
        self._seen("barrier", target)

    def _generator(self, node: Node, target: str, number: int) -> None:
        with self.block(f"async def generate_{number}() -> AsyncGenerator[Json, None]:"):
            with self.block("try:"):
                for each in node.children:
                    self.line(f"yield {self.statement(each)}")
            with self.block("finally:"):
                self.line(f'note(seen, "generator {number} ends")')
        self.line("")
        self.line(f"values_{number}: list[Json] = []")
        with self.block(f"async for value in generate_{number}():"):
            self.line(f"values_{number}.append(value)")
            with self.block(f"if len(values_{number}) > {node['stop_after']}:"):
                self.line("break")
        self.line(f"{target} = values_{number}")

    def _completed(self, node: Node, target: str, number: int) -> None:
        self.line(f"tasks_{number} = [{self._tasks(node.children)}]")
        self.line(f"values_{number} = [await each for each in asyncio.as_completed(tasks_{number})]")
        self._collected(node, target, f"values_{number}")
