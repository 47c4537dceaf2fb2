"""A hotel that gives credit to companies, and what must be noticed of what they owe."""

from tests.crediting import credits, lines_of
from tests.hotel import Hotel, House, new_id, usd
from tests.owing import (
    close,
    company,
    invoiced,
    pay,
    set_off,
    settle,
    settled,
    take_write_off_back,
    taken_back_of_every_kind,
    write_off,
)
from tests.refunding import refund
from tests.till import Till
from tests.trust.invariants.plant import plant

BOOKED = "what_companies_paid_and_never_will_is_booked"
NAMED = "a_debt_is_of_the_account_it_names"
LEDGER = "a_company_owes_what_the_ledger_says"
PARTS = "a_company_account_is_the_sum_of_its_parts"
OPEN = "an_item_is_open_as_far_as_nothing_settled_it"
OWED = "an_invoice_is_owed_as_far_as_it_was_left_to_a_company"
KEEPS = "a_company_account_keeps_one_currency_and_property"
SET_OFF = "a_credit_note_is_set_off_for_no_more_than_it_is"
ONCE = "what_a_company_paid_is_taken_back_once_and_within_the_payment"
TWICE = "a_processors_payment_is_recorded_once"
DIGESTED = "a_company_account_is_what_its_trail_digested"
TAKEN = "payments_are_booked_as_they_were_taken"
BACK = "refunds_are_booked_as_they_were_given_back"
SIGNED = "a_signature_is_a_confirmation_that_was_used"
KNOWN = "states_and_kinds_are_known"
GUARDED = "what_may_happen_once_is_guarded"
ANSWERED = "an_answer_speaks_of_what_there_is"
ON_HOLD, NOT_INVOICED = new_id("cac"), new_id("pay")
ACTIVE = "WHERE status = 'active'"
PART = "ALTER TABLE company_accounts DROP CONSTRAINT company_account_has_no_negative_part"
NOTHING_LEFT = "ALTER TABLE company_accounts DROP CONSTRAINT closed_company_account_is_settled"
DEBT = "ALTER TABLE ledger_entries DROP CONSTRAINT debt_is_of_the_account_it_names"
ONE_OPEN = "(account_id, invoice_id) = (SELECT DISTINCT account_id, invoice_id FROM write_offs)"


def hotel_with_companies(house: House) -> Hotel:
    """See `companies_of_every_state`."""
    hotel = house.new_hotel()
    companies_of_every_state(hotel)
    return hotel


def hotel_owed_again(house: House) -> Hotel:
    """See `taken_back_of_every_kind`."""
    hotel = house.new_hotel()
    taken_back_of_every_kind(hotel)
    return hotel


def companies_of_every_state(hotel: Hotel) -> None:
    """One owes by two invoices and by a folio that is open still; one is on hold, one is closed.

    It has paid by transfer, by card and in cash; an allocation was taken back, 5.00 were written
    off, and 1.00 that is owed again, 11.00 credited and set off, and a part of what it was to
    settle was given back before its invoice.
    """
    account = company(hotel)
    till = Till.opened(hotel, usd(10_000), by="omar")
    _, first = invoiced(hotel, account, 10_000)
    folio = settled(hotel, account, 20_000)
    (payment,) = [
        line["lineId"]
        for line in hotel.get(f"/folios/{folio}").json["lines"]
        if line["type"] == "payment"
    ]
    assert refund(hotel, folio, payment, usd(3_000)).status_code == 201
    hotel.paid(folio, usd(3_000))
    close(hotel, folio)
    token = hotel.token(sub=till.karim)
    answers = [
        pay(hotel, account, usd(4_000)),
        pay(hotel, account, usd(100), method="card", paymentId="pi-company", reference=None),
        pay(hotel, account, usd(1_000), method="cash", token=token, allocations=[]),
        write_off(hotel, account, first, usd(500)),
    ]
    assert [answer.status_code for answer in answers] == [201] * 4
    lost = write_off(hotel, account, first, usd(100)).json["writeOffId"]
    assert take_write_off_back(hotel, account, lost).status_code == 201
    (given,) = answers[0].json["allocations"]
    path = f"/company-accounts/{account}/allocations/{given['allocationId']}/reverse"
    assert hotel.post(path, {"reason": "Another invoice"}).status_code == 201
    line = lines_of(hotel, first)[0]["lineId"]
    note = credits(hotel, first, (line, usd(1_100))).json["creditNoteId"]
    assert set_off(hotel, account, note, amount=usd(400)).status_code == 201
    assert set_off(hotel, account, note).status_code == 201
    _change(hotel, company(hotel, id=ON_HOLD), "on_hold")
    _change(hotel, company(hotel), "closed")
    open_still = hotel.open_folio()
    hotel.charged(open_still)
    left = settle(hotel, open_still, account, usd(2_500), id=NOT_INVOICED)
    assert left.status_code == 201, left.text


def _change(hotel: Hotel, account: str, status: str) -> None:
    body = {"status": status, "reason": "Agreed"}
    assert hotel.call("PATCH", f"/company-accounts/{account}", body).status_code == 200


COMPANIES = (
    plant(
        BOOKED,
        "UPDATE ledger_entries SET debit_account = 'card_clearing'"
        " WHERE starts_with(source, 'rcp_') AND debit_account = 'bank_clearing'",
    ),
    plant(
        BOOKED,
        "UPDATE ledger_entries SET business_date = business_date + 1"
        " WHERE starts_with(source, 'wof_')",
    ),
    plant(
        BOOKED,
        "DELETE FROM ledger_entries WHERE starts_with(source, 'wof_')",
        also=(LEDGER,),
    ),
    plant(
        NAMED,
        DEBT,
        "UPDATE ledger_entries SET company_account_id ="
        " (SELECT id FROM company_accounts WHERE status = 'on_hold')"
        " WHERE source = (SELECT id FROM account_credits WHERE kind = 'card')",
        also=(BOOKED, LEDGER),
    ),
    plant(
        LEDGER,
        f"UPDATE company_accounts SET not_invoiced_micro = not_invoiced_micro + 10000 {ACTIVE}",
        also=(PARTS, DIGESTED),
    ),
    plant(
        PARTS,
        "UPDATE company_accounts SET open_micro = open_micro - 10000,"
        f" not_invoiced_micro = not_invoiced_micro + 10000 {ACTIVE}",
        also=(DIGESTED,),
    ),
    plant(
        PARTS,
        PART,
        NOTHING_LEFT,
        "UPDATE company_accounts SET open_micro = 10000, unallocated_micro = 10000"
        " WHERE status = 'closed'",
        also=(DIGESTED,),
    ),
    plant(
        OPEN,
        "UPDATE receivables SET open_micro = open_micro + 10000 WHERE " + ONE_OPEN,
        "UPDATE receivables SET open_micro = open_micro - 10000 WHERE NOT " + ONE_OPEN,
    ),
    plant(
        OPEN,
        "UPDATE receivable_allocations SET amount_micro = amount_micro + 10000"
        " WHERE reverses IS NOT NULL",
        also=(PARTS,),
    ),
    plant(
        OPEN,
        "ALTER TABLE receivable_allocations DROP CONSTRAINT allocation_is_reversed_once",
        "INSERT INTO receivable_allocations SELECT tenant_id, 'alc_again', account_id, invoice_id,"
        " amount_micro, currency, credit_id, reverses, reason, business_date, occurred_at,"
        " recorded_at FROM receivable_allocations WHERE reverses IS NOT NULL",
        also=(PARTS, GUARDED),
    ),
    plant(
        OWED,
        "UPDATE receivables SET amount_micro = amount_micro + 10000,"
        " open_micro = open_micro + 10000"
        " WHERE " + ONE_OPEN,
        "UPDATE receivables SET amount_micro = amount_micro - 10000,"
        " open_micro = open_micro - 10000"
        " WHERE NOT " + ONE_OPEN,
    ),
    plant(
        OWED,
        f"UPDATE receivables SET folio_id = 'fol_other' WHERE {ONE_OPEN}",
    ),
    plant(
        OWED,
        f"UPDATE receivable_parts SET amount_micro = amount_micro + 10000 WHERE {ONE_OPEN}",
    ),
    plant(
        OWED,
        f"DELETE FROM receivable_parts WHERE {ONE_OPEN}",
        also=(PARTS,),
    ),
    plant(
        KEEPS,
        "UPDATE write_offs SET currency = 'EUR'",
        also=(BOOKED,),
    ),
    plant(
        KEEPS,
        "UPDATE receivable_allocations SET currency = 'EUR' WHERE credit_id ="
        " (SELECT id FROM account_credits WHERE kind = 'card')",
    ),
    plant(
        KEEPS,
        "ALTER TABLE payments DROP CONSTRAINT city_ledger_payment_names_its_account",
        "UPDATE payments SET method = 'voucher' WHERE id IN (SELECT line_id FROM invoice_lines)"
        " AND company_account_id IS NOT NULL AND refunded_micro = 0",
        also=("payment_takes_off_what_it_is_worth",),
    ),
    plant(
        SET_OFF,
        "UPDATE invoices SET total_micro = total_micro - 10000 WHERE document_type = 'credit_note'",
        also=("a_payload_says_what_its_row_says", "credits_stay_within_their_invoice"),
    ),
    plant(
        SET_OFF,
        "ALTER TABLE account_credits DROP CONSTRAINT set_offs_of_a_note_follow_one_another",
        "INSERT INTO account_credits SELECT tenant_id, 'sof_again', account_id, kind, amount_micro,"
        " currency, reference, processor_payment_id, cash_session_id, credit_note_id,"
        " business_date, occurred_at, recorded_at FROM account_credits WHERE kind = 'credit_note'"
        " AND set_off_before_micro = 0",
        also=(PARTS, BOOKED, GUARDED),
    ),
    plant(
        TWICE,
        "UPDATE payments SET processor_payment_id = 'pi-company' WHERE method = 'bank_transfer'",
    ),
    plant(DIGESTED, f"UPDATE company_accounts SET terms_days = 60 {ACTIVE}"),
    plant(DIGESTED, f"UPDATE company_accounts SET credit_limit_micro = 10000 {ACTIVE}"),
    plant(
        "an_aggregate_stands_where_its_trail_ended",
        f"UPDATE company_accounts SET version = version + 1 {ACTIVE}",
    ),
    plant(
        TAKEN,
        DEBT,
        "UPDATE ledger_entries SET debit_account = 'city_ledger', company_account_id = NULL"
        " WHERE starts_with(source, 'pay_') AND company_account_id IS NOT NULL",
        also=(LEDGER,),
    ),
    plant(
        BACK,
        DEBT,
        "UPDATE ledger_entries SET credit_account = 'bank_clearing', company_account_id = NULL"
        " WHERE starts_with(source, 'rfd_')",
        also=(LEDGER,),
    ),
    plant(SIGNED, "UPDATE write_offs SET confirmed_by = 'somebody'"),
    plant(
        KNOWN,
        "ALTER TABLE company_accounts DROP CONSTRAINT company_account_status_is_known",
        "UPDATE company_accounts SET status = 'lost' WHERE status = 'on_hold'",
        also=(DIGESTED,),
    ),
    plant(
        ANSWERED,
        "UPDATE write_offs SET id = 'wof_other' WHERE amount_micro = 5000000",
        also=(BOOKED,),
    ),
    plant(
        OPEN,
        "UPDATE write_offs SET amount_micro = amount_micro - 10000 WHERE reverses IS NOT NULL",
        "UPDATE write_offs SET amount_micro = amount_micro + 10000 WHERE amount_micro = 5000000",
        also=(BOOKED,),
    ),
    plant(GUARDED, "ALTER TABLE write_offs DROP CONSTRAINT write_off_is_taken_back_once"),
)


TAKEN_BACK = (
    plant(
        ONCE,
        "UPDATE account_credits SET takes_back = (SELECT takes_back FROM account_credits"
        " WHERE kind = 'dispute_won') WHERE cause = 're_company'",
    ),
    plant(
        ONCE,
        "UPDATE account_credits SET cause = 're_other' WHERE kind = 'refund_failed'",
    ),
    plant(ONCE, "UPDATE payment_disputes SET on_account_micro = 1 WHERE status = 'needs_response'"),
    plant(
        BOOKED,
        "UPDATE ledger_entries SET credit_account = 'bank_clearing'"
        " WHERE starts_with(source, 'tkb_') AND credit_account = 'card_clearing'",
    ),
    plant(GUARDED, "DROP INDEX company_money_is_taken_back_once"),
)
