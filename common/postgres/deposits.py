"""What stands on folios of what was paid: read behind their locks, as whoever held them left it.

What stands is all payments, less what was given back or is promised, less what was moved to other
folios, and more by what was moved from them. No folio keeps it: it is summed when it is asked for.
"""

from collections.abc import Sequence
from typing import Final

from common.domain.cancellation import Held
from common.domain.folio import Folio
from common.domain.identifiers import FolioId, PropertyId
from common.domain.money import Money
from common.postgres.connection import Row, Statement
from common.postgres.folio_rows import FOLIO_COLUMNS, PAYMENT_COLUMNS, payment_of
from common.postgres.folios import TAKE_BOTH, Folios
from common.postgres.stays import COLUMNS as STAY_COLUMNS
from common.postgres.stays import plan_of
from common.postgres.stores import Desk

STANDS: Final = """coalesce((
  SELECT sum(amount_micro - refunded_micro)
  FROM payments
  WHERE folio_id = folios.id), 0)::bigint - coalesce((
  SELECT sum(amount_micro)
  FROM folio_lines
  WHERE folio_id = folios.id AND type = 'deposit_transfer'), 0)::bigint"""
STANDING: Final = f"SELECT tenant_id, {STANDS} FROM folios WHERE id = $1"
# What of it is money: what a company is to settle has not come yet.
MOVABLE: Final = f"""
SELECT tenant_id, greatest(0, {STANDS} - coalesce((
  SELECT sum(amount_micro - refunded_micro)
  FROM payments
  WHERE folio_id = folios.id AND method = 'city_ledger'), 0)::bigint)
FROM folios
WHERE id = $1
"""

OF_RESERVATION: Final = "property_id = $1 AND reservation_id = $2"
TAKE_ALL: Final = f"""
SELECT tenant_id, {FOLIO_COLUMNS}
FROM folios
WHERE {OF_RESERVATION}
ORDER BY id
FOR NO KEY UPDATE
"""
STAYS: Final = f"""
SELECT tenant_id, {STAY_COLUMNS}
FROM stays
WHERE folio_id IN (SELECT id FROM folios WHERE {OF_RESERVATION})
"""
PAYMENTS: Final = f"""
SELECT tenant_id, {PAYMENT_COLUMNS}
FROM payments
WHERE folio_id IN (SELECT id FROM folios WHERE {OF_RESERVATION})
ORDER BY recorded_at DESC, id DESC
"""
STANDING_ON_ALL: Final = f"SELECT tenant_id, {STANDS}, id FROM folios WHERE {OF_RESERVATION}"


class Deposits:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def take_both(self, folio_id: FolioId, other_id: FolioId) -> tuple[Folio, Folio, Money]:
        folios, movable = self._desk.batch(
            Statement(TAKE_BOTH, (folio_id, other_id)), Statement(MOVABLE, (folio_id,))
        )
        one, other = (
            Folios(self._desk).known([row for row in folios if row[1] == id])
            for id in (folio_id, other_id)
        )
        return one, other, Money(movable[0][1], one.currency)

    def standing(self, folio: Folio) -> Money:
        return Money(self._desk.rows(STANDING, folio.id)[0][1], folio.currency)

    def take_of_reservation(self, property_id: PropertyId, reservation_id: str) -> Sequence[Held]:
        which = (property_id, reservation_id)
        folios, stays, payments, standing = self._desk.batch(
            Statement(TAKE_ALL, which),
            Statement(STAYS, which),
            Statement(PAYMENTS, which),
            Statement(STANDING_ON_ALL, which),
        )
        return [_held(Folios(self._desk).known([row]), stays, payments, standing) for row in folios]


def _held(
    folio: Folio, stays: Sequence[Row], payments: Sequence[Row], standing: Sequence[Row]
) -> Held:
    plans = [plan_of(row) for row in stays]
    paid = [payment_of(row) for row in payments]
    return Held(
        folio=folio,
        plan=next((plan for plan in plans if plan.folio_id == folio.id), None),
        payments=tuple(payment for payment in paid if payment.folio_id == folio.id),
        standing=next(Money(row[1], folio.currency) for row in standing if row[2] == folio.id),
    )
