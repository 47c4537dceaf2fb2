"""A document handed to the notification service, and the addresses that it is to go to (EVT-2).

An address is personal, and is needed until the message has left. So it stands in one place, beside
what must be kept for years, and is referred to from everywhere else: the event, the audit entry and
the stored answer name the sending, say how many addresses it has, and bind them by a salted hash.
An event goes to whoever listens and stays in queues and dead letters; the audit trail can never be
rewritten; erasing an address there would mean to break either. Where the address is erased, with
its salt, the trail still proves what was sent, when, by whom, and nothing tells to whom.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from common.domain.canonical import canonical
from common.domain.dataclass import dataclass
from common.domain.identifiers import DocumentId, SendingId
from common.domain.moment import Moment
from common.domain.refusal import Missing

RECIPIENTS_MAX: Final = 10


class SendingUnknown(Missing):
    code = "SENDING_UNKNOWN"
    title = "There is no such sending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    """Whom a document goes to; salt and addresses can be erased together."""

    salt: bytes
    addresses: tuple[str, ...]

    @classmethod
    def of(cls, addresses: Sequence[str], moment: Moment) -> "Recipients":
        """The addresses under a salt of their own."""
        return cls(salt=moment.new_salt(), addresses=tuple(addresses))

    @property
    def commitment(self) -> bytes:
        """SHA-256 over salt and canonical list: binds without telling."""
        return hashlib.sha256(self.salt + canonical(list(self.addresses))).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A copy of a document on its way. `language` is that of the message; the copy has its own.

    `recipients` is None once they are erased, and where they were not asked for.
    """

    id: SendingId
    document_id: DocumentId
    copy: int
    language: str
    recipient_count: int
    recipients_sha256: bytes
    sent_by: str
    sent_at: datetime
    recipients: Recipients | None = None
