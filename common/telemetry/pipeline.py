"""From the threads that work to one that tells: nobody waits for a measurement, or fails by it.

Whoever measures puts it into a queue and goes on. A thread of its own loads OpenTelemetry, which a
cold start does not pay for, and hands everything to it; its exporters have threads and time-outs of
their own. When the queue is full, measurements are dropped and counted: a flood of requests, or an
exporter that hangs, takes no memory and no time from a hotel.

An instance without a processor between requests exports while the next one is at work; what is left
when the process ends is exported then.
"""

import atexit
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Full, Queue
from typing import Any, Final, Protocol, TypeAlias

from common.ports.telemetry import COLD_STARTS, LOST, Attributes, Figure, Span

ITEMS_MAX: Final = 8_192
END_SECONDS_MAX: Final = 5.0

Measurement: TypeAlias = tuple[Figure, float, Attributes]


class Sink(Protocol):
    """Where measurements go. Called by one thread at a time."""

    def span(self, span: Span) -> None: ...
    def measurement(self, figure: Figure, value: float, attributes: Attributes) -> None: ...
    def close(self) -> None: ...


class Pipeline:
    """Implements Telemetry. `make` makes the sink, in the thread that feeds it."""

    def __init__(self, make: Callable[[], Sink], items_max: int = ITEMS_MAX) -> None:
        self._make = make
        self._queue: Queue[Span | Measurement | threading.Event] = Queue(items_max)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._lost = 0
        self._ended = False

    def ended(self, span: Span) -> None:
        """Hear of a span."""
        self._put(span)

    def measured(self, figure: Figure, value: float, attributes: Attributes) -> None:
        """Hear of a measurement."""
        self._put((figure, value, attributes))

    def flush(self, seconds: float = END_SECONDS_MAX) -> bool:
        """Wait until everything that was put in so far has reached the sink."""
        if self._thread is None:
            return True
        reached = threading.Event()
        with suppress(Full):
            self._queue.put(reached, timeout=seconds)
            return reached.wait(seconds)
        return False

    def close(self) -> None:
        """Hand over what is left and let the exporters send it; bounded in time, never raises."""
        if self._thread is None or self._ended:
            return
        self._ended = True
        self.flush()
        with suppress(Full):
            self._queue.put(_END, timeout=END_SECONDS_MAX)
            self._thread.join(END_SECONDS_MAX)

    def _put(self, item: Span | Measurement) -> None:
        if self._ended:
            return
        if self._thread is None:
            self._start()
        try:
            self._queue.put_nowait(item)
        except Full:
            self._lost += 1

    def _start(self) -> None:
        """Start the thread with the first measurement, and so in the process that serves."""
        with self._starting:
            if self._thread is not None:
                return
            self._queue.put_nowait((COLD_STARTS, 1, {}))
            thread = threading.Thread(target=self._feed, name="telemetry", daemon=True)
            thread.start()
            self._thread = thread
        atexit.register(self.close)

    def _feed(self) -> None:
        """Hand everything to the sink. One that breaks is left alone; work goes on without it."""
        sink: Any = None
        with suppress(Exception):
            sink = self._make()
        while (item := self._queue.get()) is not _END:
            if isinstance(item, threading.Event):
                item.set()
            elif sink is not None:
                with suppress(Exception):
                    self._hand(sink, item)
        if sink is not None:
            with suppress(Exception):
                sink.close()

    def _hand(self, sink: Sink, item: Span | Measurement) -> None:
        if isinstance(item, Span):
            sink.span(item)
        else:
            sink.measurement(*item)
        if self._lost:
            lost, self._lost = self._lost, 0
            sink.measurement(LOST, lost, {})


_END: Final = threading.Event()
