"""A drainer as a process of its own, with its standard output for a broker.

    python -m tests.jobs.piping_drainer <messages>

It drains once and ends with the job's exit code; after so many messages (0: never) it stands still
in the middle of a batch, until it is killed.
"""

import os
import signal
import sys
import threading
from collections.abc import Sequence

from common.ports.publishing import Message
from common.runtime.declaration import declaration_of
from common.runtime.job import Orders
from common.wiring import edge
from jobs.drain_outbox import drain_outbox


class Pipe:
    """Each message is a line, written at once: what was written is with the reader."""

    def __init__(self, messages_max: int) -> None:
        self._left = messages_max or -1

    def publish(self, messages: Sequence[Message]) -> Sequence[str | None]:
        for message in messages:
            if self._left == 0:
                threading.Event().wait()
            sequence = message.attributes["ce-sequence"]
            line = f"{message.ordering_key} {sequence} {message.event_id}\n"
            os.write(sys.stdout.fileno(), line.encode())
            self._left -= 1
        return [None] * len(messages)


def main() -> int:
    wiring = edge()
    wiring.__dict__["publisher"] = Pipe(int(sys.argv[1]))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    once = len(sys.argv) < 3
    progress = wiring.job_shell.run(
        declaration_of(drain_outbox),  # type: ignore[arg-type] # a job's declaration
        Orders(once=once),
        stop=stop,
        tell=lambda _: None,
    )
    wiring.close()
    return progress.exit_code


if __name__ == "__main__":
    sys.exit(main())
