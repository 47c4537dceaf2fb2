"""What is asked for the platform's figures, each time of one cell, as `billing_analyst`.

$1 and $2 are the beginning and the end of the days; what was written down by then is asked, and
nothing of what came later. A list goes on behind the key $3, and ends after $4 rows.
"""

from typing import Final

from common.domain.platform_figures import Figure
from common.postgres import late_usage_sql

TENANTS: Final = """
SELECT tenant_id
FROM billing_central.tenants
WHERE cell = $1
ORDER BY tenant_id
"""
# Of one tenant, as that tenant.
CREDITS: Final = """
SELECT tenant_id,
       coalesce(sum(amount_micro) FILTER (WHERE kind = 'grant'), 0)::bigint,
       coalesce(-sum(amount_micro) FILTER (WHERE kind IN ('spend', 'capture')), 0)::bigint,
       sum(metered_micro)::bigint,
       coalesce(-sum(amount_micro) FILTER (WHERE kind = 'expire'), 0)::bigint,
       coalesce(-sum(amount_micro) FILTER (WHERE kind = 'claw_back'), 0)::bigint,
       coalesce(-sum(amount_micro) FILTER (WHERE kind IN ('redeem', 'restore')), 0)::bigint
FROM credit_ledger_entries
WHERE recorded_at >= $1 AND recorded_at < $2
GROUP BY tenant_id
"""
# Of a tenant's own ledger, by its index of just these entries.
OWED_TO_HOUSES: Final = """
SELECT tenant_id, property_id, currency,
       sum(CASE debit_account WHEN 'credits_clearing' THEN amount_micro ELSE -amount_micro END)
         ::bigint AS micro
FROM ledger_entries
WHERE 'credits_clearing' IN (debit_account, credit_account)
  AND recorded_at < $1
GROUP BY tenant_id, property_id, currency
"""
MOVED: Final = """
SELECT currency, kind, sum(change_micro)::bigint
FROM billing_central.revenue_movements
WHERE recorded_at >= $1 AND recorded_at < $2
GROUP BY currency, kind
"""
# By another way than the sum of the steps: what each of them has left.
STANDING: Final = """
SELECT currency, sum(before)::bigint, sum(after)::bigint,
       count(*) FILTER (WHERE before > 0), count(*) FILTER (WHERE after > 0),
       count(*) FILTER (WHERE before > 0 AND after = 0)
FROM (
  SELECT tenant_id, currency, sum(before) AS before, sum(after) AS after
  FROM (
    SELECT tenant_id, currency,
           coalesce((array_agg(worth_micro ORDER BY number DESC)
             FILTER (WHERE recorded_at < $1))[1], 0) AS before,
           (array_agg(worth_micro ORDER BY number DESC))[1] AS after
    FROM billing_central.revenue_movements
    WHERE recorded_at < $2
    GROUP BY subscription_id, tenant_id, currency
  ) AS subscriptions
  GROUP BY tenant_id, currency
) AS customers
GROUP BY currency
"""
BOOKED: Final = """
SELECT currency,
       sum(CASE WHEN credit_account = 'subscription_revenue' THEN amount_micro
             ELSE -amount_micro END)::bigint
FROM billing_central.platform_entries
WHERE occurred_at >= $1 AND occurred_at < $2
  AND 'subscription_revenue' IN (debit_account, credit_account)
GROUP BY currency
"""
REVERSED: Final = """
SELECT currency,
       coalesce(sum(amount_micro) FILTER (
         WHERE debit_account = 'subscription_refunds' AND occurred_at >= $1), 0)::bigint,
       coalesce(sum(CASE 'disputed_funds' WHEN debit_account THEN amount_micro
         WHEN credit_account THEN -amount_micro END), 0)::bigint,
       coalesce(sum(amount_micro) FILTER (
         WHERE debit_account = 'dispute_losses' AND occurred_at >= $1), 0)::bigint
FROM billing_central.platform_reversal_entries
WHERE occurred_at < $2
GROUP BY currency
"""
_UNTAXED: Final = """issued_at >= $1 AND issued_at < $2
  AND coalesce(taxed_as ->> 'treatment', 'no_seller') = 'no_seller'"""
UNTAXED: Final = f"""
SELECT currency, sum(total_micro - tax_micro)::bigint
FROM billing_central.subscription_invoices
WHERE {_UNTAXED}
GROUP BY currency
"""
LINES: Final = """
SELECT currency, line ->> 'kind', line ->> 'from', line ->> 'until',
       (line ->> 'amountMicro')::bigint, issued_at
FROM billing_central.subscription_invoices
CROSS JOIN LATERAL jsonb_array_elements(lines) AS line
WHERE issued_at < $2
  AND (issued_at >= $1 OR (line ->> 'until')::timestamptz > $1)
"""
_LEFT: Final = """(due_micro - (
  SELECT coalesce(sum(CASE debit_account WHEN 'customer_credit' THEN moved.amount_micro
           ELSE -moved.amount_micro END), 0)
  FROM billing_central.platform_reversal_entries AS moved
  WHERE moved.invoice_id = invoices.id AND starts_with(source, 'set_off')
    AND occurred_at < $2))::bigint"""
"""What credits had left of what is due of an invoice by then."""
_OPEN: Final = f"""
  issued_at < $2 AND due_micro > 0 AND {_LEFT} > 0
  AND (paid_at IS NULL OR paid_at >= $2)
  AND (given_up_at IS NULL OR given_up_at >= $2)"""
_CHARGED: Final = """EXISTS (
  SELECT FROM billing_central.subscription_payments AS charges
  WHERE charges.invoice_id = invoices.id AND charges.created_at < $2)"""
_CHARGED_LATELY: Final = """EXISTS (
  SELECT FROM billing_central.subscription_payments AS charges
  WHERE charges.invoice_id = invoices.id AND charges.created_at < $2
    AND charges.created_at >= $2::timestamptz - interval '14 days')"""
_OVERDUE: Final = "issued_at < $2::timestamptz - interval '1 day'"
_NEVER_CHARGED: Final = f"{_OVERDUE} AND NOT {_CHARGED}"
_NOT_RETRIED: Final = f"{_CHARGED} AND NOT {_CHARGED_LATELY}"
DEBTS: Final = f"""
SELECT currency, sum({_LEFT})::bigint,
       coalesce(sum({_LEFT}) FILTER (WHERE {_OVERDUE}), 0)::bigint,
       coalesce(sum({_LEFT}) FILTER (WHERE {_NEVER_CHARGED}), 0)::bigint,
       coalesce(sum({_LEFT}) FILTER (WHERE {_NOT_RETRIED}), 0)::bigint
FROM billing_central.subscription_invoices AS invoices
WHERE {_OPEN}
  AND $1::timestamptz IS NOT NULL
GROUP BY currency
"""
_DUNNED: Final = """
JOIN (
  SELECT invoice_id, min(changed_at) AS declined_at
  FROM billing_central.subscription_payments
  WHERE status = 'failed' AND changed_at < $2
  GROUP BY invoice_id
) AS declined ON declined.invoice_id = invoices.id AND declined_at >= $1"""
DUNNED: Final = f"""
SELECT currency, sum({_LEFT})::bigint,
       coalesce(sum({_LEFT}) FILTER (WHERE paid_at < $2), 0)::bigint
FROM billing_central.subscription_invoices AS invoices{_DUNNED}
GROUP BY currency
"""
_IS_WORTH_SOMETHING: Final = """EXISTS (
  SELECT FROM billing_central.revenue_movements AS moved
  WHERE moved.subscription_id = trials.subscription_id AND moved.recorded_at < $2)"""
TRIALS: Final = f"""
SELECT count(*) FILTER (WHERE began_at >= $1 AND began_at < $2),
       count(*) FILTER (WHERE ends_at >= $1 AND ends_at < $2),
       count(*) FILTER (WHERE ends_at >= $1 AND ends_at < $2 AND {_IS_WORTH_SOMETHING})
FROM billing_central.trials AS trials
WHERE ends_at >= $1 AND began_at < $2
"""


def _movements(kind: Figure) -> str:
    return f"""
SELECT subscription_id || ' ' || number, tenant_id, subscription_id, NULL, NULL, currency,
       change_micro, recorded_at
FROM billing_central.revenue_movements
WHERE recorded_at >= $1 AND recorded_at < $2 AND kind = '{kind.value}'
  AND (subscription_id || ' ' || number) > $3
ORDER BY 1
LIMIT $4
"""


def _invoices(which: str, amount: str = _LEFT, joined: str = "") -> str:
    return f"""
SELECT id, tenant_id, subscription_id, id, number, currency, {amount}, issued_at
FROM billing_central.subscription_invoices AS invoices{joined}
WHERE {which}
  AND $1::timestamptz IS NOT NULL AND id > $3
ORDER BY id
LIMIT $4
"""


def _trials(which: str) -> str:
    return f"""
SELECT subscription_id, tenant_id, subscription_id, NULL, NULL, NULL, NULL, ends_at
FROM billing_central.trials AS trials
WHERE ends_at >= $1 AND ends_at < $2 AND {which}
  AND subscription_id > $3
ORDER BY subscription_id
LIMIT $4
"""


# What each of them has left, where that is something.
MRR_ROWS: Final = """
SELECT subscription_id, tenant_id, subscription_id, NULL, NULL, currency, worth_micro, recorded_at
FROM (
  SELECT DISTINCT ON (subscription_id) *
  FROM billing_central.revenue_movements
  WHERE recorded_at < $2 AND $1::timestamptz IS NOT NULL
  ORDER BY subscription_id, number DESC
) AS last
WHERE worth_micro > 0 AND subscription_id > $3
ORDER BY subscription_id
LIMIT $4
"""
NEW_ROWS: Final = _movements(Figure.NEW)
EXPANSION_ROWS: Final = _movements(Figure.EXPANSION)
CONTRACTION_ROWS: Final = _movements(Figure.CONTRACTION)
CHURN_ROWS: Final = _movements(Figure.CHURN)
REACTIVATION_ROWS: Final = _movements(Figure.REACTIVATION)
INVOICED_ROWS: Final = _invoices("issued_at >= $1 AND issued_at < $2", "total_micro")
OUTSTANDING_ROWS: Final = _invoices(_OPEN)
OVERDUE_ROWS: Final = _invoices(f"{_OPEN} AND {_OVERDUE}")
NEVER_CHARGED_ROWS: Final = _invoices(f"{_OPEN} AND {_NEVER_CHARGED}")
NOT_RETRIED_ROWS: Final = _invoices(f"{_OPEN} AND {_NOT_RETRIED}")
DUNNED_ROWS: Final = _invoices("invoices.issued_at < $2", joined=_DUNNED)
RECOVERED_ROWS: Final = _invoices("invoices.paid_at < $2", joined=_DUNNED)
REFUNDED_ROWS: Final = """
SELECT id, tenant_id, subscription_id, invoice_id, number, currency, net_micro, issued_at
FROM billing_central.platform_credit_notes
WHERE issued_at >= $1 AND issued_at < $2 AND id > $3
ORDER BY id
LIMIT $4
"""
UNTAXED_ROWS: Final = _invoices(_UNTAXED, "total_micro - tax_micro")
TRIALS_ENDED_ROWS: Final = _trials("true")
TRIALS_CONVERTED_ROWS: Final = _trials(_IS_WORTH_SOMETHING)
BEHIND: Final = {
    Figure.MRR: MRR_ROWS,
    Figure.NEW: NEW_ROWS,
    Figure.EXPANSION: EXPANSION_ROWS,
    Figure.CONTRACTION: CONTRACTION_ROWS,
    Figure.CHURN: CHURN_ROWS,
    Figure.REACTIVATION: REACTIVATION_ROWS,
    Figure.INVOICED: INVOICED_ROWS,
    Figure.OUTSTANDING: OUTSTANDING_ROWS,
    Figure.OVERDUE: OVERDUE_ROWS,
    Figure.NEVER_CHARGED: NEVER_CHARGED_ROWS,
    Figure.NOT_RETRIED: NOT_RETRIED_ROWS,
    Figure.USAGE_NOT_INVOICED: late_usage_sql.UNBILLED_USAGE_ROWS,
    Figure.LATE_USAGE: late_usage_sql.LATE_USAGE_ROWS,
    Figure.DUNNED: DUNNED_ROWS,
    Figure.RECOVERED: RECOVERED_ROWS,
    Figure.REFUNDED: REFUNDED_ROWS,
    Figure.UNTAXED: UNTAXED_ROWS,
    Figure.TRIALS_ENDED: TRIALS_ENDED_ROWS,
    Figure.TRIALS_CONVERTED: TRIALS_CONVERTED_ROWS,
}
"""Behind each figure: key, tenant, subscription, invoice, its number, currency, amount, when. Late
usage is of no invoice, and has in the place of its amount what that is reckoned from."""
