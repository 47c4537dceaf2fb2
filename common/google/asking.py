"""How Google's keepers of keys and secrets are asked: again, for a while, until an answer is whole.

Whatever travels is checked by its CRC32C, as these services ask of their clients: what was garbled
on the way would be a signature under something else, or a secret that refuses everybody.
"""

from typing import Final

import google_crc32c
from google.api_core.exceptions import DeadlineExceeded, ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type

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


def unharmed(content: bytes, crc32c: int) -> bytes:
    """What arrived, if it is what was sent. Raises AnswerGarbled."""
    if google_crc32c.value(content) != crc32c:
        raise AnswerGarbled("a checksum does not fit")
    return content
