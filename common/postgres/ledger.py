"""Ledger entries: written together with what makes them, and never again."""

from typing import Any, Final

from common.domain.folio import Folio
from common.domain.ledger import Booked, Entry
from common.postgres import ranks
from common.postgres.session import Insert
from common.postgres.stores import Desk

COLUMNS: Final = (
    "source, part, folio_id, property_id, debit_account, credit_account, amount_micro, currency,"
    " business_date, occurred_at, recorded_at"
)
# Apart, so that what moves neither cash nor a company's debt is written as before there were any.
INSERTS: Final[dict[tuple[str, ...], Insert]] = {
    named: Insert.into(ranks.LEDGER, "ledger_entries", ", ".join((COLUMNS, *named)))
    for named in (
        (),
        ("cash_session_id",),
        ("company_account_id",),
        ("cash_session_id", "company_account_id"),
    )
}


class Ledger:
    """The double-entry ledger of a tenant."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def post(self, booked: Booked) -> None:
        """Book the entries of what happened to a folio, in a drawer or on a company's account."""
        for entry in booked.entries:
            owners = {
                "cash_session_id": entry.cash_session,
                "company_account_id": entry.company_account,
            }
            named = {name: owner for name, owner in owners.items() if owner is not None}
            self._desk.insert(INSERTS[tuple(named)], [{**self._row(entry, booked), **named}])

    def _row(self, entry: Entry, booked: Booked) -> dict[str, Any]:
        account, now = booked.subject, self._desk.now
        return {
            "source": entry.source,
            "part": entry.part,
            "folio_id": account.id if account.kind == Folio.kind else None,
            "property_id": account.property_id,
            "debit_account": entry.debit,
            "credit_account": entry.credit,
            "amount_micro": entry.amount.amount_micro,
            "currency": entry.amount.currency,
            "business_date": entry.business_date,
            "occurred_at": now,
            "recorded_at": now,
        }
