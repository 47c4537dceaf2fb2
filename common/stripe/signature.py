"""Whether a webhook was signed by the processor, within what we bound before its library looks.

The processor's own library compares HMACs in constant time, and nothing else is left to it: it
takes a time that lies in the future, parses a header of any length and breaks on a body that is not
text. So a header has one time and at most eight signatures in the one form that they have, the body
is UTF-8, and the time is held against the service's clock, both ways (WH-1). While a secret is
being changed there are two, and either will do.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

TOLERANCE_SECONDS: Final = 300
HEADER_LENGTH_MAX: Final = 1024
SIGNATURES_MAX: Final = 8
_TIME: Final = re.compile(r"t=([0-9]{1,12})", re.ASCII)
_SIGNATURE: Final = re.compile(r"v1=[0-9a-f]{64}", re.ASCII)
_OTHER_SCHEME: Final = re.compile(r"v[02-9]=[0-9a-zA-Z]{1,128}", re.ASCII)


class SignatureCheck:
    """Checks headers against the secrets in use. Without a secret nothing is believed."""

    def __init__(self, secrets: Sequence[str], now: Callable[[], datetime]) -> None:
        self._secrets = tuple(secret for secret in secrets if secret.strip())
        self._now = now

    def __call__(self, content: bytes, header: str | None) -> bool:
        """Whether one of the header's signatures is that of these bytes, and is fresh."""
        signed_at = _signed_at(header)
        if header is None or signed_at is None:
            return False
        if abs(self._now().timestamp() - signed_at) > TOLERANCE_SECONDS:
            return False
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return False
        return any(_is_signed(text, header, secret) for secret in self._secrets)


def _signed_at(header: str | None) -> int | None:
    """The header's time; None for a header that does not have the form."""
    if header is None or len(header) > HEADER_LENGTH_MAX:
        return None
    parts = header.split(",")
    times = [found for part in parts if (found := _TIME.fullmatch(part))]
    signatures = [part for part in parts if _SIGNATURE.fullmatch(part)]
    others = [part for part in parts if _OTHER_SCHEME.fullmatch(part)]
    if len(times) != 1 or not 1 <= len(signatures) <= SIGNATURES_MAX:
        return None
    if len(times) + len(signatures) + len(others) != len(parts):
        return None
    return int(times[0][1])


def _is_signed(text: str, header: str, secret: str) -> bool:
    from stripe import SignatureVerificationError, WebhookSignature

    try:
        WebhookSignature.verify_header(text, header, secret, tolerance=None)
    except SignatureVerificationError:
        return False
    return True
