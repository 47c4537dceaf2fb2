"""What moved at the processor as the books have it, and the differences that were found.

A movement is read as (tenant, kind, the id that both sides know, amount, currency, the processor's
payment, property, whether it is open, whether it waits for its folio). A refund or a payout that
failed, if only after it was made, never took place; a refund that was late is read as what it was,
whatever it has become.
"""

from typing import Final

_OURS: Final = (
    """
SELECT payments.tenant_id, 'payment', payments.processor_payment_id,
       payments.paid_amount_micro + coalesce(gone_micro, 0), payments.paid_currency,
       payments.processor_payment_id, folios.property_id, false, false
FROM payments
JOIN folios ON folios.id = payments.folio_id
LEFT JOIN returned_payments AS late ON late.id = payments.id
WHERE method = 'card'
  AND payments.processor_payment_id IS NOT NULL
  AND {asked}
""",
    """
SELECT account_credits.tenant_id, 'payment', processor_payment_id, amount_micro,
       account_credits.currency, processor_payment_id, property_id, false, false
FROM account_credits
JOIN company_accounts ON company_accounts.id = account_id
WHERE kind = 'card'
  AND {asked}
""",
    """
SELECT refunds.tenant_id, 'refund', coalesce(processor_refund_id, refunds.id),
       refunds.paid_amount_micro, refunds.paid_currency, coalesce(processor_payment_id, ''),
       property_id, refund_settlements.status IS NULL, false
FROM refunds
JOIN folios ON folios.id = refunds.folio_id
JOIN payments ON payments.id = payment_id
LEFT JOIN refund_settlements ON refund_id = refunds.id
WHERE refunds.method = 'card'
  AND refund_settlements.status IS DISTINCT FROM 'failed'
  AND NOT EXISTS (SELECT FROM late_refunds AS late WHERE late.id = refunds.id)
  AND NOT EXISTS (SELECT FROM refund_failures AS failed WHERE failed.refund_id = refunds.id)
  AND {asked}
""",
    # what failed after it was made, and waits for its folio to be opened again: on neither side
    """
SELECT failed.tenant_id, 'refund', coalesce(processor_refund_id, refunds.id),
       refunds.paid_amount_micro, refunds.paid_currency, coalesce(processor_payment_id, ''),
       property_id, true, true
FROM refund_failures AS failed
JOIN refunds ON refunds.id = failed.refund_id
JOIN folios ON folios.id = refunds.folio_id
JOIN payments ON payments.id = payment_id
WHERE NOT EXISTS (SELECT FROM folio_lines WHERE folio_lines.id = failed.id)
  AND {asked}
""",
    """
SELECT late_refunds.tenant_id, 'refund', processor_refund_id, late_refunds.paid_amount_micro,
       late_refunds.paid_currency, coalesce(processor_payment_id, ''), property_id, false,
       settled_at IS NULL
FROM late_refunds
JOIN payments ON payments.id = payment_id
WHERE failure_code IS NULL
  AND NOT EXISTS (SELECT FROM refund_failures AS failed WHERE failed.refund_id = late_refunds.id)
  AND {asked}
""",
    """
SELECT payment_disputes.tenant_id, 'dispute', processor_dispute_id, payment_disputes.amount_micro,
       payment_disputes.currency,
       coalesce(payments.processor_payment_id, receipts.processor_payment_id,
         late.processor_payment_id, charges.processor_payment_id, second.processor_payment_id, ''),
       payment_disputes.property_id, false, false
FROM payment_disputes
LEFT JOIN returned_payments AS late ON late.id = returned_id
LEFT JOIN payments ON payments.id = payment_id
LEFT JOIN account_credits AS receipts ON receipts.id = receipt_id
LEFT JOIN billing_central.subscription_payments AS charges
  ON charges.invoice_id = subscription_invoice_id AND charges.status = 'succeeded'
LEFT JOIN billing_central.subscription_payments AS second ON second.id = surplus_id
WHERE {asked}
""",
    # what was taken while its folio was closed, and waits for that to be opened again
    """
SELECT tenant_id, 'payment', processor_payment_id, amount_micro, currency, processor_payment_id,
       property_id, false, false
FROM payment_intents
WHERE status = 'succeeded'
  AND payment_id IS NULL
  AND returned_id IS NULL
  AND {asked}
""",
    # what came for a closed folio, and how it goes back; on its folio it is a payment as any other
    """
SELECT tenant_id, 'payment', processor_payment_id, paid_amount_micro, paid_currency,
       processor_payment_id, property_id, false, false
FROM returned_payments
WHERE status <> 'placed'
  AND {asked}
""",
    """
SELECT tenant_id, 'refund', refund_id, paid_amount_micro - gone_micro, paid_currency,
       processor_payment_id, property_id, status <> 'returned', false
FROM returned_payments
WHERE status IN ('pending', 'contested', 'returned')
  AND gone_micro < paid_amount_micro
  AND {asked}
""",
    # and what of it went back otherwise; what failed afterwards was not made
    """
SELECT parts.tenant_id, 'refund', cause, parts.amount_micro, parts.currency, processor_payment_id,
       property_id, false, false
FROM returned_parts AS parts
JOIN returned_payments AS late ON late.id = returned_id
WHERE kind IN ('refunded_there', 'made_after_all')
  AND NOT EXISTS (
    SELECT FROM returned_parts AS again
    WHERE again.cause = parts.cause AND again.kind = 'refund_failed')
  AND {asked}
""",
    # what went back of a company's payment at the processor
    """
SELECT given.tenant_id, 'refund', given.cause, -given.amount_micro, given.currency,
       receipts.processor_payment_id, property_id, false, false
FROM account_credits AS given
JOIN account_credits AS receipts ON receipts.id = given.takes_back
JOIN company_accounts ON company_accounts.id = given.account_id
WHERE given.kind = 'refunded_there'
  AND NOT EXISTS (
    SELECT FROM account_credits AS again
    WHERE again.kind = 'refund_failed' AND again.cause = given.cause)
  AND {asked}
""",
    # purchases of credits are on no folio and at no property; nor is what goes back of them
    """
SELECT tenant_id, 'payment', processor_payment_id, amount_micro, currency, processor_payment_id,
       NULL::uuid, false, false
FROM credit_purchases
WHERE status = 'succeeded'
  AND {asked}
""",
    # and so are charges of the platform's invoices
    """
SELECT tenant_id, 'payment', processor_payment_id, amount_micro, currency, processor_payment_id,
       NULL::uuid, false, false
FROM billing_central.subscription_payments
WHERE status = 'succeeded'
  AND processor_payment_id IS NOT NULL
  AND tenant_id = billing_central.current_tenant()
  AND {asked}
""",
    """
SELECT credit_sale_entries.tenant_id, 'refund', substr(source, length('refund:') + 1),
       credit_sale_entries.amount_micro, credit_sale_entries.currency, processor_payment_id,
       NULL::uuid, false, false
FROM credit_sale_entries
JOIN credit_purchases ON credit_purchases.id = purchase_id
WHERE starts_with(source, 'refund:')
  AND part = 0
  AND NOT EXISTS (
    SELECT FROM credit_sale_entries AS back
    WHERE back.source = credit_sale_entries.source AND back.part = 1)
  AND {asked}
""",
    """
SELECT notes.tenant_id, 'refund', processor_refund_id, total_micro, notes.currency,
       processor_payment_id, NULL::uuid, false, false
FROM billing_central.platform_credit_notes AS notes
JOIN billing_central.subscription_payments AS charges
  ON charges.invoice_id = notes.invoice_id AND charges.status = 'succeeded'
WHERE notes.tenant_id = billing_central.current_tenant()
  AND NOT EXISTS (
    SELECT FROM billing_central.subscription_refunds AS again
    WHERE again.tenant_id = notes.tenant_id AND again.came_back_of = notes.processor_refund_id)
  AND {asked}
""",
    """
SELECT tenant_id, 'refund', coalesce(made_there, id), amount_micro, currency,
       coalesce(processor_payment_id, ''), NULL::uuid, status = 'pending', false
FROM billing_central.subscription_refunds AS refunds
WHERE (status = 'pending'
    OR status = 'succeeded' AND coalesce(surplus_id, came_back_of) IS NOT NULL)
  AND tenant_id = billing_central.current_tenant()
  AND NOT EXISTS (
    SELECT FROM billing_central.subscription_refunds AS again
    WHERE again.tenant_id = refunds.tenant_id
      AND again.came_back_of = coalesce(refunds.made_there, refunds.id))
  AND NOT EXISTS (
    SELECT FROM payment_disputes AS claims
    WHERE claims.processor_dispute_id = refunds.made_there)
  AND {asked}
""",
    # what came a second time for an invoice; what was never said of it is not known on either side
    """
SELECT tenant_id, 'payment', processor_payment_id, amount_micro, currency, processor_payment_id,
       NULL::uuid, false, false
FROM billing_central.subscription_refunds
WHERE surplus_id IS NOT NULL
  AND processor_payment_id IS NOT NULL
  AND tenant_id = billing_central.current_tenant()
  AND {asked}
""",
    # one that waits for a second person, or was rejected, is not to be paid at all
    """
SELECT tenant_id, 'payout', id, amount_micro, currency, processor_account_id, property_id,
       status = 'pending', false
FROM payouts
WHERE status IN ('pending', 'paid')
  AND {asked}
""",
)


def _movements(*asked: str) -> str:
    """Our movements of all kinds, each under its own condition."""
    return "UNION ALL".join(
        query.format(asked=condition) for query, condition in zip(_OURS, asked, strict=True)
    )


MOVED_IN: Final = _movements(
    "payments.recorded_at >= $1 AND payments.recorded_at < $2",
    "account_credits.recorded_at >= $1 AND account_credits.recorded_at < $2",
    "settled_at >= $1 AND settled_at < $2",
    "true",
    "(made_at >= $1 AND made_at < $2 OR settled_at IS NULL)",
    "payment_disputes.opened_at >= $1 AND payment_disputes.opened_at < $2",
    "changed_at >= $1 AND changed_at < $2",
    "promised_at >= $1 AND promised_at < $2",
    "settled_at >= $1 AND settled_at < $2",
    "parts.made_at >= $1 AND parts.made_at < $2",
    "given.recorded_at >= $1 AND given.recorded_at < $2",
    "changed_at >= $1 AND changed_at < $2",
    "changed_at >= $1 AND changed_at < $2",
    "credit_sale_entries.recorded_at >= $1 AND credit_sale_entries.recorded_at < $2",
    "issued_at >= $1 AND issued_at < $2",
    "(status = 'pending' OR settled_at >= $1 AND settled_at < $2)",
    "requested_at >= $1 AND requested_at < $2",
    "paid_at >= $1 AND paid_at < $2",
)
MOVED_AS: Final = _movements(
    "payments.processor_payment_id = ANY ($1::text[])",
    "processor_payment_id = ANY ($1::text[])",
    "(refunds.id = ANY ($2::text[]) OR processor_refund_id = ANY ($2::text[]))",
    "(refunds.id = ANY ($2::text[]) OR processor_refund_id = ANY ($2::text[]))",
    "processor_refund_id = ANY ($2::text[])",
    "processor_dispute_id = ANY ($3::text[])",
    "processor_payment_id = ANY ($1::text[])",
    "processor_payment_id = ANY ($1::text[])",
    "refund_id = ANY ($2::text[])",
    "cause = ANY ($2::text[])",
    "given.cause = ANY ($2::text[])",
    "processor_payment_id = ANY ($1::text[])",
    "processor_payment_id = ANY ($1::text[])",
    "source = ANY (SELECT 'refund:' || id FROM unnest($2::text[]) AS id)",
    "processor_refund_id = ANY ($2::text[])",
    "(id = ANY ($2::text[]) OR made_there = ANY ($2::text[]))",
    "processor_payment_id = ANY ($1::text[])",
    "id = ANY ($4::text[])",
)
OURS_PAID: Final = """
SELECT payments.tenant_id, processor_payment_id, property_id
FROM payments
JOIN folios ON folios.id = folio_id
WHERE processor_payment_id = ANY ($1::text[])
UNION ALL
SELECT account_credits.tenant_id, processor_payment_id, property_id
FROM account_credits
JOIN company_accounts ON company_accounts.id = account_id
WHERE processor_payment_id = ANY ($1::text[])
UNION ALL
SELECT tenant_id, processor_payment_id, property_id
FROM returned_payments
WHERE processor_payment_id = ANY ($1::text[])
  AND status <> 'placed'
UNION ALL
SELECT tenant_id, processor_payment_id, NULL::uuid
FROM credit_purchases
WHERE processor_payment_id = ANY ($1::text[])
UNION ALL
SELECT tenant_id, processor_payment_id, NULL::uuid
FROM billing_central.subscription_payments
WHERE processor_payment_id = ANY ($1::text[])
  AND tenant_id = billing_central.current_tenant()
UNION ALL
SELECT tenant_id, processor_payment_id, NULL::uuid
FROM billing_central.subscription_refunds
WHERE surplus_id IS NOT NULL
  AND processor_payment_id = ANY ($1::text[])
  AND tenant_id = billing_central.current_tenant()
"""

ACCOUNT: Final = """
SELECT tenant_id, processor_account_id
FROM payout_accounts
WHERE tenant_id = $1
"""
NAMED: Final = "id, kind, about, currency"
CHANGING: Final = (
    "payment, expected_micro, found_micro, property_id, status, owner, opened_at, looked_at,"
    " resolved_by, resolved_at, reason, version, trail, state_digest"
)
COLUMNS: Final = f"{NAMED}, {CHANGING}"
GET: Final = f"SELECT tenant_id, {COLUMNS} FROM processor_differences WHERE id = $1"
TAKE: Final = f"{GET} FOR NO KEY UPDATE"
ONE_AT_A_TIME: Final = """
SELECT current_setting('app.tenant_id')::uuid, pg_advisory_xact_lock(hashtextextended($1, 0))
"""
TAKE_FOR: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM processor_differences
WHERE status = 'open' OR about = ANY ($1::text[])
ORDER BY id
FOR NO KEY UPDATE
"""
OPEN: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM processor_differences
WHERE status = 'open'
ORDER BY opened_at, id
LIMIT $1
"""
PAGE: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM processor_differences
WHERE id > $1
  AND (property_id = ANY ($2::uuid[]) OR property_id IS NULL AND $3)
  AND ($4::text IS NULL OR status = $4)
  AND ($5::text IS NULL OR kind = $5)
  AND ($6::text IS NULL OR owner = $6)
ORDER BY id
LIMIT $7
"""
CHANGE: Final = "UPDATE processor_differences SET {} WHERE id = $1".format(
    ", ".join(f"{name} = ${place}" for place, name in enumerate(CHANGING.split(", "), 2))
)
