"""A trial breaks one constraint, and no other, by a copy of a row that differs in just that."""

import json
from dataclasses import dataclass
from typing import Any, Final

from tests.hotel import Hotel, usd
from tests.till import Till


@dataclass(frozen=True)
class Trial:
    """A row of a table, copied with changes, that breaks one constraint and no other. Of those that
    will do it is the one that was written first, wherever the server has found room for it."""

    constraint: str
    table: str
    changes: dict[str, Any]
    which: str = "true"

    def sql(self, schema: str) -> str:
        changes = json.dumps(self.changes)
        return (
            f"INSERT INTO {schema}.{self.table} OVERRIDING SYSTEM VALUE"
            f" SELECT (jsonb_populate_record(original, '{changes}')).*"
            f" FROM {schema}.{self.table} AS original WHERE {self.which}"
            " ORDER BY xmin::text::bigint, cmin::text::bigint, ctid LIMIT 1"
        )


NEW: Final = {"id": "cds_x"}
MOVED: Final = {"id": "cmv_x"}
OPEN, PENDING = "status = 'open'", "status = 'pending_close'"
CLOSED, ACKNOWLEDGED = "status = 'closed'", "status = 'acknowledged'"
LATER: Final = "2026-03-01T12:00:00+00:00"
PAID: Final = {"id": "pay_x", "processor_payment_id": None}


def session(constraint: str, which: str, **changes: Any) -> Trial:
    """A copy of a cash session."""
    return Trial(constraint, "cash_sessions", {**NEW, **changes}, which)


CASH: Final = [
    Trial("cash_drawers_pkey", "cash_drawers", {}),
    Trial("cash_sessions_pkey", "cash_sessions", {}, CLOSED),
    Trial("cash_movements_pkey", "cash_movements", {}),
    session("one_open_session_per_drawer", OPEN),
    session("session_is_of_a_drawer", CLOSED, drawer_id="cdr_none"),
    session("session_status_is_known", PENDING, status="lost", pending_since=None),
    session("open_session_holds_no_count", PENDING, status="open", pending_since=None),
    session("count_is_signed", CLOSED, closing_method=None),
    session("pending_session_waits", CLOSED, pending_since=LATER),
    session("closed_session_is_co_signed", CLOSED, status="pending_close", pending_since=LATER),
    session("co_signature_is_whole", CLOSED, step_up_method=None),
    session("drawer_is_closed_by_two_persons", CLOSED, closed_by="laila"),
    session(
        "two_signatures_are_two_confirmations",
        CLOSED,
        closing_token_id="one",
        step_up_token_id="one",
    ),
    session("acknowledgement_is_whole", ACKNOWLEDGED, explanation=None),
    session("discrepancy_is_explained_by_a_third_person", ACKNOWLEDGED, acknowledged_by="karim"),
    Trial("movement_is_in_a_session", "cash_movements", {**MOVED, "session_id": "cds_none"}),
    Trial("cash_movement_is_positive", "cash_movements", {**MOVED, "amount_micro": 0}),
    Trial("cash_movement_kind_is_known", "cash_movements", {**MOVED, "kind": "gift"}),
    Trial(
        "movement_by_hand_has_a_reason",
        "cash_movements",
        {**MOVED, "kind": "paid_out", "reason": None},
    ),
    Trial(
        "cash_payment_names_its_session",
        "payments",
        {**PAID, "cash_session_id": None},
        "method = 'cash'",
    ),
    Trial(
        "cash_went_into_a_session",
        "payments",
        {**PAID, "cash_session_id": "cds_none"},
        "method = 'cash'",
    ),
    Trial(
        "cash_entry_names_its_session",
        "ledger_entries",
        {"source": "cmv_x", "cash_session_id": None},
        "cash_session_id IS NOT NULL",
    ),
    Trial(
        "cash_entry_is_of_a_session",
        "ledger_entries",
        {"source": "cmv_x", "cash_session_id": "cds_none", "debit_account": "cash:cds_none"},
        "cash_session_id IS NOT NULL",
    ),
]


def tills_of_every_state(hotel: Hotel) -> None:
    """Sessions that are open, pending, closed and acknowledged; a guest has paid in cash."""
    running = Till.opened(hotel, usd(10_000), by="zahra")
    running.paid(1_000)
    right, short = (Till.opened(hotel, usd(10_000)) for _ in range(2))
    for till, cents in ((right, 10_000), (short, 9_000)):
        till.initiate(usd(cents))
        assert till.close(usd(cents)).status_code == 200
    assert short.acknowledge().status_code == 200
    assert Till.opened(hotel, usd(10_000)).initiate(usd(10_000)).status_code == 200
