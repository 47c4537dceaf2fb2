-- Why: deposits. What a folio is in credit by is a liability in the ledger, and the folio knows how
--      much of it the ledger holds; it moves to other folios; a reservation is canceled once, and
--      what was paid ahead by card goes back by the tenant's policy, which nobody confirms. Folios
--      that are in credit already are brought over: an entry each, of the first business date that
--      has not ended, as the reports of ended days stand. Nothing that is written is changed.
-- Lock: ACCESS EXCLUSIVE on folios, folio_lines, refunds, stays, ledger_entries and night_audits
--       for a moment (a constant default, constraints that are not held against the rows before,
--       and row security put aside for the owner while folios in credit are read and brought over;
--       it is back before the commit), and SHARE on folio_lines while it is read for its index.
-- Version before: goes on working. What it posts to a folio in credit it does not bring over; the
--       next lines that this version posts do, as a folio is compared with what it knows to be
--       held. Until then, and for a folio that it closes, check_books names the folio. It does not
--       know that a reservation was canceled. A folio that has a deposit's line it cannot show.
-- Down: brings the deposits back to the guest ledger by entries of their own. It is refused while
--       a line of a moved deposit, a refund that nobody confirmed or a cancellation is there.

-- up
ALTER TABLE folios ADD COLUMN deposits_micro bigint NOT NULL DEFAULT 0;
ALTER TABLE folios ADD CONSTRAINT deposit_is_not_less_than_nothing
  CHECK (deposits_micro >= 0) NOT VALID;

ALTER TABLE folio_lines DROP CONSTRAINT line_type_is_known;
ALTER TABLE folio_lines ADD CONSTRAINT line_type_is_known CHECK (type IN
  ('charge', 'tax', 'payment', 'adjustment', 'void', 'rounding', 'refund', 'refund_reversal',
   'deposit_transfer')) NOT VALID;
ALTER TABLE folio_lines DROP CONSTRAINT moved_line_is_a_charge;
ALTER TABLE folio_lines ADD CONSTRAINT moved_line_is_a_charge_or_a_deposit CHECK
  (moved_from IS NULL OR type IN ('charge', 'tax', 'adjustment', 'deposit_transfer')) NOT VALID;
ALTER TABLE folio_lines ADD CONSTRAINT moved_deposit_leaves_one_folio_for_another CHECK
  (type <> 'deposit_transfer'
    OR amount_micro <> 0 AND (amount_micro < 0) = (moved_from IS NOT NULL)) NOT VALID;
CREATE INDEX deposit_transfers_by_folio ON folio_lines (tenant_id, folio_id)
  WHERE type = 'deposit_transfer';

ALTER TABLE refunds ALTER COLUMN confirmed_by DROP NOT NULL;
ALTER TABLE refunds ALTER COLUMN step_up_token_id DROP NOT NULL;
ALTER TABLE refunds ALTER COLUMN assertion_hash DROP NOT NULL;
ALTER TABLE refunds ALTER COLUMN step_up_method DROP NOT NULL;
ALTER TABLE refunds ADD CONSTRAINT refund_without_confirmation_is_of_a_card CHECK (
  CASE num_nonnulls(confirmed_by, step_up_token_id, assertion_hash, step_up_method)
    WHEN 4 THEN true WHEN 0 THEN method = 'card' ELSE false END) NOT VALID;

ALTER TABLE stays ADD COLUMN canceled_at timestamptz;
ALTER TABLE stays ADD CONSTRAINT guest_in_the_house_has_not_canceled
  CHECK (checked_in_at >= canceled_at) NOT VALID;
GRANT UPDATE (canceled_at) ON stays TO {tenant_role};

-- That a reservation was canceled, whether it has a folio by then; never changed.
CREATE TABLE canceled_reservations (
  tenant_id      uuid NOT NULL DEFAULT billing_central.current_tenant(),
  property_id    uuid NOT NULL,
  reservation_id text NOT NULL,
  canceled_at    timestamptz NOT NULL,
  CONSTRAINT reservation_is_canceled_once PRIMARY KEY (tenant_id, property_id, reservation_id)
);
ALTER TABLE canceled_reservations ENABLE ROW LEVEL SECURITY;
ALTER TABLE canceled_reservations FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON canceled_reservations TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
GRANT SELECT, INSERT ON canceled_reservations TO {tenant_role};

ALTER TABLE folios NO FORCE ROW LEVEL SECURITY;
ALTER TABLE folio_lines NO FORCE ROW LEVEL SECURITY;
ALTER TABLE night_audits NO FORCE ROW LEVEL SECURITY;
ALTER TABLE ledger_entries NO FORCE ROW LEVEL SECURITY;
INSERT INTO ledger_entries (source, part, folio_id, property_id, debit_account, credit_account,
  amount_micro, currency, business_date, occurred_at, recorded_at)
SELECT lines.id, 2 + (SELECT count(*) FROM ledger_entries WHERE source = lines.id AND part >= 2),
       folios.id, folios.property_id, 'guest_ledger', 'guest_deposits', -balance_micro,
       folios.currency, greatest(lines.business_date, (
         SELECT max(business_date) + 1
         FROM night_audits
         WHERE night_audits.property_id = folios.property_id)), now(), now()
FROM folios
JOIN folio_lines AS lines ON lines.folio_id = folios.id AND lines.sequence = last_line
WHERE balance_micro < 0;
UPDATE folios SET deposits_micro = -balance_micro WHERE balance_micro < 0;
ALTER TABLE folios FORCE ROW LEVEL SECURITY;
ALTER TABLE folio_lines FORCE ROW LEVEL SECURITY;
ALTER TABLE night_audits FORCE ROW LEVEL SECURITY;
ALTER TABLE ledger_entries FORCE ROW LEVEL SECURITY;

-- down
ALTER TABLE folios NO FORCE ROW LEVEL SECURITY;
ALTER TABLE folio_lines NO FORCE ROW LEVEL SECURITY;
ALTER TABLE night_audits NO FORCE ROW LEVEL SECURITY;
ALTER TABLE ledger_entries NO FORCE ROW LEVEL SECURITY;
INSERT INTO ledger_entries (source, part, folio_id, property_id, debit_account, credit_account,
  amount_micro, currency, business_date, occurred_at, recorded_at)
SELECT lines.id, 2 + (SELECT count(*) FROM ledger_entries WHERE source = lines.id AND part >= 2),
       folios.id, folios.property_id, 'guest_deposits', 'guest_ledger', deposits_micro,
       folios.currency, greatest(lines.business_date, (
         SELECT max(business_date) + 1
         FROM night_audits
         WHERE night_audits.property_id = folios.property_id)), now(), now()
FROM folios
JOIN folio_lines AS lines ON lines.folio_id = folios.id AND lines.sequence = last_line
WHERE deposits_micro > 0;
ALTER TABLE folios FORCE ROW LEVEL SECURITY;
ALTER TABLE folio_lines FORCE ROW LEVEL SECURITY;
ALTER TABLE night_audits FORCE ROW LEVEL SECURITY;
ALTER TABLE ledger_entries FORCE ROW LEVEL SECURITY;

DROP TABLE canceled_reservations;
ALTER TABLE stays DROP COLUMN canceled_at;
ALTER TABLE refunds DROP CONSTRAINT refund_without_confirmation_is_of_a_card;
ALTER TABLE refunds ALTER COLUMN confirmed_by SET NOT NULL;
ALTER TABLE refunds ALTER COLUMN step_up_token_id SET NOT NULL;
ALTER TABLE refunds ALTER COLUMN assertion_hash SET NOT NULL;
ALTER TABLE refunds ALTER COLUMN step_up_method SET NOT NULL;
DROP INDEX deposit_transfers_by_folio;
ALTER TABLE folio_lines DROP CONSTRAINT moved_deposit_leaves_one_folio_for_another;
ALTER TABLE folio_lines DROP CONSTRAINT moved_line_is_a_charge_or_a_deposit;
ALTER TABLE folio_lines ADD CONSTRAINT moved_line_is_a_charge
  CHECK (moved_from IS NULL OR type IN ('charge', 'tax', 'adjustment')) NOT VALID;
ALTER TABLE folio_lines DROP CONSTRAINT line_type_is_known;
ALTER TABLE folio_lines ADD CONSTRAINT line_type_is_known CHECK (type IN
  ('charge', 'tax', 'payment', 'adjustment', 'void', 'rounding', 'refund', 'refund_reversal'))
  NOT VALID;
ALTER TABLE folio_lines ADD CONSTRAINT no_deposit_has_moved CHECK (type <> 'deposit_transfer');
ALTER TABLE folio_lines DROP CONSTRAINT no_deposit_has_moved;
ALTER TABLE folios DROP COLUMN deposits_micro;
