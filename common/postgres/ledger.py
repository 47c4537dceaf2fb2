"""Ledger entries: written together with the lines that make them, and never again."""

from common.domain.folio import LinesPosted
from common.postgres import ranks
from common.postgres.session import Insert
from common.postgres.stores import Desk

INSERT_ENTRY = Insert.into(
    ranks.LEDGER,
    "ledger_entries",
    "source, part, folio_id, property_id, debit_account, credit_account, amount_micro, currency,"
    " business_date, occurred_at, recorded_at",
)


class Ledger:
    """The double-entry ledger of a tenant."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def post(self, posted: LinesPosted) -> None:
        """Book the entries of lines that were posted to a folio."""
        folio = posted.subject
        now = self._desk.now
        self._desk.insert(
            INSERT_ENTRY,
            [
                {
                    "source": entry.source,
                    "part": entry.part,
                    "folio_id": folio.id,
                    "property_id": folio.property_id,
                    "debit_account": entry.debit,
                    "credit_account": entry.credit,
                    "amount_micro": entry.amount.amount_micro,
                    "currency": entry.amount.currency,
                    "business_date": entry.business_date,
                    "occurred_at": now,
                    "recorded_at": now,
                }
                for entry in posted.entries
            ],
        )
