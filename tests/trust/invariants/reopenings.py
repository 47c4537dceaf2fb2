"""A hotel where closed folios were opened again, and what must be noticed of that."""

from typing import Any

from tests.hotel import Hotel, House, usd, vat
from tests.moving import adjusted
from tests.refunding import refund
from tests.reopening import closes, reopened, voids
from tests.trust.invariants.plant import DIGESTED, TOLD, plant

BILLED = "a_closed_folio_is_settled_and_billed"
OFTEN = "a_folio_knows_how_often_it_was_reopened"
HELD = "every_settled_line_is_on_one_document"
ADDS_UP = "a_credit_note_adds_up"
ONE_PLACE = "a_charge_is_corrected_in_one_place"
SETTLED = "a_settlement_is_what_the_lines_come_to"
TRAIL = "a_trail_begins_and_ends_as_its_folio_did"
SUMS = "tax_sums_are_those_of_the_tax_lines"
NOTE = "(SELECT id FROM credit_notes WHERE settlement_id IS NOT NULL)"
TWICE = "(SELECT id FROM folios WHERE reopened = 2)"
AGAIN = "(SELECT id FROM folios WHERE reopened = 1 AND status = 'open')"


def hotel_with_reopenings(house: House, **settings: Any) -> Hotel:
    """One opened again twice, for a minibar and to lower the night; one for money alone; and one
    that is open, with a spa on it. One was never opened again."""
    hotel = house.new_hotel(**settings)
    hotel.closed_folio()
    folio = hotel.open_folio()
    night = hotel.charged(folio)
    payment = hotel.paid(folio, _balance(hotel, folio))
    closes(hotel, folio)
    reopened(hotel, folio)
    wrong = hotel.charged(folio, "spa", 333)
    assert voids(hotel, folio, wrong).status_code == 201
    hotel.charged(folio, "minibar", 707)
    hotel.paid(folio, _balance(hotel, folio))
    closes(hotel, folio)
    reopened(hotel, folio)
    adjusted(hotel, folio, night, -3_333)
    assert refund(hotel, folio, payment, _less(_balance(hotel, folio))).status_code == 201
    closes(hotel, folio)
    money, _ = hotel.closed_folio()
    reopened(hotel, money)
    twice = hotel.paid(money, usd(500), allowCredit=True)
    assert refund(hotel, money, twice, usd(500)).status_code == 201
    closes(hotel, money)
    again, _ = hotel.closed_folio()
    reopened(hotel, again)
    hotel.charged(again, "spa", 777)
    return hotel


def otherwise_taxed_with_reopenings(house: House) -> Hotel:
    """The same where prices include one tax, bear another, and tax is rounded per invoice."""
    rules = [vat(77_000, inclusive=True), vat(33_333, code="CITY", name="City tax", order=1)]
    return hotel_with_reopenings(house, taxRules=rules, roundsTaxPerInvoice=True)


def _balance(hotel: Hotel, folio: str) -> Any:
    return hotel.get(f"/folios/{folio}").json["balance"]


def _less(amount: dict[str, Any]) -> dict[str, Any]:
    return {**amount, "amountMicro": -amount["amountMicro"]}


REOPENED = (
    plant(
        BILLED,
        f"DELETE FROM settlements WHERE folio_id = {TWICE} AND charges_micro < 0",
        also=(SETTLED, "an_answer_speaks_of_what_there_is"),
    ),
    plant(
        BILLED,
        "UPDATE credit_notes SET settlement_id = (SELECT id FROM settlements"
        f" WHERE folio_id = {TWICE} AND charges_micro > 0 LIMIT 1)",
        also=(ADDS_UP,),
    ),
    plant(
        ADDS_UP,
        f"UPDATE credit_notes SET settlement_id = NULL WHERE id = {NOTE}",
        also=("credits_stay_within_their_invoice",),
    ),
    plant(
        OFTEN,
        f"UPDATE folios SET billed_to = billed_to - 1 WHERE id = {AGAIN}",
        also=(DIGESTED, HELD, SETTLED),
    ),
    plant(OFTEN, f"DELETE FROM reopenings WHERE folio_id = {TWICE} AND number = 1"),
    plant(OFTEN, "UPDATE reopenings SET billed_to = billed_to + 1"),
    plant(
        HELD,
        f"DELETE FROM invoice_lines WHERE invoice_id = {NOTE} AND starts_with(line_id, 'rfd_')",
        also=(ADDS_UP,),
    ),
    plant(
        HELD,
        f"INSERT INTO invoice_lines (tenant_id, line_id, invoice_id) SELECT tenant_id, id, {NOTE}"
        f" FROM folio_lines WHERE folio_id = {AGAIN} AND kind = 'spa' AND type = 'charge'",
        also=(ADDS_UP,),
    ),
    plant(
        ADDS_UP,
        "UPDATE invoices SET payload = replace(payload, '\"roundingMicro\":0',"
        f" '\"roundingMicro\":10000') WHERE id = {NOTE}",
        also=("a_payload_fits_its_hash", "a_payload_says_what_its_row_says"),
    ),
    plant(
        ONE_PLACE,
        "INSERT INTO credit_note_lines SELECT lines.tenant_id, 'cn_none', invoice_id, line_id,"
        " 1, 0, 1, 1, '[]' FROM invoice_lines JOIN folio_lines AS lines ON lines.id = line_id"
        f" WHERE folio_id = {TWICE} AND kind = 'room' AND type = 'charge'",
        also=("credits_stay_within_their_invoice", ADDS_UP),
    ),
    plant(
        TRAIL,
        f"DELETE FROM audit_entries WHERE aggregate_id = {TWICE} AND action = 'folio.reopened'",
        also=(
            "a_trail_is_numbered_without_a_gap",
            "an_entry_names_what_came_before",
            "a_confirmation_serves_one_deed",
            TOLD,
        ),
    ),
    plant(
        SUMS,
        f"UPDATE folios SET tax_sums = '{{{{}}}}' WHERE id = {AGAIN}",
    ),
)
