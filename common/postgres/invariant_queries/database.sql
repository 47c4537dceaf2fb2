-- What the database itself guards.

-- note: strangers
-- as: administrator
-- Of each table in the tenant's schema: how many rows say that they are another tenant's.
DO $$
DECLARE
  found jsonb := '{}';
  place name;
  strangers bigint;
BEGIN
  FOR place IN
    SELECT relname
    FROM pg_class
    JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'tenant_id'
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
  LOOP
    EXECUTE format('SELECT count(*) FROM %I WHERE tenant_id IS DISTINCT FROM $1', place)
      INTO strangers USING billing_central.current_tenant();
    found := found || jsonb_build_object(place, strangers);
  END LOOP;
  PERFORM set_config('books.strangers', found::text, true);
END $$;

-- invariant: every_row_is_the_tenants
-- as: administrator
-- Every row in a tenant's schema is the tenant's, whatever the table.
SELECT key, concat(value, ' rows of somebody else')
FROM jsonb_each_text(current_setting('books.strangers')::jsonb)
WHERE value::bigint > 0;

-- invariant: every_table_keeps_row_security
-- Every table has row security that binds its owner as well, and a tenant's shows its rows to the
-- tenant's own role in the tenant's own transactions only.
SELECT relname, concat_ws(' ', 'row security', relrowsecurity, 'forced', relforcerowsecurity,
  'policy', polname, pg_get_expr(polqual, polrelid))
FROM pg_class
LEFT JOIN pg_policy ON polrelid = pg_class.oid
CROSS JOIN LATERAL (
  SELECT format('((tenant_id = %L::uuid) AND (tenant_id = billing_central.current_tenant()))',
    billing_central.current_tenant()) AS own
) AS rows
WHERE relkind IN ('r', 'p')
  AND relnamespace IN (current_schema()::regnamespace, 'billing_central'::regnamespace)
  AND (NOT (relrowsecurity AND relforcerowsecurity)
    OR polname IS NULL
    OR relnamespace = current_schema()::regnamespace
       AND (polroles, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
             IS DISTINCT FROM (ARRAY[current_user::regrole::oid], own, own));

-- invariant: every_column_is_what_it_holds
-- Money is a bigint, nothing is a fraction that drifts, and every row says whose it is.
SELECT relname, concat_ws(' ', attname, format_type(atttypid, atttypmod))
FROM pg_class
LEFT JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
  AND (atttypid IN ('numeric'::regtype, 'real'::regtype, 'double precision'::regtype,
         'money'::regtype)
    OR attname LIKE '%\_micro' AND atttypid <> 'bigint'::regtype)
WHERE relkind IN ('r', 'p')
  AND relnamespace = current_schema()::regnamespace
  AND (attname IS NOT NULL
    OR NOT EXISTS (
      SELECT FROM pg_attribute
      WHERE attrelid = pg_class.oid AND attname = 'tenant_id' AND attnotnull
        AND atttypid = 'uuid'::regtype));

-- invariant: a_record_cannot_be_changed
-- The tenant's role may add to a table of record, and neither change nor delete what is in it.
SELECT relname, 'the tenant''s role may change what is written'
FROM pg_class
WHERE relnamespace = current_schema()::regnamespace
  AND relname IN ('account_credits', 'audit_entries', 'canceled_reservations', 'cash_movements',
    'credit_book_entries', 'credit_claw_back_reversals', 'credit_claw_backs',
    'credit_entry_lots', 'credit_expiry_warnings', 'credit_ledger_entries', 'credit_note_lines',
    'credit_note_signatures', 'credit_notes', 'credit_sale_entries', 'folio_lines', 'invoice_lines',
    'invoice_signatures', 'invoices', 'ledger_entries', 'lost_numbers', 'night_audits',
    'receivable_allocations', 'receivable_parts', 'refund_failures',
    'refund_settlements', 'refunds', 'reopenings',
    'returned_parts', 'risk_checks', 'sendings', 'settings_versions', 'settlements', 'signing_certificates',
    'webhook_attempts', 'webhook_events', 'write_offs')
  AND (has_any_column_privilege(oid, 'UPDATE') OR has_table_privilege(oid, 'DELETE, TRUNCATE'));

-- invariant: what_may_happen_once_is_guarded
-- Each unique constraint that lets a thing happen once is there.
SELECT name, 'is not there'
FROM unnest(ARRAY['account_fills_itself_up_one_way', 'allocation_is_reversed_once',
  'audit_entries_are_consecutive', 'audit_entry_is_written_once', 'certificate_is_kept_once',
  'claw_back_is_reversed_once', 'command_is_answered_once',
  'company_money_is_taken_back_once',
  'company_card_payment_is_recorded_once', 'copies_are_numbered', 'credit_account_is_opened_once',
  'credit_entries_are_consecutive', 'set_offs_of_a_note_follow_one_another', 'credits_are_booked_once',
  'credits_are_granted_once', 'credits_are_taken_back_once', 'credits_of_a_grant_are_one_lot',
  'credits_of_a_line_follow_one_another', 'credits_pay_once_and_come_back_once',
  'credits_of_an_invoice_stand_together', 'day_ends_once',
  'day_is_looked_at_once', 'day_is_reconciled_once', 'difference_is_found_once',
  'dispute_is_recorded_once', 'entry_names_a_lot_once', 'event_takes_effect_once',
  'expiry_is_warned_of_once', 'external_reference_is_posted_once',
  'folio_is_reopened_once_at_a_time', 'folio_lines_are_consecutive', 'intent_waits_once',
  'invoice_is_owed_once', 'invoice_is_signed_once', 'invoice_number_is_given_once',
  'invoice_waits_once', 'key_version_has_one_certificate_of_its_own',
  'late_refund_is_recorded_once', 'line_id_is_used_once', 'line_is_moved_once',
  'line_is_on_one_document', 'line_is_voided_once', 'line_stands_once_on_a_credit_note',
  'movement_is_booked_once', 'night_is_charged_once', 'night_is_planned_once',
  'number_is_lost_once',
  'one_collection_of_a_debt_at_a_time', 'one_customer_per_email',
  'one_folio_per_reservation_and_window', 'one_open_review_per_subject',
  'one_open_session_per_drawer', 'one_payout_account_per_tenant', 'one_person_per_invoice',
  'one_series_per_jurisdiction_type_and_year', 'one_top_up_at_a_time_per_account',
  'part_goes_back_once', 'payment_holds_one_lease', 'payment_is_of_one_intent',
  'payment_is_sent_back_once', 'payment_is_weighed_once',
  'payment_method_is_kept_once',
  'payout_is_decided_on_its_own', 'payout_waits_once', 'printed_number_is_given_once',
  'processor_customer_is_of_one_customer', 'processor_payment_buys_once',
  'processor_payment_is_of_one_intent', 'processor_payment_is_recorded_once',
  'processors_refund_is_recorded_once', 'purchase_waits_once',
  'recipients_of_a_sending_stand_once', 'refund_fails_once',
  'refund_is_confirmed_on_its_own',
  'refund_is_reversed_once', 'refund_is_settled_once', 'refund_waits_once', 'refunds_pkey',
  'reservation_is_canceled_once', 'return_is_one_refund', 'sale_is_booked_once', 'settings_versions_are_consecutive',
  'settlement_is_credited_once', 'settlement_is_invoiced_once',
  'signal_about_a_thing_is_raised_once', 'signal_is_raised_once', 'stay_is_planned_once',
  'webhook_body_is_kept_once', 'webhook_is_kept_once', 'webhook_is_numbered_once',
  'webhook_takes_effect_once', 'write_off_is_confirmed_on_its_own',
  'write_off_is_taken_back_once']) AS name
LEFT JOIN (pg_index JOIN pg_class ON pg_class.oid = indexrelid)
  ON relname = name AND relnamespace = current_schema()::regnamespace
     AND indisunique AND indisvalid
WHERE relname IS NULL;

-- invariant: nobody_passes_row_security
-- No role of the service can pass row security, and no tenant's role can log in.
SELECT rolname, concat_ws(' ', 'superuser', rolsuper, 'bypasses', rolbypassrls, 'logs in',
  rolcanlogin)
FROM pg_roles
WHERE (rolname = current_user
    OR rolname IN ('billing_analyst', 'billing_app', 'billing_drain', 'billing_function',
         'billing_job', 'billing_owner', 'billing_tenant'))
  AND (rolsuper OR rolbypassrls OR rolname = current_user AND rolcanlogin);
