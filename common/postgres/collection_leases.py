"""Leases on what folios owe: read behind the folio's lock, and one a folio by constraint.

A lease goes with its payment: `payment_intents` takes it away when that is no longer under way.
"""

from collections.abc import Sequence
from typing import Final

from common.domain.collection_lease import Lease
from common.domain.folio import Folio
from common.domain.identifiers import FolioId, PaymentIntentId
from common.domain.money import Currency, Money
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.folios import TAKE, Folios
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk

COLUMNS: Final = "folio_id, intent_id, amount_micro, currency, taken_at, expires_at"
OF_FOLIO: Final = f"SELECT tenant_id, {COLUMNS} FROM collection_leases WHERE folio_id = $1"
BESIDE: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM collection_leases
WHERE folio_id = (SELECT folio_id FROM payment_intents WHERE id = $1)
"""
FORGET: Final = "DELETE FROM collection_leases WHERE folio_id = $1 AND expires_at <= $2"
INSERT_LEASE = Insert.into(ranks.DOCUMENT_PARTS, "collection_leases", COLUMNS)


class CollectionLeases:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def take_folio(self, folio_id: FolioId) -> tuple[Folio, Lease | None]:
        folios, leases = self._desk.batch(
            Statement(TAKE, (folio_id,)), Statement(OF_FOLIO, (folio_id,))
        )
        return Folios(self._desk).known(folios), lease_of(leases)

    def foresee(self, folio_id: FolioId) -> None:
        self._desk.foresee(OF_FOLIO, folio_id)

    def find(self, folio_id: FolioId) -> Lease | None:
        return lease_of(self._desk.rows(OF_FOLIO, folio_id))

    def keep(self, lease: Lease) -> None:
        over = Statement(FORGET, (lease.folio_id, self._desk.now))
        self._desk.write(("lease over", lease.folio_id), Write(ranks.AGGREGATE_CHANGES, over))
        row = {
            "folio_id": lease.folio_id,
            "intent_id": lease.intent_id,
            "amount_micro": lease.worth.amount_micro,
            "currency": lease.worth.currency,
            "taken_at": lease.taken_at,
            "expires_at": lease.expires_at,
        }
        self._desk.insert(INSERT_LEASE, [row])


def lease_of(rows: Sequence[Row]) -> Lease | None:
    """The lease that was read, if the folio has one."""
    if not rows:
        return None
    _, folio_id, intent_id, amount_micro, currency, taken_at, expires_at = rows[0]
    return Lease(
        folio_id=FolioId(folio_id),
        intent_id=PaymentIntentId(intent_id),
        worth=Money(amount_micro, Currency(currency)),
        taken_at=taken_at,
        expires_at=expires_at,
    )
