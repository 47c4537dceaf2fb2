"""Card payments that come for closed folios, to test with.

folio, payment = came_late(hotel)          # 40.00 at the terminal: promised back
let_it_go(hotel)                           # the job has the processor make it
"""

from typing import Any
from uuid import uuid4

from jobs.retry_refunds import retry_refunds
from tests.hotel import Hotel, usd
from tests.paying import run_job
from tests.reopening import reopened
from tests.webhooks import Webhook, disputed, refunded_there

DUE = "UPDATE {s}.returned_payments SET next_attempt_at = '-infinity' WHERE status = 'pending'"
RETURNS = (
    "SELECT paid_amount_micro / 10000, status, failure_code FROM {s}.returned_payments ORDER BY id"
)


def came_late(hotel: Hotel, cents: int = 4_000, processor: str = "pi_") -> tuple[str, str]:
    """A folio that was paid in cash and closed, and what a terminal has captured for it since."""
    folio, _ = hotel.closed_folio()
    payment = f"{processor}{uuid4()}"
    captured(hotel, folio, payment, cents)
    return folio, payment


def captured(hotel: Hotel, folio: str, payment: str, cents: int = 4_000, **more: Any) -> None:
    """What a terminal tells; nobody has to look at it."""
    data = {"paymentId": payment, "folioId": folio, "amount": usd(cents), **more}
    assert hotel.deliver("on_payment_captured", data).status_code == 204


def let_it_go(hotel: Hotel) -> None:
    """The job asks the processor for what was promised."""
    hotel.rows(DUE)
    assert run_job(hotel, retry_refunds).failed == 0


def returns(hotel: Hotel) -> list[list[Any]]:
    """Each payment that goes back: how much, in cents, where it stands, and why it failed."""
    return hotel.rows(RETURNS)


def cards(hotel: Hotel) -> dict[str, int]:
    """What the processor holds by the ledger, and what is still to go back, in cents."""
    rows = hotel.rows(
        "SELECT account, (sum(micro) / 10000)::bigint FROM ("
        " SELECT debit_account AS account, amount_micro AS micro FROM {s}.ledger_entries"
        " UNION ALL SELECT credit_account, -amount_micro FROM {s}.ledger_entries) AS sides"
        " WHERE account IN ('card_clearing', 'payments_to_return') GROUP BY account"
        " HAVING sum(micro) <> 0"
    )
    return dict(rows)


def returns_of_every_state(hotel: Hotel) -> None:
    """One has gone back; of two that could not, one stands on its folio; one is promised. Of one a
    part went back at the processor, and one a bank has lost, one won, and asks for one still."""
    came_late(hotel)
    let_it_go(hotel)
    folio, _ = came_late(hotel, processor="sandbox_declined_")
    came_late(hotel, processor="sandbox_declined_")
    let_it_go(hotel)
    reopened(hotel, folio)
    for outcome in ("lost", "won", "needs_response"):
        _, payment = came_late(hotel)
        claimed = disputed(payment, f"dp_{outcome}", outcome, cents=4_000)
        assert Webhook(hotel).send(claimed).json["outcome"] == "applied"
    _, payment = came_late(hotel)
    there = refunded_there(payment, "re_late", 1_500)
    assert Webhook(hotel).send(there).json["outcome"] == "applied"
    came_late(hotel)
