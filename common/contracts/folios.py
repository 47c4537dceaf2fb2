"""How a folio, its lines and its settlement read on the wire."""

from collections.abc import Sequence

from common.contracts.fields import (
    Amount,
    CurrencyCode,
    Day,
    Instant,
)
from common.contracts.fx import FxSnapshotShape
from common.contracts.references import (
    ChargeRef,
    FolioRef,
    LineRef,
    PropertyRef,
    SettlementRef,
)
from common.contracts.shapes import Outcome, Shape
from common.domain.folio import Folio, LinesPosted
from common.domain.folio_line import MONEY, Line
from common.domain.guest import Stay
from common.domain.identifiers import FolioId
from common.domain.settlement import Settlement


class TaxView(Shape):
    """A tax: its rule, its rate in parts per million, and the base it was computed on."""

    code: str
    name: str
    rate_ppm: int | None
    base: Amount
    inclusive: bool
    category: str
    levy: bool


class LineView(Shape):
    """A line of a folio; `amount` is what it moved the balance by.

    `movedFrom` is the line of another folio by which a transfer took it away there.
    """

    line_id: LineRef
    sequence: int
    type: str
    kind: str
    description: dict[str, str]
    window: str
    amount: Amount
    quantity: str | None
    unit_amount: Amount | None
    business_date: Day
    service_date: Day | None
    source: str
    external_reference: str | None
    charge_id: ChargeRef | None
    corrects: LineRef | None
    reason: str | None
    tax: TaxView | None
    untaxed: str | None
    moved_from: LineRef | None

    @classmethod
    def of(cls, line: Line) -> "LineView":
        return cls(
            line_id=line.id,
            sequence=line.sequence,
            type=line.type.value,
            kind=str(line.kind),
            description=line.description,
            window=line.window,
            amount=line.amount,
            quantity=line.quantity,
            unit_amount=line.unit_amount,
            business_date=line.business_date,
            service_date=line.service_date,
            source=str(line.source),
            external_reference=line.external_reference,
            charge_id=line.charge_id,
            corrects=line.corrects,
            reason=line.reason,
            tax=_tax(line),
            untaxed=line.untaxed,
            moved_from=line.moved_from,
        )


class StayView(Shape):
    """Nights from arrival to departure."""

    arrival: Day
    departure: Day

    @classmethod
    def of(cls, stay: Stay) -> "StayView":
        return cls(arrival=stay.arrival, departure=stay.departure)


class FolioView(Outcome):
    """A folio without its lines. `depositsHeld` is what has been paid beyond what is owed: zero, or
    the balance that is below nothing."""

    folio_id: FolioRef
    property_id: PropertyRef
    status: str
    guest_name: str
    reservation_id: str | None
    window: str
    windows: tuple[str, ...]
    stay: StayView | None
    currency: CurrencyCode
    balance: Amount
    deposits_held: Amount
    fx_snapshots: tuple[FxSnapshotShape, ...]
    business_date: Day
    opened_at: Instant
    closed_at: Instant | None
    version: int

    @classmethod
    def of(cls, folio: Folio) -> "FolioView":
        return cls(
            folio_id=folio.id,
            property_id=folio.property_id,
            status=folio.status.value,
            guest_name=folio.guest.name,
            reservation_id=folio.reservation_id,
            window=folio.window,
            windows=folio.windows,
            stay=StayView.of(folio.stay) if folio.stay else None,
            currency=folio.currency,
            balance=folio.balance,
            deposits_held=folio.deposits_held,
            fx_snapshots=tuple(FxSnapshotShape.of(rate) for rate in folio.rates.snapshots),
            business_date=folio.business_date,
            opened_at=folio.opened_at,
            closed_at=folio.closed_at,
            version=folio.version,
        )


class LinesAnswer(Outcome):
    """Lines that were posted, and the balance they left."""

    folio_id: FolioRef
    lines: tuple[LineView, ...]
    balance: Amount
    version: int

    @classmethod
    def of(cls, posted: LinesPosted) -> "LinesAnswer":
        return cls.all([posted])

    @classmethod
    def all(cls, posted: Sequence[LinesPosted]) -> "LinesAnswer":
        """Several postings to one folio as one answer."""
        last = posted[-1]
        return cls(
            folio_id=FolioId(last.subject.id),
            lines=tuple(LineView.of(line) for each in posted for line in each.lines),
            balance=last.balance,
            version=last.subject.version,
        )

    @property
    def moved_minor_units(self) -> int:
        moved_micro = sum(line.amount.amount_micro for line in self.lines)
        return moved_micro // self.balance.currency.minor_unit_micro

    @property
    def charged_kind(self) -> str | None:
        kinds = {line.kind for line in self.lines if line.type not in MONEY}
        return kinds.pop() if len(kinds) == 1 else None


class FxShownView(Shape):
    """The pinned rate beside today's, and what the difference is worth."""

    pinned: FxSnapshotShape
    today: FxSnapshotShape | None
    difference: Amount | None


class SettlementView(Shape):
    """How a folio came to zero. `residualMicro` is what only conversion had left over."""

    settlement_id: SettlementRef
    charges: Amount
    payments: Amount
    residual_micro: int
    settled_at: Instant
    fx: tuple[FxShownView, ...]

    @classmethod
    def of(cls, settlement: Settlement) -> "SettlementView":
        return cls(
            settlement_id=settlement.id,
            charges=settlement.charges,
            payments=settlement.payments,
            residual_micro=settlement.residual.amount_micro,
            settled_at=settlement.settled_at,
            fx=tuple(
                FxShownView(
                    pinned=FxSnapshotShape.of(shown.pinned),
                    today=FxSnapshotShape.of(shown.today) if shown.today else None,
                    difference=shown.difference,
                )
                for shown in settlement.fx
            ),
        )


def _tax(line: Line) -> TaxView | None:
    if line.tax is None:
        return None
    tax = line.tax
    return TaxView(
        code=tax.rule_code,
        name=tax.name,
        rate_ppm=tax.rate_ppm,
        base=tax.base,
        inclusive=tax.inclusive,
        category=tax.category,
        levy=tax.levy,
    )
