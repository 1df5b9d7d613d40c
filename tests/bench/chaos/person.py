"""A bot that takes whole sessions as impatient people do: drafts, chats, reloads, two tabs, plain forms, and late."""

import asyncio
import random
import time
import uuid
from collections.abc import Callable

from studies.management.bots.page import Form, Page
from tests.bench.chaos.browser import Browser, Unknown
from tests.bench.chaos.diary import Diary
from tests.bench.chaos.tab import OVER, Store, Tab

SCALE = (0.25, 0.42, 0.6, 0.8, 1.0)
STEPS = ("begin", "check", "open", "finish", "survey")
GIVEN = {"check-1": "1", "check-2": "2", "item-trust": "4", "item-comments": "None."}  # right: tests/small_study.py
CUT_AFTER = 0.12  # share of the commands whose answer a broken network swallows
WORD_SECONDS = 20.0  # how long a person waits for the word on an answer before they reload


class Person:
    """One seat in the crowd: session after session until `is_closing` says that no new one is to begin."""

    def __init__(self, *, seat: int, seed: int, join: str, url: Callable[[], str], diary: Diary) -> None:
        self.seat, self.seed, self.join, self.url, self.diary = seat, seed, join, url, diary
        self.rng = random.Random(f"{seed}:{seat}")
        self.sessions = 0

    async def play(self, is_closing: Callable[[], bool]) -> None:
        await asyncio.sleep(self.rng.uniform(0, 2))
        while not is_closing():
            self.sessions += 1
            entry = f"seat{self.seat}-{self.sessions}"
            visit = Visit(self, entry)
            try:
                await visit.run()
            except asyncio.CancelledError:
                self.diary.note("stuck", entry=entry, why=f"{visit.at}: no completion code long after the last kill")
                raise
            except Exception as error:
                self.diary.note("stuck", entry=entry, why=f"{visit.at}: {error!r}")
            finally:
                await visit.close()


class Visit:
    """One session. `entry` is the id that the recruitment link carries: the same one comes back to the same session."""

    def __init__(self, person: Person, entry: str) -> None:
        self.rng, self.diary, self.entry, self.person = person.rng, person.diary, entry, person
        self.browser = Browser(url=person.url, diary=person.diary, rng=self.rng)
        self.stores = {where: Store(f"{uuid.UUID(int=self.rng.getrandbits(128))}") for where in ("laptop", "phone")}
        self.tabs: list[Tab] = []
        self.tabs_made = self.texts = 0
        self.at = "joining"

    async def close(self) -> None:
        await self.close_tabs()
        await self.browser.close()

    async def close_tabs(self) -> None:
        while self.tabs:
            await self.tabs.pop().close()

    async def run(self) -> None:
        shown = await self.enter()
        self.diary.note("joined", entry=self.entry)
        while not shown.code:
            answer = shown.form("/session/answer/")
            if answer is not None:
                await self.question(shown, answer)
                await self.close_tabs()
            else:
                await self.step(shown)
            shown = await self.browser.get("/session/")
        self.diary.note("code", entry=self.entry, code=shown.code.strip())

    async def enter(self) -> Page:
        """Open the link and agree; when the answer is lost, the same link leads to the same session."""
        path = f"{self.person.join}?entry={self.entry}"
        while True:
            shown = await self.browser.get(path)
            if shown.form("/session/begin/") or not shown.forms:
                return shown
            try:
                agreed = await self.browser.post(shown.forms[0], path, consent="yes")
            except Unknown:
                await asyncio.sleep(self.rng.uniform(0.1, 0.5))
                continue
            if agreed.is_redirect:
                return await self.browser.get(agreed.headers["Location"])
            raise RuntimeError(f"consent answered {agreed.status_code}")

    async def step(self, shown: Page) -> None:
        """Begin, check questions, the next question, finish, survey; a lost answer is found out by loading the page."""
        form = next((found for end in STEPS if (found := shown.form(f"/session/{end}/"))), None)
        if form is None:
            raise RuntimeError(f"a page without a way on: {shown.texts}")
        self.at = form.action
        await asyncio.sleep(self.rng.uniform(0, 0.5))
        try:
            await self.browser.post(form, **GIVEN)
            if self.rng.random() < 0.1:
                await self.browser.post(form, **GIVEN)  # a double click
        except Unknown:
            await asyncio.sleep(self.rng.uniform(0.1, 0.5))

    async def question(self, shown: Page, form: Form) -> None:
        position, clock = int(form.hidden["position"]), self.browser.clock()
        self.at = f"question {position}"
        self.diary.note(
            "page", entry=self.entry, position=position, deadline=clock["deadline_at"], grace=clock["grace"]
        )
        for store in self.stores.values():
            store.forget_others(position)
        deadline = None if clock["deadline_at"] is None else clock["deadline_at"] / 1000
        if self.rng.random() < 0.15:
            await self.by_form(form, position, deadline, clock["grace"] / 1000)
        else:
            await self.by_socket(position, deadline, clock["grace"] / 1000, "chat" in shown.ids)

    def choice(self) -> dict[str, object]:
        return {"option": self.rng.randrange(4), "confidence": self.rng.choice(SCALE)}

    async def by_form(self, form: Form, position: int, deadline: float | None, grace: float) -> None:
        """Answer without a socket; when nothing comes back, send the very same form again or load the page."""
        await asyncio.sleep(self.rng.uniform(0.2, 2))
        if deadline is not None and self.rng.random() < 0.4:
            await wait_until(deadline + self.rng.uniform(-0.3, grace + 1))
        own, choice = form.hidden["command_id"], self.choice()
        about = {"entry": self.entry, "position": position, "tab": "form", "writer": own, "number": 1}
        self.diary.note("make", id=own, kind="submit", **about, **choice)
        while True:
            self.diary.note("send", id=own)
            try:
                answered = await self.browser.post(form, **{key: str(value) for key, value in choice.items()})
            except Unknown:
                await asyncio.sleep(self.rng.uniform(0.1, 0.6))
                if self.rng.random() < 0.4:
                    return
                continue
            if answered.is_redirect:
                self.diary.note("ack", id=own)
            else:
                self.diary.note("refused", id=own, code=f"form {answered.status_code}")
            return

    async def by_socket(self, position: int, deadline: float | None, grace: float, is_assisted: bool) -> None:
        self.open_tab("laptop")
        if self.rng.random() < 0.3:
            self.open_tab(self.rng.choice(["laptop", "phone"]))
        for _ in range(self.rng.randint(2, 6)):
            await asyncio.sleep(self.rng.uniform(0.05, 1.2))
            if deadline is not None and time.time() >= deadline:
                break  # the page locks
            if any(tab.is_over(position) for tab in self.tabs):
                return
            if self.rng.random() < 0.06:
                self.diary.note("reload", entry=self.entry)
                return  # the page is loaded again; what waits in the outbox stays
            await self.act(position, is_assisted)
        ending = self.rng.choice(["submit", "submit", "edge", "leave", "stay"]) if deadline is not None else "submit"
        if ending == "leave":
            await self.close_tabs()  # nobody is there when the time is over
        elif ending in ("submit", "edge"):
            if deadline is not None and ending == "edge":
                await wait_until(deadline + self.rng.uniform(-0.4, grace + 1))
            await self.submit(position)
            return
        if deadline is not None:
            await wait_until(deadline + grace + self.rng.uniform(0.2, 2))

    def open_tab(self, where: str) -> None:
        self.tabs_made += 1
        name = f"{self.entry}.{where}{self.tabs_made}"
        self.tabs.append(
            Tab(
                name=name,
                entry=self.entry,
                store=self.stores[where],
                url=self.person.url,
                cookie=self.browser.cookie,
                diary=self.diary,
                seed=f"{self.person.seed}:{name}",
            )
        )

    async def act(self, position: int, is_assisted: bool) -> None:
        """One thing that a person does with an open question."""
        tab = self.rng.choice(self.tabs)
        what = self.rng.choices(["draft", "chat", "cut", "event"], [5, 6 if is_assisted else 0, 0.4, 1])[0]
        if what == "draft":
            choice = self.choice()
            if self.rng.random() < 0.2:
                choice["confidence"] = None  # the option first, the confidence not yet
            await tab.command("draft", position=position, **choice)
        elif what == "chat":
            await self.chat(tab, position)
        elif what == "cut":
            tab.cut()
        else:
            await tab.mention("event", type=self.rng.choice(["focus", "blur"]))
        if self.rng.random() < CUT_AFTER:
            await self.lose_the_answer(tab)

    async def lose_the_answer(self, tab: Tab) -> None:
        """The network goes while a command is on its way: it may have been obeyed, and goes out again."""
        await asyncio.sleep(self.rng.uniform(0, 0.03))
        tab.cut()

    async def chat(self, tab: Tab, position: int) -> None:
        """What the chat pane allows in this state (static/js/chat.js)."""
        if tab.state["chat"] is None:
            return
        last = tab.reply
        if last is not None and last["state"] not in OVER:
            if self.rng.random() < 0.4:
                if self.rng.random() < 0.3:
                    await tab.command("reset", position=position)
                else:
                    await tab.command("stop", position=position, reply=last["id"])
            return
        if last is not None and last["state"] in ("failed", "stopped") and self.rng.random() < 0.7:
            await tab.command("retry", position=position, reply=last["id"])
        elif self.rng.random() < 0.1:
            await tab.command("reset", position=position)
        elif not any(waiting["kind"] == "message" for waiting in tab.waiting.values()):
            self.texts += 1
            text = f"Which is right? ({self.entry} {self.texts} {uuid.UUID(int=self.rng.getrandbits(128))})"
            await tab.command("message", position=position, text=text)

    async def submit(self, position: int) -> None:
        tab = self.rng.choice(self.tabs)
        own = await tab.command("submit", position=position, **self.choice())
        if self.rng.random() < CUT_AFTER:
            await self.lose_the_answer(tab)
        if await tab.settled(own, WORD_SECONDS) == "":
            self.diary.note("reload", entry=self.entry)


async def wait_until(instant: float) -> None:
    await asyncio.sleep(max(0.0, instant - time.time()))
