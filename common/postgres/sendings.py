"""Documents that were handed over to be sent; the addresses stand beside, and can be erased."""

from collections.abc import Sequence
from typing import Any, Final

from common.domain.identifiers import DocumentId, SendingId
from common.domain.sending import Recipients, Sending, SendingUnknown
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.session import Insert
from common.postgres.stores import Desk

COLUMNS: Final = (
    "id, document_id, copy, language, recipient_count, recipients_sha256, sent_by, sent_at"
)
GET: Final = f"SELECT tenant_id, {COLUMNS} FROM sendings WHERE id = $1"
RECIPIENTS: Final = """
SELECT tenant_id, salt, addresses
FROM sending_recipients
WHERE sending_id = $1
"""
OF_DOCUMENT: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM sendings
WHERE document_id = $1
ORDER BY id DESC
LIMIT $2
"""
INSERT_SENDING = Insert.into(ranks.DOCUMENT_PARTS, "sendings", COLUMNS)
INSERT_RECIPIENTS = Insert.into(ranks.LEDGER, "sending_recipients", "sending_id, salt, addresses")
SHOWN_MAX: Final = 100


class Sendings:
    """The sendings of a tenant. Whether their documents may be seen is asked of the documents."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def get(self, sending_id: SendingId) -> Sending:
        which = (sending_id,)
        found, recipients = self._desk.batch(Statement(GET, which), Statement(RECIPIENTS, which))
        if not found:
            raise SendingUnknown()
        return _sending_of(found[0], _recipients_of(recipients))

    def of(self, document_id: DocumentId) -> Sequence[Sending]:
        rows = self._desk.rows(OF_DOCUMENT, document_id, SHOWN_MAX)
        return [_sending_of(row, None) for row in reversed(rows)]

    def keep(self, sending: Sending) -> None:
        recipients = sending.recipients
        if recipients is None:
            raise ValueError(f"{sending.id} goes to nobody")
        self._desk.insert(INSERT_SENDING, [_row(sending)])
        kept = {"sending_id": sending.id, "salt": recipients.salt}
        addresses = list(recipients.addresses)
        self._desk.insert(INSERT_RECIPIENTS, [{**kept, "addresses": addresses}])


def _row(sending: Sending) -> dict[str, Any]:
    return {
        "id": sending.id,
        "document_id": sending.document_id,
        "copy": sending.copy,
        "language": sending.language,
        "recipient_count": sending.recipient_count,
        "recipients_sha256": sending.recipients_sha256,
        "sent_by": sending.sent_by,
        "sent_at": sending.sent_at,
    }


def _sending_of(row: Row, recipients: Recipients | None) -> Sending:
    return Sending(
        id=SendingId(row[1]),
        document_id=DocumentId(row[2]),
        copy=row[3],
        language=row[4],
        recipient_count=row[5],
        recipients_sha256=bytes(row[6]),
        sent_by=row[7],
        sent_at=row[8],
        recipients=recipients,
    )


def _recipients_of(rows: Sequence[Row]) -> Recipients | None:
    """The recipients, unless they were erased."""
    if not rows or rows[0][1] is None:
        return None
    return Recipients(salt=bytes(rows[0][1]), addresses=tuple(rows[0][2]))
