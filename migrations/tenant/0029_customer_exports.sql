-- Why: what a customer has paid is exported: the payments that were asked of a customer are found
--      by the customer.
-- Lock: SHARE on payment_intents while it is read once for its index.
-- Version before: goes on working.

-- up
CREATE INDEX payment_intents_by_customer ON payment_intents (tenant_id, customer_id, id);

-- down
DROP INDEX payment_intents_by_customer;
