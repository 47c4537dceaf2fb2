"""Tampering as somebody writes it past the service, and the invariant that has to notice it.

Each is done in the hotel of `busy_hotel`, inside a transaction that is rolled back. `also` are the
other invariants that must notice, because they hold the same fact from another side: what touches
a signed or chained document, for one, cannot fail to break its hash. `{tenant}`, `{role}` and
`{other}` (another tenant) are filled in.
"""

from dataclasses import dataclass

OPEN = "(SELECT id FROM folios WHERE status = 'open' AND last_line > 0)"
LAST_ENTRY = f"""
aggregate_id = {OPEN} AND sequence = (SELECT version FROM folios WHERE id = {OPEN})
"""
EMPTY = "(SELECT id FROM folios WHERE last_line = 0)"
DIGESTED = "a_folio_is_what_its_trail_digested"
HASHED = "an_entry_fits_its_hash"
TOLD = "every_fact_has_its_event"
AHEAD = "what_is_paid_ahead_is_a_liability"
BOOKED = "lines_are_booked_as_they_read"
WORTH = "payment_takes_off_what_it_is_worth"
GUARDED = "what_may_happen_once_is_guarded"
STEP_UP = """
INSERT INTO billing_central.step_up_uses
VALUES ('iam', 'token', '{tenant}', 'clerk', 'billing.admin', 'proof', 'context', now(), now())
"""


@dataclass(frozen=True)
class Plant:
    """Tampering that the invariant of this name has to notice, and `also` those others."""

    invariant: str
    sql: tuple[str, ...]
    also: frozenset[str] = frozenset()


def plant(invariant: str, *sql: str, also: tuple[str, ...] = ()) -> Plant:
    """A plant; what else notices it is named."""
    return Plant(invariant, sql, frozenset(also))
