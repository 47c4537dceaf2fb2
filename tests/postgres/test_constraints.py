"""What the database itself refuses, whatever the application may forget (MON-6).

The code looks before it writes, and locks before it looks. Behind that stand constraints, named by
the rule that they keep, and nothing in the service can show that they are there: it never runs into
most of them. So each is broken here on its own, behind the service's back, by a copy of a row that
differs in just that. A constraint that a migration adds has no trial yet and is named by the last
test.
"""

from typing import Final

import pg8000.exceptions
import pytest

from tests.crediting import credits, lines_of
from tests.hotel import Hotel, House, new_id, usd
from tests.moving import move
from tests.owing import taken_back_of_every_kind
from tests.paying_out import payouts_of_every_state
from tests.postgres.certificate_trials import CERTIFICATES
from tests.postgres.charging_trials import CHARGING, charges_of_every_state
from tests.postgres.company_trials import COMPANIES
from tests.postgres.credit_trials import CREDITS as PREPAID
from tests.postgres.credit_trials import MOVES_OTHERWISE, credits_of_every_kind
from tests.postgres.deposit_trials import DEPOSITS, deposits_of_every_kind
from tests.postgres.difference_trials import DIFFERENCES, differences_of_every_state
from tests.postgres.lost_number_trials import LOST, a_number_that_was_lost
from tests.postgres.night_trials import NIGHTS, a_day_that_ended
from tests.postgres.payment_trials import PAYMENTS, payments_of_every_state
from tests.postgres.payout_trials import PAYOUTS
from tests.postgres.platform_credit_trials import (
    PLATFORM_CREDITS,
    PLATFORM_DISPUTES,
    PLATFORM_REFUNDS,
    money_that_went_back,
)
from tests.postgres.purchase_trials import PURCHASES, purchases_of_every_state
from tests.postgres.reconciliation_trials import RECONCILIATIONS
from tests.postgres.refund_trials import REFUNDS, refunds_of_every_state
from tests.postgres.reopening_trials import REOPENINGS, a_folio_that_came_to_less
from tests.postgres.review_trials import REVIEWS
from tests.postgres.sending_trials import SENDINGS, a_sending
from tests.postgres.signal_trials import SIGNALS, a_day_that_was_looked_at
from tests.postgres.subscription_trials import SUBSCRIPTIONS, subscriptions_of_every_kind
from tests.postgres.trials import CASH, Trial, tills_of_every_state
from tests.postgres.webhook_trials import WEBHOOKS, webhooks_of_every_outcome
from tests.trust.invariants.companies import companies_of_every_state
from tests.trust.invariants.reconciliations import reconciliations_of_every_state
from tests.weighing import reviews_of_every_state

pytestmark = pytest.mark.req("MON-6")

CENTRAL: Final = "billing_central"
ALL_CONSTRAINTS: Final = """
SELECT conname
FROM pg_constraint
WHERE contype IN ('c', 'f', 'p', 'u')
  AND connamespace IN ('billing_central'::regnamespace, '{s}'::regnamespace)
UNION
SELECT relname
FROM pg_index
JOIN pg_class ON pg_class.oid = indexrelid
WHERE indisunique
  AND relnamespace IN ('billing_central'::regnamespace, '{s}'::regnamespace)
"""


NEW_LINE: Final = {"id": "chg_x", "sequence": 999, "external_reference": None}
NEW_FOLIO: Final = {"id": "fol_x", "reservation_id": None}
NEW_PAYMENT: Final = {"id": "pay_x", "processor_payment_id": None}
NEW_ENTRY: Final = {"source": "chg_x"}
NEW_INVOICE: Final = {"id": "inv_x", "number": "x", "series_number": 999}
NEW_EVENT: Final = {"id": -1, "event_id": "evt_x", "sequence": 999}
NOWHERE: Final = {"folio_id": "fol_none"}
NOT_INVOICED: Final = new_id("chg")

ONCE: Final = [
    Trial("settings_versions_are_consecutive", "settings_versions", {}),
    Trial("folios_pkey", "folios", {"reservation_id": "other"}),
    Trial(
        "one_folio_per_reservation_and_window",
        "folios",
        {"id": "fol_x"},
        "reservation_id IS NOT NULL",
    ),
    Trial("folio_lines_are_consecutive", "folio_lines", {**NEW_LINE, "sequence": 1}, "sequence=1"),
    Trial("line_id_is_used_once", "folio_lines", {"sequence": 999, "external_reference": None}),
    Trial(
        "external_reference_is_posted_once",
        "folio_lines",
        {"id": "chg_x", "sequence": 999},
        "external_reference IS NOT NULL",
    ),
    Trial("line_is_voided_once", "folio_lines", NEW_LINE, "type = 'void'"),
    Trial("line_is_moved_once", "folio_lines", NEW_LINE, "moved_from IS NOT NULL"),
    Trial("payments_pkey", "payments", {"processor_payment_id": None}),
    Trial(
        "processor_payment_is_recorded_once",
        "payments",
        {"id": "pay_x"},
        "processor_payment_id IS NOT NULL",
    ),
    Trial("settlements_pkey", "settlements", {}),
    Trial("movement_is_booked_once", "ledger_entries", {}),
    Trial("audit_entry_is_written_once", "audit_entries", {"sequence": 999}),
    Trial("audit_entries_are_consecutive", "audit_entries", {"id": "aud_x"}),
    Trial("command_is_answered_once", "idempotency_keys", {}),
    Trial("event_takes_effect_once", "inbox", {}),
    Trial("one_series_per_jurisdiction_type_and_year", "number_series", {}),
    Trial("invoices_pkey", "invoices", {"number": "x", "series_number": 999}),
    Trial("invoice_number_is_given_once", "invoices", {"id": "inv_x", "number": "x"}),
    Trial("printed_number_is_given_once", "invoices", {"id": "inv_x", "series_number": 999}),
    Trial("line_is_on_one_document", "invoice_lines", {}),
    Trial("one_person_per_invoice", "invoice_persons", {}),
    Trial("invoice_is_signed_once", "invoice_signatures", {}),
    Trial("copies_are_numbered", "invoice_renditions", {}),
    Trial("invoice_waits_once", "render_queue", {}),
]
IN_BOUNDS: Final = [
    Trial("folio_status_is_known", "folios", {**NEW_FOLIO, "status": "lost"}),
    Trial(
        "closed_folio_balances",
        "folios",
        {**NEW_FOLIO, "status": "closed", "balance_micro": 1},
        "pending_refunds = 0",
    ),
    Trial("line_type_is_known", "folio_lines", {**NEW_LINE, "type": "gift"}),
    Trial(
        "correction_names_its_line", "folio_lines", {**NEW_LINE, "type": "void", "corrects": None}
    ),
    Trial(
        "moved_line_is_a_charge_or_a_deposit",
        "folio_lines",
        {**NEW_LINE, "moved_from": NOT_INVOICED},
        "type = 'payment'",
    ),
    Trial("line_amount_is_exact", "folio_lines", {**NEW_LINE, "amount_micro": 2**53}),
    Trial("payment_is_positive", "payments", {**NEW_PAYMENT, "paid_amount_micro": 0}),
    Trial(
        "payment_method_is_known",
        "payments",
        {**NEW_PAYMENT, "method": "shells"},
        "method = 'bank_transfer'",
    ),
    Trial("refunds_stay_within_the_payment", "payments", {**NEW_PAYMENT, "refunded_micro": 10**12}),
    Trial("entry_amount_is_positive", "ledger_entries", {**NEW_ENTRY, "amount_micro": 0}),
    Trial(
        "entry_names_two_accounts",
        "ledger_entries",
        {**NEW_ENTRY, "debit_account": "one", "credit_account": "one"},
    ),
]
OF_SOMETHING: Final = [
    Trial("line_belongs_to_a_folio", "folio_lines", {**NEW_LINE, **NOWHERE}),
    Trial("moved_line_was_taken_away", "folio_lines", {**NEW_LINE, "moved_from": "vod_none"}),
    Trial("payment_belongs_to_a_folio", "payments", {**NEW_PAYMENT, **NOWHERE}),
    Trial("settlement_belongs_to_a_folio", "settlements", {"id": "stl_x", **NOWHERE}),
    Trial("invoice_belongs_to_a_folio", "invoices", {**NEW_INVOICE, **NOWHERE}),
    Trial("invoiced_line_exists", "invoice_lines", {"line_id": "chg_none"}),
    Trial(
        "line_is_on_an_invoice",
        "invoice_lines",
        {"invoice_id": "inv_none", "line_id": NOT_INVOICED},
    ),
    Trial("person_is_on_an_invoice", "invoice_persons", {"invoice_id": "inv_none"}),
    Trial("signature_is_of_an_invoice", "invoice_signatures", {"invoice_id": "inv_none"}),
    Trial("rendition_is_of_an_invoice", "invoice_renditions", {"invoice_id": "inv_none"}),
    Trial("waiting_invoice_exists", "render_queue", {"invoice_id": "inv_none"}),
]
CREDITS: Final = [
    Trial("credits_of_an_invoice_stand_together", "invoice_credits", {}),
    Trial("credited_invoice_exists", "invoice_credits", {"invoice_id": "inv_none"}),
    Trial("credits_stay_within_the_invoice", "invoice_credits", {"credited_micro": 10**12}),
    Trial("credit_status_is_known", "invoice_credits", {"status": "lost"}),
    Trial("voided_invoice_is_credited_in_full", "invoice_credits", {"status": "voided"}),
    Trial("credit_notes_pkey", "credit_notes", {}),
    Trial("credit_note_is_a_document", "credit_notes", {"id": "cn_x"}),
    Trial(
        "credit_note_names_its_invoice", "credit_notes", {"id": "cn_x", "invoice_id": "inv_none"}
    ),
    Trial(
        "credit_note_corrects_another_document",
        "credit_notes",
        {"id": "cn_x", "invoice_id": "cn_x"},
    ),
    Trial("line_stands_once_on_a_credit_note", "credit_note_lines", {"before_micro": 1}),
    Trial("credits_of_a_line_follow_one_another", "credit_note_lines", {"credit_note_id": "cn_x"}),
    Trial(
        "credited_line_is_on_a_credit_note",
        "credit_note_lines",
        {"credit_note_id": "cn_x", "before_micro": 1},
    ),
    Trial("credited_line_is_on_a_document", "credit_note_lines", {"line_id": "chg_none"}),
    Trial(
        "credit_takes_something_off", "credit_note_lines", {"gross_micro": 0, "invoiced_micro": 0}
    ),
    Trial(
        "credit_goes_the_way_of_its_line",
        "credit_note_lines",
        {"gross_micro": -1, "before_micro": 10},
    ),
    Trial("credits_stay_within_the_line", "credit_note_lines", {"before_micro": 10**12}),
]
CENTRALLY: Final = [
    Trial("migration_is_applied_once", "schema_migrations", {}),
    Trial("tenants_pkey", "tenants", {"schema_name": "x"}),
    Trial("tenant_schema_is_its_own", "tenants", {"tenant_id": "0" * 32}),
    Trial(
        "tenant_status_is_known",
        "tenants",
        {"tenant_id": "0" * 32, "schema_name": "x", "status": "gone"},
    ),
    Trial("outbox_pkey", "outbox", {"event_id": "evt_x", "sequence": 999}),
    Trial("event_is_told_once", "outbox", {"id": -1, "sequence": 999}),
    Trial("event_sequence_is_the_aggregates", "outbox", {"id": -1, "event_id": "evt_x"}),
    Trial("outbox_shard_is_known", "outbox", {**NEW_EVENT, "shard": 16}),
    Trial("outbox_leases_pkey", "outbox_leases", {}),
    Trial("step_up_token_is_used_once", "step_up_uses", {}),
    Trial("one_counter_per_bucket_and_window", "rate_counters", {}),
    Trial("dead_letters_pkey", "dead_letters", {"message_id": "x"}),
    Trial("card_payment_is_listed_once", "card_payments", {}),
    Trial("processor_customer_is_of_one_tenant", "processor_customers", {}),
    Trial("processor_account_is_of_one_tenant", "processor_accounts", {}),
    Trial("circuit_breakers_pkey", "circuit_breakers", {}),
    Trial("failures_are_counted_from_nought", "circuit_breakers", {"name": "x", "failures": -1}),
    Trial(
        "probe_has_a_holder_and_an_end",
        "circuit_breakers",
        {"name": "x", "opened_at": "2026-03-01", "probe_by": "x"},
    ),
    Trial(
        "closed_breaker_needs_no_probe",
        "circuit_breakers",
        {"name": "x", "probe_by": "x", "probe_until": "2026-03-01"},
    ),
    Trial("letter_is_dead_once", "dead_letters", {"id": "dlq_x"}),
    Trial(
        "letter_is_kept_for_90_days",
        "dead_letters",
        {"id": "dlq_x", "message_id": "x", "message": "{}", "forgotten_at": "2026-03-01"},
    ),
    Trial(
        "forgotten_letter_has_no_body",
        "dead_letters",
        {
            "id": "dlq_x",
            "message_id": "x",
            "message": '{"payload": 1}',
            "forgotten_at": "2999-01-01",
        },
    ),
    *SUBSCRIPTIONS,
    *CHARGING,
    *PLATFORM_CREDITS,
    *PLATFORM_REFUNDS,
]


EVERYTHING: Final = [
    *ONCE,
    *IN_BOUNDS,
    *OF_SOMETHING,
    *CASH,
    *CREDITS,
    *REFUNDS,
    *NIGHTS,
    *LOST,
    *DEPOSITS,
    *SIGNALS,
    *RECONCILIATIONS,
    *DIFFERENCES,
    *PAYOUTS,
    *REOPENINGS,
    *COMPANIES,
    *PREPAID,
    *WEBHOOKS,
    *PLATFORM_DISPUTES,
    *CERTIFICATES,
    *SENDINGS,
    *PAYMENTS,
    *PURCHASES,
    *REVIEWS,
]


@pytest.fixture(scope="module")
def full(house: House) -> Hotel:
    """A hotel with at least one row in every table, and every kind of line."""
    hotel = house.new_hotel()
    folio = hotel.open_folio(reservationId="R-1")
    hotel.charged(folio, source="pos", externalReference="bon-1")
    mistaken = hotel.charged(folio)
    hotel.post(f"/folios/{folio}/charges/{mistaken}/void", {"reason": "Wrong room"})
    card = {"paymentId": "pp-1", "folioId": folio, "amount": usd(11_000)}
    assert hotel.deliver("on_payment_captured", card).status_code == 204
    invoice = hotel.post(f"/folios/{folio}/close").json["invoiceId"]
    assert hotel.render(invoice).status_code == 204
    line = lines_of(hotel, invoice)[0]["lineId"]
    assert credits(hotel, invoice, (line, usd(1_000))).status_code == 201
    hotel.charged(hotel.open_folio(), id=NOT_INVOICED)
    hotel.closed_folio()  # its invoice waits to be drawn
    hotel.deliver("on_payment_captured", {**card, "folioId": "none"})  # a dead letter
    house.sql(
        "INSERT INTO billing_central.step_up_uses VALUES"
        " ('issuer', 'token', :tenant, 'clerk', 'scope', 'hash', 'context', now(), now())",
        tenant=hotel.tenant_id,
    )
    tills_of_every_state(hotel)
    refunds_of_every_state(hotel)
    a_day_that_ended(hotel)
    hers, his = hotel.open_folio(), hotel.open_folio()
    assert move(hotel, hers, his, hotel.charged(hers)).status_code == 201
    deposits_of_every_kind(hotel)
    a_number_that_was_lost(hotel)
    a_day_that_was_looked_at(hotel)
    reconciliations_of_every_state(hotel)
    differences_of_every_state(hotel)
    payouts_of_every_state(hotel)
    a_folio_that_came_to_less(hotel)
    companies_of_every_state(hotel)
    taken_back_of_every_kind(hotel)
    credits_of_every_kind(hotel)
    webhooks_of_every_outcome(hotel)
    a_sending(hotel, invoice)
    subscriptions_of_every_kind(hotel)
    charges_of_every_state(hotel)
    payments_of_every_state(hotel)
    purchases_of_every_state(hotel)
    reviews_of_every_state(hotel)
    money_that_went_back(hotel)  # the last: a job that gives money back would settle what waits
    return hotel


@pytest.mark.parametrize(
    "trial",
    EVERYTHING,
    ids=lambda t: t.constraint,
)
def test_a_tenants_books_refuse_what_breaks_the_rule(full: Hotel, trial: Trial) -> None:
    assert_refused_by(full.house, trial, full.schema)


@pytest.mark.req("CRD-1")
@pytest.mark.parametrize(
    "trial", MOVES_OTHERWISE, ids=[f"{n}-{t.which[8:-1]}" for n, t in enumerate(MOVES_OTHERWISE)]
)
def test_credits_move_as_the_kind_of_their_entry_says(full: Hotel, trial: Trial) -> None:
    assert_refused_by(full.house, trial, full.schema)


@pytest.mark.parametrize("trial", CENTRALLY, ids=lambda t: t.constraint)
def test_the_central_tables_refuse_what_breaks_the_rule(full: Hotel, trial: Trial) -> None:
    assert_refused_by(full.house, trial, CENTRAL)


def test_every_constraint_has_its_trial(full: Hotel) -> None:
    trials = (*EVERYTHING, *CENTRALLY)
    tried = {trial.constraint for trial in trials}
    there = {row[0] for row in full.rows(ALL_CONSTRAINTS)}

    assert tried == there


def assert_refused_by(house: House, trial: Trial, schema: str) -> None:
    with house.session() as session:
        session.run("BEGIN")
        with pytest.raises(pg8000.exceptions.DatabaseError) as refused:
            session.run(trial.sql(schema))
        session.run("ROLLBACK")

    assert refused.value.args[0].get("n") == trial.constraint, refused.value
