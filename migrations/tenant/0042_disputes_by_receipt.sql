-- Why: whoever hears that a refund of a company's payment has failed asks what banks have of that.
-- Lock: SHARE on payment_disputes while it is read once for the index; the table holds few rows.
-- Version before: goes on working.
-- Down: drops the index.

-- up
CREATE INDEX disputes_by_receipt ON payment_disputes (tenant_id, receipt_id)
  WHERE receipt_id IS NOT NULL;

-- down
DROP INDEX disputes_by_receipt;
