"""For each invariant, tampering that breaks it: SQL as somebody writes it past the service.

Each is done in the busy hotel of `busy_hotel`, inside a transaction that is rolled back. `also` are
the other invariants that must notice, because they hold the same fact from another side: what
touches a signed or chained document, for one, cannot fail to break its hash. `{tenant}`, `{role}`
and `{other}` (another tenant) are filled in.
"""

from dataclasses import dataclass

from tests.hotel import Hotel, House, charge, usd, vat

OPEN = "(SELECT id FROM folios WHERE status = 'open' AND last_line > 0)"
LAST_ENTRY = f"""
aggregate_id = {OPEN} AND sequence = (SELECT version FROM folios WHERE id = {OPEN})
"""
DIGESTED = "a_folio_is_what_its_trail_digested"
HASHED = "an_entry_fits_its_hash"
TOLD = "every_fact_has_its_event"
BOOKED = "lines_are_booked_as_they_read"


@dataclass(frozen=True)
class Plant:
    """Tampering that the invariant of this name has to notice, and `also` those others."""

    invariant: str
    sql: tuple[str, ...]
    also: frozenset[str] = frozenset()


def plant(invariant: str, *sql: str, also: tuple[str, ...] = ()) -> Plant:
    """A plant; what else notices it is named."""
    return Plant(invariant, sql, frozenset(also))


MONEY = (
    plant(
        "balance_is_the_sum_of_the_lines",
        f"UPDATE folios SET balance_micro = balance_micro + 10000 WHERE id = {OPEN}",
        also=("balance_is_what_the_ledger_says", DIGESTED),
    ),
    plant(
        "balance_is_what_the_ledger_says",
        f"DELETE FROM ledger_entries WHERE folio_id = {OPEN} AND starts_with(source, 'chg_')",
        also=(BOOKED,),
    ),
    plant(
        BOOKED,
        "UPDATE ledger_entries SET credit_account = 'revenue:spa'"
        " WHERE credit_account = 'revenue:minibar'",
    ),
    plant(
        BOOKED,
        "INSERT INTO ledger_entries SELECT tenant_id, 'chg_none', 0, NULL, property_id,"
        " 'revenue:spa', 'revenue:room', 5, currency, business_date, occurred_at, recorded_at"
        " FROM ledger_entries LIMIT 1",
    ),
    plant(
        "payments_are_booked_as_they_were_taken",
        "UPDATE ledger_entries SET debit_account = 'card_clearing'"
        " WHERE debit_account = 'bank_clearing'",
    ),
    plant(
        "payments_are_booked_as_they_were_taken",
        "DELETE FROM ledger_entries WHERE credit_account = 'fx_clearing'",
    ),
    plant(
        "payment_takes_off_what_it_is_worth",
        """UPDATE payments SET fx = jsonb_set(fx, '{{rate}}', '"1.2"') WHERE fx IS NOT NULL""",
    ),
    plant(
        "payment_takes_off_what_it_is_worth",
        f"DELETE FROM payments WHERE folio_id = {OPEN}",
        also=("payments_are_booked_as_they_were_taken",),
    ),
    plant(
        "refunds_stay_within_the_payment",
        "ALTER TABLE payments DROP CONSTRAINT refunds_stay_within_the_payment",
        "UPDATE payments SET refunded_micro = amount_micro + 1",
    ),
    plant(
        "lines_are_numbered_without_a_gap",
        f"UPDATE folio_lines SET sequence = 99 WHERE folio_id = {OPEN} AND sequence = 2",
        also=("every_line_is_told_once",),
    ),
    plant("a_folio_keeps_one_currency", "UPDATE settlements SET currency = 'EUR'"),
    plant(
        "states_and_kinds_are_known",
        f"UPDATE folio_lines SET source = 'hearsay' WHERE folio_id = {OPEN}",
    ),
    plant(
        "states_and_kinds_are_known",
        f"UPDATE folios SET windows = '[\"company\"]' WHERE id = {OPEN}",
    ),
    plant(
        "a_correction_stays_on_its_charge",
        "UPDATE folio_lines SET corrects = NULL WHERE type = 'adjustment'",
    ),
    plant(
        "a_void_reverses_its_whole_charge",
        "UPDATE folio_lines SET charge_id = room.id, corrects = room.id"
        f" FROM (SELECT id FROM folio_lines WHERE folio_id = {OPEN} AND sequence = 1) AS room"
        " WHERE type = 'tax' AND amount_micro = -30000",
        also=("a_void_mirrors_the_line_it_corrects",),
    ),
    plant(
        "a_void_mirrors_the_line_it_corrects",
        "UPDATE folio_lines SET kind = 'laundry' WHERE type = 'void' AND tax IS NOT NULL",
    ),
    plant(
        "a_void_mirrors_the_line_it_corrects",
        """UPDATE folio_lines SET tax = jsonb_set(tax, '{{exactMicro}}', '-1')
        WHERE type = 'void' AND tax IS NOT NULL""",
        also=("tax_sums_are_those_of_the_tax_lines",),
    ),
    plant(
        "a_charge_never_comes_to_less_than_nothing",
        "UPDATE folio_lines SET charge_id = small.id, corrects = small.id"
        " FROM (SELECT id FROM folio_lines WHERE kind = 'minibar' AND type = 'charge') AS small"
        " WHERE type = 'adjustment' AND amount_micro = -10000000",
    ),
    plant(
        "tax_sums_are_those_of_the_tax_lines",
        f"UPDATE folios SET tax_sums = '{{}}' WHERE id = {OPEN}".replace("{}", "{{}}"),
    ),
    plant(
        "tax_sums_are_those_of_the_tax_lines",
        """UPDATE folios SET tax_sums = '{{"VAT|100000|S": [0, 0]}}' WHERE status = 'closed'""",
    ),
    plant(
        "a_line_names_settings_that_there_were",
        f"UPDATE folio_lines SET settings_version = 99 WHERE folio_id = {OPEN}",
    ),
    plant(
        "a_line_names_settings_that_there_were",
        "UPDATE settings_versions SET version = 3 WHERE version = 2",
    ),
)
DOCUMENTS = (
    plant(
        "a_closed_folio_is_settled_and_invoiced_once",
        "INSERT INTO settlements SELECT tenant_id, concat(id, '2'), folio_id, charges_micro,"
        " payments_micro, residual_micro, currency, fx, settled_at FROM settlements",
    ),
    plant(
        "a_closed_folio_is_settled_and_invoiced_once",
        f"UPDATE folios SET closed_at = opened_at WHERE id = {OPEN}",
    ),
    plant(
        "a_settlement_is_what_the_lines_come_to",
        "UPDATE settlements SET charges_micro = charges_micro + 1,"
        " payments_micro = payments_micro + 1",
    ),
    plant(
        "numbers_run_from_one_without_a_gap",
        "UPDATE number_series SET last_number = last_number + 1",
    ),
    plant(
        "a_number_is_printed_as_it_was_given",
        "UPDATE invoices SET number = replace(number, '000002', '000009')",
        also=("a_payload_says_what_its_row_says", "an_invoice_is_what_its_trail_digested"),
    ),
    plant(
        "each_document_names_the_one_before",
        "UPDATE number_series SET last_sha256 = sha256('another')",
    ),
    plant(
        "each_document_names_the_one_before",
        "UPDATE invoices SET previous_sha256 = sha256('another') WHERE series_number = 1",
        also=("a_payload_says_what_its_row_says",),
    ),
    plant(
        "a_payload_fits_its_hash",
        """UPDATE invoices SET payload = replace(payload, '"Night"', '"Might"')""",
    ),
    plant(
        "a_payload_says_what_its_row_says",
        "UPDATE invoices SET business_date = business_date + 1",
    ),
    plant(
        "an_invoice_adds_up",
        "UPDATE invoices SET payload = replace(payload, '\"dueMicro\":0', '\"dueMicro\":10000')",
        also=("a_payload_fits_its_hash",),
    ),
    plant(
        "an_invoice_adds_up",
        "UPDATE invoices SET payload = jsonb_set(payload::jsonb, '{{lines,0,netMicro}}', '1')",
        also=("a_payload_fits_its_hash",),
    ),
    plant(
        "every_line_of_a_closed_folio_is_on_its_invoice",
        "DELETE FROM invoice_lines WHERE starts_with(line_id, 'chg_')",
        also=("an_invoice_adds_up",),
    ),
    plant(
        "a_person_fits_the_commitment",
        """UPDATE invoice_persons SET document = jsonb_set(document, '{{name}}', '"B. Guest"')""",
    ),
    plant("a_person_fits_the_commitment", "UPDATE invoice_persons SET erased_at = now()"),
    plant("an_invoice_is_drawn_or_waits_to_be", "DELETE FROM render_queue"),
    plant("an_invoice_is_drawn_or_waits_to_be", "DELETE FROM invoice_signatures"),
)
TRAILS = (
    plant(
        "a_trail_is_numbered_without_a_gap",
        f"DELETE FROM audit_entries WHERE aggregate_id = {OPEN} AND action = 'folio.balance_due'",
        also=("an_entry_names_what_came_before", TOLD),
    ),
    plant(
        "an_entry_names_what_came_before",
        "UPDATE audit_entries SET previous_hash = sha256('another') WHERE sequence = 2",
        also=(HASHED,),
    ),
    plant(HASHED, "UPDATE audit_entries SET actor = 'somebody' WHERE actor = 'clerk'"),
    plant(HASHED, "UPDATE audit_entries SET occurred_at = occurred_at - interval '1 hour'"),
    plant(
        "a_folio_stands_where_its_trail_ended",
        f"UPDATE folios SET version = version + 1 WHERE id = {OPEN}",
    ),
    plant(
        "a_folio_stands_where_its_trail_ended",
        f"DELETE FROM audit_entries WHERE {LAST_ENTRY}",
        also=(TOLD, "every_line_is_told_once"),
    ),
    plant(DIGESTED, f"UPDATE folios SET reservation_id = 'another' WHERE id = {OPEN}"),
    plant(
        "an_invoice_is_what_its_trail_digested",
        "INSERT INTO invoice_renditions SELECT tenant_id, invoice_id, 2, language,"
        " template_version, object_name, pdf_sha256, rendered_at"
        " FROM invoice_renditions WHERE copy = 1",
    ),
    plant(
        "a_trail_begins_and_ends_as_its_folio_did",
        "UPDATE audit_entries SET action = 'folio.left' WHERE action = 'folio.closed'",
        also=(HASHED, TOLD),
    ),
    plant(
        "every_line_is_told_once",
        'UPDATE audit_entries SET detail = replace(detail, \'"type":"void"\', \'"type":"tax"\')'
        " WHERE action = 'charge.voided'",
        also=(HASHED, TOLD),
    ),
)
MESSAGES = (
    plant(TOLD, f"DELETE FROM billing_central.outbox WHERE ordering_key = {OPEN} AND sequence = 2"),
    plant(TOLD, f"DELETE FROM billing_central.outbox WHERE ordering_key = {OPEN}"),
    plant(
        TOLD,
        "UPDATE billing_central.outbox SET event = replace(event, 'bank_transfer', 'card')"
        " WHERE tenant_id = '{tenant}'",
    ),
    plant(
        "events_of_an_aggregate_are_in_order",
        "UPDATE billing_central.outbox SET published_at = now()"
        " WHERE tenant_id = '{tenant}' AND sequence = 2",
    ),
    plant(
        "events_of_an_aggregate_are_in_order",
        "UPDATE billing_central.outbox SET shard = (shard + 1) % 16"
        " WHERE tenant_id = '{tenant}' AND sequence = 2",
    ),
    plant(
        "an_event_says_what_its_row_says",
        "UPDATE billing_central.outbox SET event = replace(event, '{tenant}', '{other}')"
        " WHERE tenant_id = '{tenant}'",
    ),
    plant("what_an_event_did_is_noted_with_it", "DELETE FROM inbox"),
    plant(
        "an_answer_speaks_of_what_there_is",
        'UPDATE idempotency_keys SET body = \'{{"lines":[{{"lineId":"chg_none"}}]}}\'',
    ),
    plant(
        "a_confirmation_serves_one_deed",
        "INSERT INTO billing_central.step_up_uses VALUES ('iam', 'token', '{tenant}', 'clerk',"
        " 'billing.admin', 'proof', 'context', now(), now())",
    ),
)
GUARDS = (
    plant(
        "every_row_is_the_tenants",
        "UPDATE inbox SET tenant_id = '{other}'",
        also=("what_an_event_did_is_noted_with_it",),
    ),
    plant(
        "every_row_is_the_tenants",
        "CREATE TABLE planted AS SELECT gen_random_uuid() AS tenant_id",
        also=("every_table_keeps_row_security", "every_column_is_what_it_holds"),
    ),
    plant("every_table_keeps_row_security", "ALTER TABLE folios NO FORCE ROW LEVEL SECURITY"),
    plant(
        "every_table_keeps_row_security",
        "CREATE POLICY lax ON payments TO {role} USING (true)",
    ),
    plant(
        "every_table_keeps_row_security",
        "ALTER TABLE billing_central.outbox DISABLE ROW LEVEL SECURITY",
    ),
    plant("every_column_is_what_it_holds", "ALTER TABLE payments ADD COLUMN fee_micro integer"),
    plant("every_column_is_what_it_holds", "ALTER TABLE payments ADD COLUMN rate numeric(12, 6)"),
    plant("a_record_cannot_be_changed", "GRANT DELETE ON ledger_entries TO {role}"),
    plant("a_record_cannot_be_changed", "GRANT UPDATE (amount_micro) ON folio_lines TO {role}"),
    plant(
        "what_may_happen_once_is_guarded",
        "ALTER TABLE folio_lines DROP CONSTRAINT external_reference_is_posted_once",
    ),
    plant("nobody_passes_row_security", "ALTER ROLE {role} BYPASSRLS"),
)
PLANTS = (*MONEY, *DOCUMENTS, *TRAILS, *MESSAGES, *GUARDS)


def busy_hotel(house: House, **settings: object) -> Hotel:
    """A hotel after a day: two folios closed, one drawn twice, one open, refusals in between."""
    hotel = house.new_hotel(**settings)
    first, invoice = hotel.closed_folio()
    hotel.render(invoice)
    hotel.post(f"/invoices/{invoice}/regenerate")
    _left_a_cent(hotel)
    hotel.write_settings(**settings, residualMinorUnitsPerForeignPayment=2)
    hotel.post(f"/folios/{first}/charges", charge())  # closed: refused

    folio = hotel.open_folio(reservationId="R-7")
    room = hotel.charged(folio, cents=10_000)
    hotel.charged(folio, "minibar", cents=1)
    wrong = hotel.charged(folio, "spa", cents=333)
    _adjusted(hotel, folio, wrong, -33)
    hotel.post(f"/folios/{folio}/charges/{wrong}/void", {"reason": "never had it"})
    hotel.post(f"/folios/{folio}/charges/{wrong}/void", {"reason": "again"})  # refused
    _adjusted(hotel, folio, room, -1_000)
    hotel.paid(folio, {"amountMicro": 20_000_000, "currency": "EUR"})
    hotel.paid(folio, usd(1_000))
    hotel.post(f"/folios/{folio}/close")  # refused, and told
    hotel.deliver("on_payment_captured", _captured(folio))
    return hotel


def otherwise_taxed(house: House) -> Hotel:
    """The same day where prices include one tax, bear another, and tax is rounded per invoice."""
    rules = [vat(77_000, inclusive=True), vat(33_333, code="CITY", name="City tax", order=1)]
    return busy_hotel(house, taxRules=rules, roundsTaxPerInvoice=True)


def _left_a_cent(hotel: Hotel) -> None:
    """90.91 and 10 %: 100.00 are owed; 90.91 euros at 1.10 are 100.00 less or more a cent."""
    folio = hotel.open_folio()
    hotel.charged(folio, cents=9_091)
    balance = hotel.get(f"/folios/{folio}").json["balance"]["amountMicro"]
    euros = balance * 10 // 11 // 10_000 * 10_000
    hotel.paid(folio, {"amountMicro": euros, "currency": "EUR"})
    answer = hotel.post(f"/folios/{folio}/close")
    assert answer.status_code == 200, answer.text


def _adjusted(hotel: Hotel, folio: str, charged: str, cents: int) -> None:
    body = {"chargeId": charged, "amount": usd(cents), "description": "less", "reason": "noise"}
    answer = hotel.post(f"/folios/{folio}/adjustments", body)
    assert answer.status_code == 201, answer.text


def _captured(folio: str) -> dict[str, object]:
    return {"paymentId": "pp-1", "folioId": folio, "amount": usd(100)}
