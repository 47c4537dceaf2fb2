"""The ends of business days, and what a day moved the guests' accounts by."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from common.domain.identifiers import NightAuditId, PropertyId
from common.domain.money import Currency, Money
from common.domain.night_audit import DayReport, Movement, NightAudit
from common.ports.night_audits import NightAuditFilter
from common.ports.paging import Page
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.paging import key_of, next_cursor
from common.postgres.session import Insert
from common.postgres.stores import Desk, held_properties

COLUMNS: Final = "id, property_id, business_date, report, finished_at, version, trail, state_digest"
LAST: Final = """
SELECT tenant_id, business_date
FROM night_audits
WHERE property_id = $1
ORDER BY business_date DESC
LIMIT 1
"""
# Whoever charges for a day holds it open with others; whoever ends it waits for all of them.
KEEP_OPEN: Final = """
SELECT current_setting('app.tenant_id')::uuid,
       pg_advisory_xact_lock_shared(hashtextextended($1, 0))
"""
TAKE_TO_END: Final = """
SELECT current_setting('app.tenant_id')::uuid, pg_advisory_xact_lock(hashtextextended($1, 0))
"""
PAGE: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM night_audits
WHERE id > $1
  AND property_id = ANY ($2::uuid[])
  AND ($3::date IS NULL OR business_date = $3)
ORDER BY id
LIMIT $4
"""
MOVEMENTS: Final = """
SELECT tenant_id, account, currency, sum(micro)::bigint
FROM (
  SELECT tenant_id, currency,
         CASE debit_account WHEN 'guest_ledger' THEN amount_micro ELSE -amount_micro END AS micro,
         regexp_replace(CASE debit_account WHEN 'guest_ledger' THEN credit_account
           ELSE debit_account END, '^(cash|city_ledger):.*', '\\1') AS account
  FROM ledger_entries
  WHERE property_id = $1
    AND business_date = $2
    AND 'guest_ledger' IN (debit_account, credit_account)
) AS moved
GROUP BY tenant_id, account, currency
ORDER BY account, currency
"""
STAYS: Final = """
SELECT stays.tenant_id, count(*) FILTER (WHERE checked_in_at IS NOT NULL AND status = 'open'),
       count(*) FILTER (WHERE no_show_on = $2)
FROM stays
JOIN folios ON folios.id = folio_id
WHERE stays.property_id = $1
  AND arrival <= $2
  AND (status = 'open' OR no_show_on = $2)
GROUP BY stays.tenant_id
"""
INSERT_AUDIT = Insert.into(ranks.AGGREGATES, "night_audits", COLUMNS)


class NightAudits:
    """The ends of days, as far as the actor's properties reach."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def last(self, property_id: PropertyId) -> date | None:
        rows = self._desk.rows(LAST, property_id)
        return rows[0][1] if rows else None

    def keep_open(self, property_id: PropertyId, on: date) -> bool:
        return self._held(KEEP_OPEN, property_id, on)

    def take_to_end(self, property_id: PropertyId, on: date) -> bool:
        return self._held(TAKE_TO_END, property_id, on)

    def report(self, property_id: PropertyId, on: date) -> DayReport:
        movements, stays = self._desk.batch(
            Statement(MOVEMENTS, (property_id, on)), Statement(STAYS, (property_id, on))
        )
        return DayReport(
            movements=tuple(
                Movement(account=row[1], amount=Money(row[3], Currency(row[2])))
                for row in movements
                if row[3]
            ),
            in_house=stays[0][1] if stays else 0,
            no_shows=stays[0][2] if stays else 0,
        )

    def page(self, which: NightAuditFilter, limit: int, cursor: str | None) -> Page[NightAudit]:
        rows = self._desk.rows(
            PAGE,
            key_of(cursor),
            held_properties(self._desk, which.property_id),
            which.business_date,
            limit + 1,
        )
        audits = tuple(_audit_of(row) for row in rows[:limit])
        return Page(audits, next_cursor([row[1] for row in rows], limit))

    def keep(self, audit: NightAudit) -> None:
        self._desk.keep(audit, lambda: self._desk.insert(INSERT_AUDIT, [_row(audit)]))

    def _held(self, lock: str, property_id: PropertyId, on: date) -> bool:
        """Take the day's lock, then look, as a statement of its own: what was done is seen."""
        key = f"night audit {self._desk.tenant_id} {property_id} {on}"
        _, last = self._desk.batch(Statement(lock, (key,)), Statement(LAST, (property_id,)))
        return not last or bool(last[0][1] < on)


def _row(audit: NightAudit) -> dict[str, Any]:
    return {
        "id": audit.id,
        "property_id": audit.property_id,
        "business_date": audit.business_date,
        "report": audit.report.document(),
        "finished_at": audit.finished_at,
        "version": audit.version,
        "trail": audit.trail,
        "state_digest": audit.state_digest,
    }


def _audit_of(row: Row) -> NightAudit:
    return NightAudit(
        id=NightAuditId(row[1]),
        property_id=PropertyId(row[2]),
        business_date=row[3],
        report=_report_of(row[4]),
        finished_at=row[5],
        version=row[6],
        trail=bytes(row[7]),
        state_digest=bytes(row[8]),
        is_new=False,
    )


def _report_of(document: dict[str, Any]) -> DayReport:
    moved: Sequence[dict[str, Any]] = document["guestLedger"]
    return DayReport(
        movements=tuple(
            Movement(
                account=each["account"],
                amount=Money(each["amountMicro"], Currency(each["currency"])),
            )
            for each in moved
        ),
        in_house=document["inHouse"],
        no_shows=document["noShows"],
    )
