"""What is asked for the platform's figures, each time of one cell, as `billing_analyst`.

$1 and $2 are the beginning and the end of the days; what was written down by then is asked, and
nothing of what came later. A list goes on behind the key $3, and ends after $4 rows.
"""

from typing import Final

from common.domain.platform_figures import Figure

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
LINES: Final = """
SELECT currency, line ->> 'kind', line ->> 'from', line ->> 'until',
       (line ->> 'amountMicro')::bigint, issued_at
FROM billing_central.subscription_invoices
CROSS JOIN LATERAL jsonb_array_elements(lines) AS line
WHERE issued_at < $2
  AND (issued_at >= $1 OR (line ->> 'until')::timestamptz > $1)
"""
_OPEN: Final = """
  issued_at < $2 AND due_micro > 0
  AND (paid_at IS NULL OR paid_at >= $2)
  AND (given_up_at IS NULL OR given_up_at >= $2)"""
_CHARGED: Final = """
  SELECT FROM billing_central.subscription_payments AS charges
  WHERE charges.invoice_id = invoices.id AND charges.created_at < $2"""
_OVERDUE: Final = "issued_at < $2::timestamptz - interval '1 day'"
_NEVER_CHARGED: Final = f"{_OVERDUE} AND NOT EXISTS ({_CHARGED})"
_NOT_RETRIED: Final = f"""EXISTS ({_CHARGED})
  AND NOT EXISTS ({_CHARGED} AND charges.created_at >= $2::timestamptz - interval '14 days')"""
DEBTS: Final = f"""
SELECT currency, sum(due_micro)::bigint,
       coalesce(sum(due_micro) FILTER (WHERE {_OVERDUE}), 0)::bigint,
       coalesce(sum(due_micro) FILTER (WHERE {_NEVER_CHARGED}), 0)::bigint,
       coalesce(sum(due_micro) FILTER (WHERE {_NOT_RETRIED}), 0)::bigint
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
SELECT currency, sum(due_micro)::bigint,
       coalesce(sum(due_micro) FILTER (WHERE paid_at < $2), 0)::bigint
FROM billing_central.subscription_invoices AS invoices{_DUNNED}
GROUP BY currency
"""
_IS_WORTH_SOMETHING: Final = """
  SELECT FROM billing_central.revenue_movements AS moved
  WHERE moved.subscription_id = trials.subscription_id AND moved.recorded_at < $2"""
TRIALS: Final = f"""
SELECT count(*) FILTER (WHERE began_at >= $1 AND began_at < $2),
       count(*) FILTER (WHERE ends_at >= $1 AND ends_at < $2),
       count(*) FILTER (WHERE ends_at >= $1 AND ends_at < $2 AND EXISTS ({_IS_WORTH_SOMETHING}))
FROM billing_central.trials AS trials
WHERE ends_at >= $1 AND began_at < $2
"""
_MOVEMENTS: Final = """
SELECT subscription_id || ' ' || number, tenant_id, subscription_id, NULL, NULL, currency,
       change_micro, recorded_at
FROM billing_central.revenue_movements
WHERE recorded_at >= $1 AND recorded_at < $2 AND kind = '{kind}'
  AND (subscription_id || ' ' || number) > $3
ORDER BY 1
LIMIT $4
"""
# What each of them has left, where that is something.
_WORTH: Final = """
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
_INVOICES: Final = """
SELECT id, tenant_id, subscription_id, id, number, currency, {amount}, issued_at
FROM billing_central.subscription_invoices AS invoices{joined}
WHERE {which}
  AND $1::timestamptz IS NOT NULL AND id > $3
ORDER BY id
LIMIT $4
"""
_TRIALS_BEHIND: Final = """
SELECT subscription_id, tenant_id, subscription_id, NULL, NULL, NULL, NULL, ends_at
FROM billing_central.trials AS trials
WHERE ends_at >= $1 AND ends_at < $2{which}
  AND subscription_id > $3
ORDER BY subscription_id
LIMIT $4
"""


def _invoices(which: str, amount: str = "due_micro", joined: str = "") -> str:
    return _INVOICES.format(which=which, amount=amount, joined=joined)


_OF_MOVEMENTS: Final = (
    Figure.NEW,
    Figure.EXPANSION,
    Figure.CONTRACTION,
    Figure.CHURN,
    Figure.REACTIVATION,
)
BEHIND: Final = {
    Figure.MRR: _WORTH,
    **{figure: _MOVEMENTS.format(kind=figure.value) for figure in _OF_MOVEMENTS},
    Figure.INVOICED: _invoices("issued_at >= $1 AND issued_at < $2", "total_micro"),
    Figure.OUTSTANDING: _invoices(_OPEN),
    Figure.OVERDUE: _invoices(f"{_OPEN} AND {_OVERDUE}"),
    Figure.NEVER_CHARGED: _invoices(f"{_OPEN} AND {_NEVER_CHARGED}"),
    Figure.NOT_RETRIED: _invoices(f"{_OPEN} AND {_NOT_RETRIED}"),
    Figure.DUNNED: _invoices("true", joined=_DUNNED),
    Figure.RECOVERED: _invoices("paid_at < $2", joined=_DUNNED),
    Figure.TRIALS_ENDED: _TRIALS_BEHIND.format(which=""),
    Figure.TRIALS_CONVERTED: _TRIALS_BEHIND.format(which=f" AND EXISTS ({_IS_WORTH_SOMETHING})"),
}
"""Behind each figure: key, tenant, subscription, invoice, its number, currency, amount, when."""
