"""Marks of who has had a trial, under a key of the platform (SUB-10).

A mark is an HMAC-SHA-256 under a key for its kind, which is one under the service's: a device that
is called as somebody's account is marked otherwise. It is the platform's key and no tenant's, as
the same person is to be known again at another hotel. Without the key nobody can try addresses out.
"""

import hashlib
import hmac

from common.domain.customer import EmailInvalid
from common.domain.trial import Marks, Traces, mailbox_of


class KeyedMarks:
    """See the module."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, traces: Traces) -> Marks:
        """The marks of traces. Refuses: EmailInvalid."""
        return Marks(
            account=self._mark("account", traces.account),
            email=self._mark("email", mailbox_of(_valid(traces.email))),
            device=self._mark("device", traces.device),
            card=None if traces.card is None else self._mark("card", traces.card),
        )

    def _mark(self, kind: str, value: str) -> bytes:
        of_kind = hmac.digest(self._key, kind.encode(), hashlib.sha256)
        return hmac.digest(of_kind, value.encode(), hashlib.sha256)


def _valid(address: str) -> str:
    """The address in the form that RFC 5321 and 6531 give it: composed (NFC), its domain in its
    own letters."""
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(address, check_deliverability=False).normalized
    except EmailNotValidError:
        raise EmailInvalid() from None
