"""What must be noticed of documents, trails, messages and the database's own guards."""

from tests.trust.invariants.money import MONEY
from tests.trust.invariants.plant import (
    DIGESTED,
    EMPTY,
    GUARDED,
    HASHED,
    LAST_ENTRY,
    OPEN,
    STEP_UP,
    TOLD,
    plant,
)

DOCUMENTS = (
    plant(
        "a_closed_folio_is_settled_and_billed",
        "INSERT INTO settlements SELECT tenant_id, concat(id, '2'), folio_id, charges_micro,"
        " payments_micro, residual_micro, currency, fx, settled_at FROM settlements",
        also=("a_settlement_is_what_the_lines_come_to",),
    ),
    plant(
        "a_closed_folio_is_settled_and_billed",
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
        "a_certificate_is_what_its_trail_digested",
        "UPDATE signing_certificates SET own = NOT own",
    ),
    plant("a_certificate_is_what_its_trail_digested", "DELETE FROM signing_certificates"),
    plant(GUARDED, "DROP INDEX key_version_has_one_certificate_of_its_own"),
    plant(GUARDED, "ALTER TABLE signing_certificates DROP CONSTRAINT certificate_is_kept_once"),
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
        "every_settled_line_is_on_one_document",
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
    plant(
        "a_settlement_is_what_the_lines_come_to",
        "INSERT INTO settlements SELECT tenant_id, 'stl_none', empty.id, 1, 1, 0, currency, fx,"
        f" settled_at FROM settlements, {EMPTY} AS empty LIMIT 1",
        also=("a_closed_folio_is_settled_and_billed",),
    ),
    plant("numbers_run_from_one_without_a_gap", "DELETE FROM number_series"),
    plant(
        "numbers_run_from_one_without_a_gap",
        "INSERT INTO lost_numbers SELECT tenant_id, jurisdiction, document_type, year,"
        " last_number + 1, 'lost', NULL, now() FROM number_series",
    ),
    plant(GUARDED, "ALTER TABLE lost_numbers DROP CONSTRAINT number_is_lost_once"),
    plant(
        "numbers_are_given_in_the_order_of_time",
        "UPDATE number_series SET last_issued_at = last_issued_at - interval '1 second'",
    ),
    plant(
        "numbers_are_given_in_the_order_of_time",
        "UPDATE invoices SET issued_at = issued_at + interval '1 day' WHERE series_number = 1",
    ),
    plant(
        "a_number_is_printed_as_it_was_given",
        "UPDATE invoices SET number = substr(number, 4)",
        also=("a_payload_says_what_its_row_says", "an_invoice_is_what_its_trail_digested"),
    ),
    plant(
        "every_settled_line_is_on_one_document",
        "DELETE FROM invoice_lines",
        also=("an_invoice_adds_up",),
    ),
    plant("a_person_fits_the_commitment", "DELETE FROM invoice_persons"),
    plant(
        "an_invoice_is_drawn_or_waits_to_be",
        "DELETE FROM invoice_renditions WHERE copy = 0",
        also=("an_invoice_is_what_its_trail_digested",),
    ),
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
        "an_aggregate_stands_where_its_trail_ended",
        f"UPDATE folios SET version = version + 1 WHERE id = {OPEN}",
    ),
    plant(
        "an_aggregate_stands_where_its_trail_ended",
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
    plant(
        "a_trail_is_numbered_without_a_gap",
        "ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_are_consecutive",
        f"UPDATE audit_entries SET sequence = 2 WHERE aggregate_id = {OPEN} AND sequence = 3",
        also=(HASHED, TOLD, GUARDED),
    ),
    plant(
        "an_aggregate_stands_where_its_trail_ended",
        f"DELETE FROM audit_entries WHERE aggregate_id = {EMPTY}",
        also=(TOLD,),
    ),
    plant(
        "an_aggregate_stands_where_its_trail_ended",
        "DELETE FROM folios WHERE last_line = 0",
        also=("an_answer_speaks_of_what_there_is",),
    ),
    plant(
        "an_invoice_is_what_its_trail_digested",
        "DELETE FROM audit_entries WHERE aggregate_kind = 'invoice'",
        also=(TOLD,),
    ),
    plant(
        "a_trail_begins_and_ends_as_its_folio_did",
        "UPDATE audit_entries SET action = 'folio.closed' WHERE action = 'charge.posted'"
        " AND aggregate_id IN (SELECT id FROM folios WHERE status = 'closed')",
        also=(HASHED, TOLD),
    ),
    plant(
        "a_trail_begins_and_ends_as_its_folio_did",
        "INSERT INTO audit_entries SELECT tenant_id, concat(id, '2'), aggregate_kind,"
        " aggregate_id, sequence + 1, 'folio.left', actor, auth_strength, step_up_token_id,"
        " assertion_hash, reason, '{{}}', digest_after, digest_after, trace_id, occurred_at,"
        " recorded_at, hash, hash FROM audit_entries WHERE action = 'folio.closed'",
        also=(HASHED, "an_aggregate_stands_where_its_trail_ended"),
    ),
    plant(
        "every_line_is_told_once",
        "UPDATE audit_entries SET detail = jsonb_set(detail::jsonb, '{{lines}}',"
        " (detail::jsonb -> 'lines') || (detail::jsonb -> 'lines')) WHERE action = 'charge.voided'",
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
        STEP_UP,
    ),
    plant(
        "what_an_event_did_is_noted_with_it",
        "UPDATE inbox SET recorded_at = recorded_at - interval '1 second'",
    ),
    plant(
        "a_confirmation_serves_one_deed",
        STEP_UP,
        f"UPDATE audit_entries SET step_up_token_id = 'token', assertion_hash = 'proof'"
        f" WHERE aggregate_id = {OPEN} AND actor = 'clerk'",
        also=(HASHED,),
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
    plant(
        "every_table_keeps_row_security",
        "CREATE TABLE planted (tenant_id uuid NOT NULL)",
        "ALTER TABLE planted ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    ),
    plant(
        "every_table_keeps_row_security",
        "CREATE TABLE billing_central.planted (id text)",
        "ALTER TABLE billing_central.planted ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    ),
    plant(
        GUARDED,
        "DROP INDEX line_is_voided_once",
        "CREATE INDEX line_is_voided_once ON folio_lines (tenant_id, corrects)",
    ),
)
HARMLESS: tuple[tuple[str, ...], ...] = (
    ("INSERT INTO number_series VALUES ('{tenant}', 'AF-HRT', 'invoice', 2026, 0)",),
    ("UPDATE invoice_persons SET salt = NULL, document = NULL, erased_at = now()",),
    ("UPDATE billing_central.outbox SET published_at = now() WHERE tenant_id = '{tenant}'",),
    (
        "UPDATE billing_central.outbox SET event = '{{}}', shard = sequence % 16"
        " WHERE tenant_id <> '{tenant}'",
    ),
    ("DELETE FROM idempotency_keys",),
)
"""What happens to books that are in order, or is none of this tenant's business."""
PLANTS = (*MONEY, *DOCUMENTS, *TRAILS, *MESSAGES, *GUARDS)
