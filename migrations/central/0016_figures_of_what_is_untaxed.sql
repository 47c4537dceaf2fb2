-- Why: what was invoiced while nobody charged a tax on it is a figure (ANA-1): how an invoice is
--      taxed is read for it, over all tenants.
-- Lock: none that anybody waits for.
-- Version before: goes on working, and reads none of it.

-- up
GRANT SELECT (tax_micro, taxed_as) ON subscription_invoices TO billing_analyst;

-- down
REVOKE SELECT (tax_micro, taxed_as) ON subscription_invoices FROM billing_analyst;
