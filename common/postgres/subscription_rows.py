"""Subscriptions and their invoices as rows: each mapping beside its columns."""

import json
from typing import Any, Final

from common.domain.identifiers import PlanVersionId, SubscriptionId, SubscriptionInvoiceId
from common.domain.money import Currency, Money
from common.domain.period import Interval, Period
from common.domain.platform_tax import UNTAXED, BillTax
from common.domain.proration import GivenBack, Segment
from common.domain.recurring_revenue import Counted, RevenueMovement
from common.domain.subscription import Status, Subscription
from common.domain.subscription_invoice import (
    Bill,
    InvoiceLine,
    PlatformSeries,
    Purpose,
    SetOff,
    SubscriptionInvoice,
    entries_of,
)
from common.domain.subscription_terms import Terms
from common.postgres.connection import Row

TERMS: Final = "version_id, seats, interval, fee_micro, agreed_micro"
NEXT: Final = "next_version_id, next_seats, next_interval, next_fee_micro, next_agreed_micro"
CHANGING: Final = (
    f"status, {TERMS}, {NEXT}, anchor_at, anchor_months, period_number, period_start, period_end,"
    " period_seconds, segments, billed_micro, credit_micro, period_credits_micro,"
    " committed_periods, last_period, paused_at, canceled_at, due_at, version, trail, state_digest,"
    " ends_there, ends_here, given_back"
)
COLUMNS: Final = f"id, time_zone, currency, started_at, {CHANGING}"
READ: Final = ", ".join(f"subscriptions.{each.strip()}" for each in COLUMNS.split(","))
PLANS: Final = (
    "now_on.plan, now_on.number, now_on.credits_micro,"
    " then_on.plan, then_on.number, then_on.credits_micro, billed.taxed_as"
)
"""Of the plans that are named, what terms do not keep; and how the period was taxed."""
# What was written down of its worth, behind the plans; see `common.domain.recurring_revenue`.
COUNTED: Final = """
  coalesce(counted.number, 0), coalesce(counted.worth_micro, 0),
  EXISTS (
    SELECT FROM billing_central.revenue_movements AS moved
    WHERE moved.tenant_id = billing_central.current_tenant())"""
COUNTING: Final = """
LEFT JOIN LATERAL (
  SELECT number, worth_micro
  FROM billing_central.revenue_movements
  WHERE revenue_movements.subscription_id = subscriptions.id
  ORDER BY number DESC
  LIMIT 1
) AS counted ON true"""
MOVEMENT_COLUMNS: Final = (
    "subscription_id, number, kind, currency, change_micro, worth_micro, occurred_at, recorded_at"
)
INVOICE_COLUMNS: Final = (
    "id, subscription_id, purpose, period_number, period_start, period_end, year, series_number,"
    " number, currency, lines, total_micro, brought_micro, carried_micro, due_micro, issued_at,"
    " payload, payload_sha256, previous_sha256, tax_micro, taxed_as"
)
INVOICE_READ: Final = (
    f"{INVOICE_COLUMNS}, paid_at, given_up_at, refunded_micro, withheld_micro, lost_micro,"
    " set_off_micro"
)
ENTRY_COLUMNS: Final = (
    "invoice_id, part, debit_account, credit_account, currency, amount_micro, occurred_at"
)


def subscription_of(row: Row) -> Subscription:
    """A subscription from `READ`, `PLANS` and `COUNTED`."""
    currency = Currency(row[2])
    later = _terms(row[10:15], row[39:42], currency) if row[10] is not None else None
    return Subscription(
        id=SubscriptionId(row[0]),
        time_zone=row[1],
        started_at=row[3],
        status=Status(row[4]),
        terms=_terms(row[5:10], row[36:39], currency),
        next_terms=later,
        anchor_at=row[15],
        anchor_months=row[16],
        period_number=row[17],
        period=Period(row[18], row[19]),
        period_seconds=row[20],
        segments=tuple(Segment(left_seconds=left, fee_micro=fee) for left, fee in row[21]),
        billed=Money(row[22], currency),
        credit=Money(row[23], currency),
        period_credits_micro=row[24],
        committed_periods=row[25],
        last_period=row[26],
        paused_at=row[27],
        canceled_at=row[28],
        period_taxed=_taxed(row[42]),
        version=row[30],
        trail=bytes(row[31]),
        state_digest=bytes(row[32]),
        ends_there=row[33],
        ends_here=row[34],
        given_back=tuple(
            GivenBack(source=source, billed_micro=billed, net_micro=net)
            for source, billed, net in row[35]
        ),
        is_new=False,
        counted=Counted(
            movements=row[43], worth_micro=row[44], has_paid=row[45], period_number=row[17]
        ),
    )


def _taxed(document: dict[str, Any] | None) -> BillTax:
    return BillTax.of(document) if document else UNTAXED


def _terms(row: Row, plan: Row, currency: Currency) -> Terms:
    return Terms(
        version_id=PlanVersionId(row[0]),
        plan=plan[0],
        plan_version=plan[1],
        seats=row[1],
        interval=Interval(row[2]),
        fee=Money(row[3], currency),
        agreed=None if row[4] is None else Money(row[4], currency),
        credits_micro=plan[2],
    )


def subscription_row(subscription: Subscription) -> dict[str, Any]:
    return {
        "id": subscription.id,
        "time_zone": subscription.time_zone,
        "currency": subscription.currency,
        "started_at": subscription.started_at,
        "status": subscription.status,
        **_terms_row(subscription.terms, ""),
        **_terms_row(subscription.next_terms, "next_"),
        "anchor_at": subscription.anchor_at,
        "anchor_months": subscription.anchor_months,
        "period_number": subscription.period_number,
        "period_start": subscription.period.start,
        "period_end": subscription.period.end,
        "period_seconds": subscription.period_seconds,
        "segments": [[each.left_seconds, each.fee_micro] for each in subscription.segments],
        "billed_micro": subscription.billed.amount_micro,
        "credit_micro": subscription.credit.amount_micro,
        "period_credits_micro": subscription.period_credits_micro,
        "committed_periods": subscription.committed_periods,
        "last_period": subscription.last_period,
        "paused_at": subscription.paused_at,
        "canceled_at": subscription.canceled_at,
        "due_at": subscription.due_at,
        "version": subscription.version,
        "trail": subscription.trail,
        "state_digest": subscription.state_digest,
        "ends_there": subscription.ends_there,
        "ends_here": subscription.ends_here,
        "given_back": [
            [each.source, each.billed_micro, each.net_micro] for each in subscription.given_back
        ],
    }


def _terms_row(terms: Terms | None, prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}version_id": terms and terms.version_id,
        f"{prefix}seats": terms and terms.seats,
        f"{prefix}interval": terms and terms.interval,
        f"{prefix}fee_micro": terms and terms.fee.amount_micro,
        f"{prefix}agreed_micro": terms and terms.agreed and terms.agreed.amount_micro,
    }


def movement_row(moved: RevenueMovement) -> dict[str, Any]:
    return {
        "subscription_id": moved.subscription_id,
        "number": moved.number,
        "kind": moved.kind,
        "currency": moved.worth.currency,
        "change_micro": moved.change.amount_micro,
        "worth_micro": moved.worth.amount_micro,
        "occurred_at": moved.occurred_at,
        "recorded_at": moved.recorded_at,
    }


def invoice_of(row: Row) -> SubscriptionInvoice:
    currency = Currency(row[9])
    bill = Bill(
        purpose=Purpose(row[2]),
        period_number=row[3],
        period=Period(row[4], row[5]),
        lines=tuple(InvoiceLine.of(each, currency) for each in row[10]),
        brought=Money(row[12], currency),
        carried=Money(row[13], currency),
        taxed=_taxed(row[20]),
        set_off=_set_off(row[16], currency),
    )
    return SubscriptionInvoice(
        id=SubscriptionInvoiceId(row[0]),
        subscription_id=SubscriptionId(row[1]),
        year=row[6],
        series_number=row[7],
        number=row[8],
        bill=bill,
        issued_at=row[15],
        payload=row[16],
        payload_sha256=bytes(row[17]),
        previous_sha256=row[18] and bytes(row[18]),
        paid_at=row[21],
        given_up_at=row[22],
        refunded=Money(row[23], currency),
        withheld=Money(row[24], currency),
        lost=Money(row[25], currency),
        set_off=Money(row[26], currency),
        version=1,
        is_new=False,
    )


def _set_off(payload: str, currency: Currency) -> tuple[SetOff, ...]:
    """What a document says of what its credit has paid; most say nothing."""
    if '"setOff":' not in payload:
        return ()
    return tuple(SetOff.of(each, currency) for each in json.loads(payload).get("setOff", ()))


def invoice_row(invoice: SubscriptionInvoice) -> dict[str, Any]:
    bill = invoice.bill
    return {
        "id": invoice.id,
        "subscription_id": invoice.subscription_id,
        "purpose": bill.purpose,
        "period_number": bill.period_number,
        "period_start": bill.period.start,
        "period_end": bill.period.end,
        "year": invoice.year,
        "series_number": invoice.series_number,
        "number": invoice.number,
        "currency": invoice.currency,
        "lines": [line.document() for line in bill.lines],
        "total_micro": bill.total.amount_micro,
        "brought_micro": bill.brought.amount_micro,
        "carried_micro": bill.carried.amount_micro,
        "due_micro": bill.due.amount_micro,
        "issued_at": invoice.issued_at,
        "payload": invoice.payload,
        "payload_sha256": invoice.payload_sha256,
        "previous_sha256": invoice.previous_sha256,
        "tax_micro": bill.tax.amount_micro,
        "taxed_as": bill.taxed.document(),
    }


def entry_rows(invoice: SubscriptionInvoice) -> list[dict[str, Any]]:
    return [
        {
            "invoice_id": invoice.id,
            "part": part,
            "debit_account": entry.debit,
            "credit_account": entry.credit,
            "currency": entry.amount.currency,
            "amount_micro": entry.amount.amount_micro,
            "occurred_at": invoice.issued_at,
        }
        for part, entry in enumerate(entries_of(invoice.bill), start=1)
    ]


def series_of(year: int, row: Row) -> PlatformSeries:
    return PlatformSeries(year=year, last_number=row[1], last_sha256=row[2] and bytes(row[2]))
