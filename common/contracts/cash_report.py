"""How the daily cash report reads on the wire."""

from typing import Literal

from common.contracts.fields import Amount, CurrencyCode, Instant
from common.contracts.references import CashDrawerRef, CashSessionRef
from common.contracts.shapes import Shape
from common.domain.cash import CashSession
from common.domain.cash_report import CashColumn, DrawerReport


class CashColumnView(Shape):
    """A currency of a drawer, or of all together.

    `expected` is `opening + payments - refunds + paidIn - paidOut - drops`, `variance` is `counted
    - expected`, and `turnedIn` is what went into the safe at the closing.
    """

    currency: CurrencyCode
    opening: Amount
    payments: Amount
    refunds: Amount
    paid_in: Amount
    paid_out: Amount
    drops: Amount
    expected: Amount
    counted: Amount
    variance: Amount
    turned_in: Amount

    @classmethod
    def of(cls, column: CashColumn) -> "CashColumnView":
        return cls(
            currency=column.currency,
            opening=column.opening,
            payments=column.payments,
            refunds=column.refunds,
            paid_in=column.paid_in,
            paid_out=column.paid_out,
            drops=column.drops,
            expected=column.expected,
            counted=column.counted,
            variance=column.variance,
            turned_in=column.turned_in,
        )


class DrawerReportView(Shape):
    """A closed session: who had it, who signed its count, and what it came to."""

    cash_session_id: CashSessionRef
    cash_drawer_id: CashDrawerRef
    status: str
    opened_by: str
    opened_at: Instant
    closed_by: str | None
    co_signer: str | None
    closed_at: Instant | None
    result: Literal["balanced", "discrepancy"]
    acknowledged_by: str | None
    explanation: str | None
    currencies: tuple[CashColumnView, ...]

    @classmethod
    def of(cls, drawer: DrawerReport) -> "DrawerReportView":
        session = drawer.session
        co_signed = session.co_signed
        return cls(
            cash_session_id=session.id,
            cash_drawer_id=session.drawer_id,
            status=session.status.value,
            opened_by=session.opened_by,
            opened_at=session.opened_at,
            closed_by=session.counted.confirmed.by if session.counted else None,
            co_signer=co_signed.by if co_signed else None,
            closed_at=co_signed.at if co_signed else None,
            result="discrepancy" if session.discrepancy else "balanced",
            acknowledged_by=session.acknowledged.by if session.acknowledged else None,
            explanation=session.explanation,
            currencies=tuple(CashColumnView.of(column) for column in drawer.columns),
        )


class NotClosedView(Shape):
    """A session of the day that is not closed: that it is there, and no more."""

    cash_session_id: CashSessionRef
    status: str

    @classmethod
    def of(cls, session: CashSession) -> "NotClosedView":
        return cls(cash_session_id=session.id, status=session.status.value)
