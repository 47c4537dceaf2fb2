"""A hotel that has given something back, and what must be noticed of its credit notes."""

from tests.crediting import credits, lines_of, voids
from tests.hotel import Hotel, House, usd
from tests.trust.invariants.plant import plant


def hotel_with_credits(house: House) -> Hotel:
    """10.00 of an invoice are given back, too much is refused, and another invoice is voided."""
    hotel = house.new_hotel()
    _, invoice = hotel.closed_folio()
    line = lines_of(hotel, invoice)[0]["lineId"]
    assert credits(hotel, invoice, (line, usd(1_000))).status_code == 201
    assert credits(hotel, invoice, (line, usd(99_000))).status_code == 422
    _, other = hotel.closed_folio(700)
    answer = voids(hotel, other)
    assert answer.status_code == 201, answer.text
    hotel.closed_folio(800)
    return hotel


CREDITS = (
    plant(
        "credits_stay_within_their_invoice",
        "ALTER TABLE credit_note_lines DROP CONSTRAINT credits_stay_within_the_line",
        "UPDATE credit_note_lines SET invoiced_micro = invoiced_micro - 10000"
        " WHERE before_micro = 0 AND gross_micro <> invoiced_micro",
    ),
    plant(
        "credits_stay_within_their_invoice",
        "UPDATE credit_note_lines SET before_micro = before_micro + 10000 WHERE before_micro = 0"
        " AND gross_micro < invoiced_micro",
    ),
    plant(
        "credits_stay_within_their_invoice",
        "UPDATE invoice_credits SET status = 'issued' WHERE status = 'credited'",
    ),
    plant(
        "credits_stay_within_their_invoice",
        "UPDATE invoice_credits SET credited_micro = credited_micro + 10000"
        " WHERE status = 'credited'",
    ),
    plant(
        "a_credit_note_adds_up",
        "UPDATE credit_note_lines SET net_micro = net_micro + 10000 WHERE before_micro = 0",
    ),
    plant(
        "a_credit_note_adds_up",
        "UPDATE invoices SET payload = replace(payload, '\"totalMicro\":10', '\"totalMicro\":11')",
        also=("a_payload_fits_its_hash",),
    ),
    plant(
        "a_credit_note_is_booked_as_it_reads",
        "UPDATE ledger_entries SET debit_account = 'revenue:spa'"
        " WHERE starts_with(source, 'cn_') AND starts_with(debit_account, 'revenue:')",
    ),
    plant(
        "a_credit_note_is_booked_as_it_reads",
        "DELETE FROM ledger_entries WHERE starts_with(source, 'cn_') AND part = 1",
    ),
)
