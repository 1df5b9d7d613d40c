"""What the bots saw with their own eyes: one JSON line for each fact, in a file that no server touches.

A fact is {what, at, ...}; `at` is this machine's clock in seconds. `what` is one of

    joined {entry}                                        a person's browser holds the session's cookie
    page {entry, position, deadline, grace}               an open question was shown; in ms, as the page told them
    make {id, kind, entry, position, tab, writer, number, …}  the person did something; number counts in that browser
    send {id}                                             it is about to go out (again after each reconnect)
    ack {id} · refused {id, code}                         what the server said to it
    code {entry, code}                                    the completion code was shown
    status {status, path}                                 a page answered 500 or above
    cut {tab} · reload {entry}                            a socket broke · a page was loaded again
    down {service, how} · up {service}                    the killer's work
    ended {service, code}                                 a part went down by itself
    stuck {entry, why}                                    a person could not go on
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Fact = dict[str, Any]


class Diary:
    """Written line by line as things happen; `counts` is for the progress line, `sending` for the killer."""

    def __init__(self, path: Path) -> None:
        self.path, self.counts = path, Counter[str]()
        self.sending = asyncio.Event()
        self._file = path.open("a", buffering=1, encoding="utf-8")

    def note(self, what: str, **values: Any) -> None:
        self.counts[what] += 1
        if what == "send":
            self.sending.set()
        self._file.write(json.dumps({"what": what, "at": time.time(), **values}) + "\n")

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> Iterator[Fact]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
