-- Why: a guest's bill is settled with prepaid credits. Such a payment names the account that it was
--      redeemed of and how many micro credits it took, at a whole rate; the entry that took them
--      names the payment, once, and each refund gives its part back, once.
-- Lock: ACCESS EXCLUSIVE on payments, refunds and credit_ledger_entries for a moment (columns
--       without a default; constraints that are not held against the rows before: each of them
--       keeps more than it did), SHARE ROW EXCLUSIVE on credit_accounts for the foreign key, and
--       SHARE on payments and credit_ledger_entries while each is read once for its index.
-- Version before: goes on working; it takes no payment in credits and reads none of the columns. A
--       folio that has such a payment it cannot show or close. Going down is refused while there is
--       one.

-- up
ALTER TABLE payments ADD COLUMN credit_account_id text, ADD COLUMN credits_micro bigint;
ALTER TABLE payments DROP CONSTRAINT payment_method_is_known;
ALTER TABLE payments ADD CONSTRAINT payment_method_is_known CHECK (method IN
  ('cash', 'card', 'bank_transfer', 'mobile_money', 'voucher', 'city_ledger', 'credits'))
  NOT VALID;
ALTER TABLE payments ADD CONSTRAINT credits_payment_names_its_account CHECK
  ((method = 'credits') = (credit_account_id IS NOT NULL)
    AND (method = 'credits') = (credits_micro IS NOT NULL)) NOT VALID;
ALTER TABLE payments ADD CONSTRAINT credits_pay_at_a_whole_rate CHECK
  (credits_micro > 0 AND credits_micro % paid_amount_micro = 0) NOT VALID;
ALTER TABLE payments ADD CONSTRAINT payment_is_redeemed_of_a_credit_account
  FOREIGN KEY (tenant_id, credit_account_id) REFERENCES credit_accounts (tenant_id, id)
  NOT VALID;
CREATE INDEX payments_by_credit_account ON payments (tenant_id, credit_account_id)
  WHERE credit_account_id IS NOT NULL;

ALTER TABLE refunds DROP CONSTRAINT refund_method_is_known;
ALTER TABLE refunds ADD CONSTRAINT refund_method_is_known CHECK (method IN
  ('cash', 'card', 'bank_transfer', 'mobile_money', 'voucher', 'city_ledger', 'credits'))
  NOT VALID;
ALTER TABLE refunds DROP CONSTRAINT refund_by_hand_has_a_reference;
ALTER TABLE refunds ADD CONSTRAINT refund_by_hand_has_a_reference
  CHECK (reference IS NOT NULL OR method IN ('cash', 'card', 'credits')) NOT VALID;

ALTER TABLE credit_ledger_entries DROP CONSTRAINT credit_entry_moves_as_its_kind;
ALTER TABLE credit_ledger_entries ADD CONSTRAINT credit_entry_moves_as_its_kind CHECK (CASE kind
    WHEN 'grant' THEN amount_micro > 0 AND held_micro = 0 AND debt_micro = 0
    WHEN 'transfer_in' THEN amount_micro > 0 AND held_micro = 0 AND debt_micro = 0
    WHEN 'transfer_out' THEN amount_micro < 0 AND held_micro = 0 AND debt_micro = 0
    WHEN 'spend' THEN amount_micro < 0 AND held_micro = 0 AND debt_micro = 0
      AND metered_micro >= -amount_micro
    WHEN 'usage' THEN amount_micro = 0 AND held_micro = 0 AND debt_micro = 0 AND metered_micro > 0
    WHEN 'expire' THEN amount_micro < 0 AND held_micro = 0 AND debt_micro = 0
    WHEN 'hold' THEN amount_micro = 0 AND held_micro >= 0 AND debt_micro = 0
    WHEN 'capture' THEN amount_micro <= 0 AND held_micro <= amount_micro AND debt_micro = 0
      AND metered_micro > 0
    WHEN 'release' THEN amount_micro = 0 AND held_micro <= 0 AND debt_micro = 0
    WHEN 'claw_back' THEN amount_micro <= 0 AND held_micro = 0 AND debt_micro >= 0
    WHEN 'give_back' THEN amount_micro >= 0 AND held_micro = 0 AND debt_micro <= 0
    WHEN 'debt_paid' THEN amount_micro < 0 AND held_micro = 0 AND debt_micro = amount_micro
    WHEN 'debt_waived' THEN amount_micro = 0 AND held_micro = 0 AND debt_micro < 0
    WHEN 'redeem' THEN amount_micro < 0 AND held_micro = 0 AND debt_micro = 0
      AND metered_micro = 0
    WHEN 'restore' THEN amount_micro > 0 AND held_micro = 0 AND debt_micro = 0
      AND metered_micro = 0
    ELSE false END) NOT VALID;
ALTER TABLE credit_ledger_entries ADD CONSTRAINT redeemed_credits_name_what_they_pay
  CHECK (kind NOT IN ('redeem', 'restore') OR reference IS NOT NULL) NOT VALID;
-- A payment's id or a refund's: the two never are the same.
CREATE UNIQUE INDEX credits_pay_once_and_come_back_once
  ON credit_ledger_entries (tenant_id, reference)
  WHERE kind IN ('redeem', 'restore');

-- down
DROP INDEX credits_pay_once_and_come_back_once;
ALTER TABLE credit_ledger_entries DROP CONSTRAINT redeemed_credits_name_what_they_pay;
ALTER TABLE credit_ledger_entries DROP CONSTRAINT credit_entry_moves_as_its_kind;
ALTER TABLE credit_ledger_entries ADD CONSTRAINT credit_entry_moves_as_its_kind CHECK (CASE kind
    WHEN 'grant' THEN amount_micro > 0 AND held_micro = 0 AND debt_micro = 0
    WHEN 'transfer_in' THEN amount_micro > 0 AND held_micro = 0 AND debt_micro = 0
    WHEN 'transfer_out' THEN amount_micro < 0 AND held_micro = 0 AND debt_micro = 0
    WHEN 'spend' THEN amount_micro < 0 AND held_micro = 0 AND debt_micro = 0
      AND metered_micro >= -amount_micro
    WHEN 'usage' THEN amount_micro = 0 AND held_micro = 0 AND debt_micro = 0 AND metered_micro > 0
    WHEN 'expire' THEN amount_micro < 0 AND held_micro = 0 AND debt_micro = 0
    WHEN 'hold' THEN amount_micro = 0 AND held_micro >= 0 AND debt_micro = 0
    WHEN 'capture' THEN amount_micro <= 0 AND held_micro <= amount_micro AND debt_micro = 0
      AND metered_micro > 0
    WHEN 'release' THEN amount_micro = 0 AND held_micro <= 0 AND debt_micro = 0
    WHEN 'claw_back' THEN amount_micro <= 0 AND held_micro = 0 AND debt_micro >= 0
    WHEN 'give_back' THEN amount_micro >= 0 AND held_micro = 0 AND debt_micro <= 0
    WHEN 'debt_paid' THEN amount_micro < 0 AND held_micro = 0 AND debt_micro = amount_micro
    WHEN 'debt_waived' THEN amount_micro = 0 AND held_micro = 0 AND debt_micro < 0
    ELSE false END);
ALTER TABLE refunds DROP CONSTRAINT refund_by_hand_has_a_reference;
ALTER TABLE refunds ADD CONSTRAINT refund_by_hand_has_a_reference
  CHECK (reference IS NOT NULL OR method IN ('cash', 'card'));
ALTER TABLE refunds DROP CONSTRAINT refund_method_is_known;
ALTER TABLE refunds ADD CONSTRAINT refund_method_is_known CHECK
  (method IN ('cash', 'card', 'bank_transfer', 'mobile_money', 'voucher', 'city_ledger'));
ALTER TABLE payments DROP CONSTRAINT payment_method_is_known;
ALTER TABLE payments ADD CONSTRAINT payment_method_is_known CHECK
  (method IN ('cash', 'card', 'bank_transfer', 'mobile_money', 'voucher', 'city_ledger'));
ALTER TABLE payments DROP COLUMN credits_micro, DROP COLUMN credit_account_id;
