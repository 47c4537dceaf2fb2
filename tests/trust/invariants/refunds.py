"""A hotel that has given money back, and what must be noticed of its refunds."""

from tests.hotel import Hotel, House, usd
from tests.refunding import card_payment, failed_afterwards, refund
from tests.till import Amount, Till
from tests.trust.invariants.plant import AHEAD, plant

BACK = "refunds_are_booked_as_they_were_given_back"
WITHIN = "refunds_stay_within_the_payment"
WAY = "a_refund_goes_back_the_way_it_came"
STANDS = "a_refund_stands_on_its_folio"
FAILED = "a_refund_fails_after_it_was_made"
SETTLED = "a_refund_is_settled_or_waits"
KNOWN = "states_and_kinds_are_known"
CASH = "WHERE method = 'cash' AND paid_currency = 'EUR'"
BY_HAND = "WHERE method = 'bank_transfer'"


def euros(amount: int) -> Amount:
    """So many euros."""
    return {"amountMicro": amount * 1_000_000, "currency": "EUR"}


def hotel_with_refunds(house: House) -> Hotel:
    """Cash in two currencies, a card thrice: done, declined, and lost on its way; one by hand. Two
    of a card that failed after they were made.

    A folio is closed after a part of what was paid was given back: its invoice says so.
    """
    hotel = house.new_hotel()
    till = Till.opened(hotel, usd(10_000), euros(30))
    folio = hotel.open_folio()
    hotel.charged(folio, cents=20_000)
    cash = till.pay(euros(30), folio).json["lines"][0]["lineId"]
    _refunded(hotel, folio, cash, euros(10), by=till.karim)
    for processor in ("sandbox_done", "sandbox_declined", "sandbox_lost"):
        _refunded(hotel, folio, card_payment(hotel, folio, usd(5_000), processor), usd(2_000))
    _refunded(hotel, folio, hotel.paid(folio, usd(3_000), allowCredit=True), usd(1_000))

    left = hotel.open_folio()
    hotel.charged(left, cents=1_000)
    owed = hotel.get(f"/folios/{left}").json["balance"]["amountMicro"] // 10_000
    paid = till.pay(usd(owed + 500), left).json["lines"][0]["lineId"]
    _refunded(hotel, left, paid, usd(500), by=till.karim)
    answer = hotel.post(f"/folios/{left}/close")
    assert answer.status_code == 200, answer.text
    failed_afterwards(hotel)
    return hotel


def _refunded(hotel: Hotel, folio: str, payment: str, amount: Amount, by: str = "") -> None:
    answer = refund(hotel, folio, payment, amount, by)
    assert answer.status_code == 201, answer.text


REFUNDS = (
    plant(
        BACK,
        "DELETE FROM ledger_entries WHERE starts_with(source, 'rfd_') AND part = 1",
        also=("balance_is_what_the_ledger_says", AHEAD),
    ),
    plant(
        BACK,
        "UPDATE ledger_entries SET credit_account = 'voucher_liability'"
        " WHERE starts_with(source, 'rfd_') AND credit_account = 'bank_clearing'",
    ),
    plant(
        BACK,
        "UPDATE ledger_entries SET business_date = business_date + 1"
        " WHERE starts_with(source, 'rvr_') AND part < 3",
    ),
    plant(
        FAILED,
        "UPDATE refund_failures SET failed_at = failed_at - interval '1 day'",
    ),
    plant(
        FAILED,
        "UPDATE refund_failures SET folio_id = (SELECT min(id) FROM folios WHERE status = 'open')"
        " WHERE id NOT IN (SELECT id FROM folio_lines)",
    ),
    plant(
        FAILED,
        "DELETE FROM ledger_entries WHERE starts_with(source, 'rvr_') AND part = 3",
    ),
    plant(
        STANDS,
        "DELETE FROM refund_failures WHERE id IN (SELECT id FROM folio_lines)",
        also=(WITHIN,),
    ),
    plant(
        "what_may_happen_once_is_guarded",
        "ALTER TABLE refund_failures DROP CONSTRAINT refund_fails_once",
    ),
    plant(
        WITHIN,
        f"UPDATE payments SET refunded_paid_micro = 0, refunded_micro = 0 {CASH}",
    ),
    plant(
        WITHIN,
        f"UPDATE payments SET refunded_paid_micro = paid_amount_micro {BY_HAND}",
    ),
    plant(
        WITHIN,
        f"UPDATE payments SET refunded_micro = amount_micro {BY_HAND}",
    ),
    plant(
        WAY,
        f"UPDATE refunds SET reference = 'by hand', method = 'voucher' {BY_HAND}",
        also=(BACK, STANDS),
    ),
    plant(
        WAY,
        "ALTER TABLE refunds DROP CONSTRAINT cash_refund_names_its_session",
        f"UPDATE refunds SET cash_session_id = (SELECT id FROM cash_sessions) {BY_HAND}",
    ),
    plant(
        STANDS,
        "UPDATE folio_lines SET corrects = (SELECT id FROM refunds WHERE method = 'bank_transfer')"
        " WHERE type = 'refund' AND kind = 'bank_transfer'",
    ),
    plant(
        SETTLED,
        f"DELETE FROM refund_settlements WHERE refund_id = (SELECT id FROM refunds {BY_HAND})",
    ),
    plant(
        SETTLED,
        "DELETE FROM refund_queue",
    ),
    plant(
        SETTLED,
        "UPDATE folios SET pending_refunds = 0 WHERE pending_refunds > 0",
    ),
    plant(
        SETTLED,
        "UPDATE refund_settlements SET settled_at = settled_at + interval '1 minute' WHERE"
        f" refund_id = (SELECT id FROM refunds {BY_HAND})",
    ),
    plant(
        "a_signature_is_a_confirmation_that_was_used",
        f"UPDATE refunds SET confirmed_by = 'somebody' {BY_HAND}",
    ),
    plant(
        KNOWN,
        "ALTER TABLE refund_settlements DROP CONSTRAINT refund_has_succeeded_or_failed",
        "UPDATE refund_settlements SET status = 'sent' WHERE refund_id ="
        f" (SELECT id FROM refunds {BY_HAND})",
        also=(SETTLED,),
    ),
    plant(
        "a_correction_stays_on_its_charge",
        "ALTER TABLE folio_lines DROP CONSTRAINT refund_line_names_what_it_gives_back",
        "UPDATE folio_lines SET corrects = NULL WHERE type = 'refund' AND kind = 'cash'"
        " AND currency = 'USD'",
        also=(STANDS,),
    ),
    plant(
        "what_may_happen_once_is_guarded",
        "ALTER TABLE refund_settlements DROP CONSTRAINT refund_is_settled_once",
    ),
)
