-- Why: payouts are matched with the processor's as payments, refunds, disputes are: by id, amount
--      and currency. What differs is one of three more kinds of difference.
-- Lock: ACCESS EXCLUSIVE on processor_differences while it is read once, which is short: it holds
--       what nobody has answered for; SHARE on payouts while it is read once for its index.
-- Version before: goes on working; while a difference about a payout is open its hourly look fails,
--       and is made by this version.
-- Down: is refused while a difference about a payout is there.

-- up
ALTER TABLE processor_differences DROP CONSTRAINT difference_kind_is_known;
ALTER TABLE processor_differences ADD CONSTRAINT difference_kind_is_known CHECK (kind IN
  ('payment_amount', 'payment_not_captured', 'payment_not_recorded', 'refund_amount',
   'refund_not_made', 'refund_not_recorded', 'refund_to_settle', 'dispute_amount',
   'dispute_not_opened', 'dispute_not_recorded', 'payout_amount', 'payout_not_made',
   'payout_not_recorded'));
CREATE INDEX payouts_by_payment ON payouts (tenant_id, paid_at) WHERE paid_at IS NOT NULL;

-- down
DROP INDEX payouts_by_payment;
ALTER TABLE processor_differences DROP CONSTRAINT difference_kind_is_known;
ALTER TABLE processor_differences ADD CONSTRAINT difference_kind_is_known CHECK (kind IN
  ('payment_amount', 'payment_not_captured', 'payment_not_recorded', 'refund_amount',
   'refund_not_made', 'refund_not_recorded', 'refund_to_settle', 'dispute_amount',
   'dispute_not_opened', 'dispute_not_recorded'));
