"""How Google's keepers of keys and secrets are asked: again, for a while, until an answer is whole.

Whatever travels is checked by its CRC32C, as these services ask of their clients: what was garbled
on the way would be a signature under something else, or a secret that refuses everybody.

Each call, and each that is made again, is a span of the work that it is made for (OPS-4). It says
who was asked what, and never with which names or contents.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final

import google_crc32c
from google.api_core.exceptions import ClientError, DeadlineExceeded, ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type

from common.ports.telemetry import CALLS, measure, step

CALL_SECONDS: Final = 5


class AnswerGarbled(Exception):
    """What arrived, at either end, is not what was sent."""


RETRY: Final = Retry(
    if_exception_type(AnswerGarbled, DeadlineExceeded, ServiceUnavailable),
    initial=0.05,
    maximum=1.0,
    multiplier=2.0,
    timeout=15.0,
)


@contextmanager
def asking(peer: str, what: str) -> Iterator[None]:
    """Watch one call. A refusal is an answer; whatever else is raised is none."""
    started, outcome = perf_counter(), "failed"
    with step(f"{peer} {what}", "client") as noted:
        try:
            yield
            outcome = "answered"
        except ClientError:
            outcome = "refused"
            raise
        finally:
            about = {"billing.peer": peer, "billing.operation": what, "billing.outcome": outcome}
            noted.attributes |= about
            measure(CALLS, perf_counter() - started, about)


def unharmed(content: bytes, crc32c: int) -> bytes:
    """What arrived, if it is what was sent. Raises AnswerGarbled."""
    if google_crc32c.value(content) != crc32c:
        raise AnswerGarbled("a checksum does not fit")
    return content
