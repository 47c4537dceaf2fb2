"""Things that happen at once: real threads, started at one barrier, and no waiting by the clock."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

PATIENCE_SECONDS = 30
T = TypeVar("T")


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make all calls at the same moment, each in a thread; what they answer, in their order."""
    start = threading.Barrier(len(calls))
    answers: list[Any] = [None] * len(calls)
    troubles: list[BaseException] = []

    def run(place: int, call: Callable[[], T]) -> None:
        try:
            start.wait(PATIENCE_SECONDS)
            answers[place] = call()
        except BaseException as trouble:  # noqa: BLE001 - raised again in the test's own thread
            troubles.append(trouble)

    threads = [threading.Thread(target=run, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if troubles:
        raise troubles[0]
    return answers


@contextmanager
def meanwhile(call: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """Make a call in a thread while the block runs; afterwards, what it answered."""
    answers: list[T] = []
    thread = threading.Thread(target=lambda: answers.append(call()))
    thread.start()
    try:
        yield lambda: answers[0]
    finally:
        thread.join()


def until(happened: Callable[[], bool]) -> None:
    """Look again and again until something has happened, within bounds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
