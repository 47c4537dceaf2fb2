-- Why: a refund of an invoice of the platform, or of what came a second time for one, may
--      fail after it was made. Its credit note stands, and the money is owed again: it lies
--      where it is to be returned, as a refund of its own that could not be made, until somebody
--      has given it back at the processor.
-- Lock: ACCESS EXCLUSIVE on subscription_refunds for a column that is null, a constraint and an
--       index; the table is read through, and holds few rows a subscription.
-- Version before: goes on working; it refuses such an event and keeps it. What is given back anew
--       at the processor it would credit a second time, or refuse: it is to be gone by then.
-- Down: is refused while a refund has failed afterwards.

-- up
ALTER TABLE subscription_refunds
  ADD COLUMN came_back_of text,
  ADD CONSTRAINT platform_refund_comes_back_once UNIQUE (tenant_id, came_back_of),
  ADD CONSTRAINT what_came_back_was_a_refund CHECK (
    came_back_of IS NULL OR surplus_id IS NULL AND processor_payment_id IS NOT NULL),
  DROP CONSTRAINT what_was_made_there_was_a_surplus,
  ADD CONSTRAINT what_was_made_there_was_a_surplus CHECK (
    made_there IS NULL
    OR coalesce(surplus_id, came_back_of) IS NOT NULL AND status = 'succeeded');
CREATE INDEX subscription_refunds_that_came_back
  ON subscription_refunds (tenant_id, processor_payment_id) WHERE came_back_of IS NOT NULL;

-- down
ALTER TABLE subscription_refunds
  ADD CONSTRAINT no_platform_refund_came_back CHECK (came_back_of IS NULL);
DROP INDEX subscription_refunds_that_came_back;
ALTER TABLE subscription_refunds
  DROP CONSTRAINT no_platform_refund_came_back,
  DROP CONSTRAINT what_came_back_was_a_refund,
  DROP CONSTRAINT platform_refund_comes_back_once,
  DROP CONSTRAINT what_was_made_there_was_a_surplus;
ALTER TABLE subscription_refunds
  DROP COLUMN came_back_of,
  ADD CONSTRAINT what_was_made_there_was_a_surplus CHECK (
    made_there IS NULL OR surplus_id IS NOT NULL AND status = 'succeeded');
