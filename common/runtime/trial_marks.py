"""Marks of who has had a trial, under the keys of the platform (SUB-10).

A mark is an HMAC-SHA-256 under a key for its kind, which is one under the service's: a device that
is called as somebody's account is marked otherwise. They are the platform's keys and no tenant's,
as the same person is to be known again at another hotel. Without a key nobody can try addresses
out. Each key has a number (`2:...`; the first may go without), and is told from another one of that
number by what it makes of it.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

from common.domain.customer import EmailInvalid
from common.domain.trial import Traces, mailbox_of
from common.domain.trial_keys import Marks, TrialKey

_NUMBERED: Final = re.compile(r"(?:(?P<number>[1-9][0-9]{0,3}):)?(?P<key>[^\s:]{32,})")


class TrialKeysUnreadable(Exception):
    """There is no key, two have one number, or one could be guessed; no key is told."""


class KeyedMarks:
    """See the module. Raises TrialKeysUnreadable."""

    def __init__(self, keys: Sequence[str]) -> None:
        given = [_NUMBERED.fullmatch(each) for each in keys]
        known = {int(each["number"] or 1): each["key"].encode() for each in given if each}
        if not known or len(known) != len(keys):
            raise TrialKeysUnreadable("keys of trials are 2:...,1:..., of 32 characters at least")
        self._keys = dict(sorted(known.items()))

    def of(self, traces: Traces) -> tuple[Marks, ...]:
        """The marks of traces under each key, the oldest first. Refuses: EmailInvalid."""
        mailbox = mailbox_of(_valid(traces.email))
        return tuple(
            Marks(
                key=TrialKey(version=version, proof=_mark(key, "key", str(version))),
                account=_mark(key, "account", traces.account),
                email=_mark(key, "email", mailbox),
                device=_mark(key, "device", traces.device),
                card=None if traces.card is None else _mark(key, "card", traces.card),
            )
            for version, key in self._keys.items()
        )


def _mark(key: bytes, kind: str, value: str) -> bytes:
    of_kind = hmac.digest(key, kind.encode(), hashlib.sha256)
    return hmac.digest(of_kind, value.encode(), hashlib.sha256)


def _valid(address: str) -> str:
    """The address in the form that RFC 5321 and 6531 give it: composed (NFC), its domain in its
    own letters."""
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(address, check_deliverability=False).normalized
    except EmailNotValidError:
        raise EmailInvalid() from None
