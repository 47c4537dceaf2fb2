"""How a folio's statement reads on the wire."""

from typing import Literal

from common.contracts.fields import (
    Amount,
    CurrencyCode,
    Day,
    Instant,
)
from common.contracts.folios import StayView
from common.contracts.references import FolioRef, LineRef, PropertyRef
from common.contracts.shapes import Outcome, Shape
from common.domain.invoice_payload import in_language
from common.domain.moment import Moment
from common.domain.refund import Refund
from common.domain.settings import Issuer
from common.domain.statement import Statement, Step
from common.domain.tax import TaxGroup


class IssuerView(Shape):
    """Who states it: the house, as it stands at the head of its invoices."""

    name: str
    address_lines: tuple[str, ...]
    tax_id: str
    country: str

    @classmethod
    def of(cls, issuer: Issuer) -> "IssuerView":
        return cls(
            name=issuer.name,
            address_lines=issuer.address_lines,
            tax_id=issuer.tax_id,
            country=issuer.country,
        )


class GuestView(Shape):
    """Whom it is for."""

    name: str
    address_lines: tuple[str, ...]
    tax_id: str | None


class StatedLineView(Shape):
    """A line: what it moved the balance by, and the `balance` that it left.

    `tendered` is what a guest handed over, in its own currency; less than nothing is what went
    back. `refundStatus` says of a refund whether it is pending, succeeded or failed.
    """

    line_id: LineRef
    sequence: int
    type: str
    kind: str
    business_date: Day
    service_date: Day | None
    description: str
    window: str
    quantity: str | None
    amount: Amount
    balance: Amount
    tendered: Amount | None
    refund_status: str | None

    @classmethod
    def of(cls, step: Step, language: str) -> "StatedLineView":
        line, money = step.line, step.money
        return cls(
            line_id=line.id,
            sequence=line.sequence,
            type=line.type.value,
            kind=str(line.kind),
            business_date=line.business_date,
            service_date=line.service_date,
            description=in_language(line.description, language),
            window=line.window,
            quantity=line.quantity,
            amount=line.amount,
            balance=step.balance,
            tendered=step.tendered,
            refund_status=money.status.value if isinstance(money, Refund) else None,
        )


class StatedTaxView(Shape):
    """The tax of a rule and rate (parts per million) on all lines, and the base it is on."""

    code: str
    name: str
    rate_ppm: int | None
    category: str
    levy: bool
    base: Amount
    amount: Amount

    @classmethod
    def of(cls, group: TaxGroup) -> "StatedTaxView":
        return cls(
            code=group.rule_code,
            name=group.name,
            rate_ppm=group.rate_ppm,
            category=group.category,
            levy=group.levy,
            base=group.base,
            amount=group.tax,
        )


class StatementView(Outcome):
    """A folio's statement, which is not an invoice: it is neither kept, numbered nor signed.

    `balance` is `net + tax + rounding - paid + refunded + moved`, and the balance of the last line.
    `moved` went to other folios (less than nothing came from them). `depositsHeld` is what has been
    paid beyond what is owed.
    """

    document: Literal["statement"] = "statement"
    is_invoice: Literal[False] = False
    language: str
    stated_at: Instant
    business_date: Day
    property_id: PropertyRef
    property_name: str
    issuer: IssuerView
    guest: GuestView
    folio_id: FolioRef
    status: str
    reservation_id: str | None
    stay: StayView | None
    currency: CurrencyCode
    lines: tuple[StatedLineView, ...]
    taxes: tuple[StatedTaxView, ...]
    net: Amount
    tax: Amount
    rounding: Amount
    paid: Amount
    refunded: Amount
    moved: Amount
    balance: Amount
    deposits_held: Amount

    @classmethod
    def of(cls, statement: Statement, moment: Moment) -> "StatementView":
        """A statement in the tenant's language. Refuses: PropertyUnknown."""
        folio, settings = statement.folio, moment.settings
        house, language = settings.property(folio.property_id), settings.language
        return cls(
            language=language,
            stated_at=moment.now,
            business_date=house.business_date(moment.now),
            property_id=house.id,
            property_name=house.name,
            issuer=IssuerView.of(settings.issuer),
            guest=GuestView(
                name=folio.guest.name,
                address_lines=folio.guest.address_lines,
                tax_id=folio.guest.tax_id,
            ),
            folio_id=folio.id,
            status=folio.status.value,
            reservation_id=folio.reservation_id,
            stay=StayView.of(folio.stay) if folio.stay else None,
            currency=folio.currency,
            lines=tuple(StatedLineView.of(step, language) for step in statement.steps),
            taxes=tuple(StatedTaxView.of(group) for group in statement.taxes),
            net=statement.net,
            tax=statement.tax,
            rounding=statement.rounding,
            paid=statement.paid,
            refunded=statement.refunded,
            moved=statement.moved,
            balance=statement.balance,
            deposits_held=folio.deposits_held,
        )
