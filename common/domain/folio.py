"""A folio: what a guest owes, line by line, from check-in to the last payment.

It belongs to one property and keeps one currency. Charges and their taxes add to the balance,
payments take away, nothing is ever deleted: a correction is a further line that names what it
corrects. A folio is locked while it changes, so its lines are numbered without a gap, and its
balance is always the sum of its lines. It closes at zero and then refuses everything, until it is
opened again: what stands on a document by then stays there, and only later lines are billed.

What it is in credit by is a deposit: a liability of the house until charges take it up, or it is
given back or moved (FOL-11). Whatever posts lines brings the difference over in the ledger.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, TypeVar

from common.domain.aggregate import Aggregate, Fact
from common.domain.charge import Charge, Occasion, TaxedAmount, TaxSums, portions
from common.domain.dataclass import dataclass
from common.domain.folio_line import Line, LineType
from common.domain.fx import FxRates, FxSnapshot
from common.domain.guest import Guest, Stay
from common.domain.identifiers import ChargeId, FolioId, PropertyId, TaxLineId
from common.domain.ledger import Entry, brought_over, line_entries, payment_entries
from common.domain.moment import Moment
from common.domain.money import CurrenciesDiffer, Currency, Money
from common.domain.nights import Occupancy
from common.domain.payment import Payment
from common.domain.refusal import Conflict, Missing, Unmet


class FolioUnknown(Missing):
    code = "FOLIO_UNKNOWN"
    title = "There is no such folio"


class FolioAlreadyClosed(Conflict):
    code = "FOLIO_CLOSED"
    title = "The folio is closed"


class Overpayment(Unmet):
    code = "OVERPAYMENT"
    title = "The payment is more than what is owed"


class WindowUnknown(Unmet):
    code = "WINDOW_UNKNOWN"
    title = "The folio has no such window"


class FolioStatus(StrEnum):
    """Open folios take lines, closed ones never do."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True)
class FolioFact(Fact):
    """Something that happened to a folio."""

    subject: "Folio" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class FolioOpened(FolioFact):
    name = "folio.opened"


@dataclass(frozen=True, kw_only=True)
class LinesPosted(FolioFact):
    """Lines that moved the balance, with the ledger entries that they make."""

    subject: "Folio"
    lines: tuple[Line, ...]
    entries: tuple[Entry, ...]
    balance: Money


@dataclass(frozen=True, kw_only=True)
class ChargePosted(LinesPosted):
    name = "charge.posted"


@dataclass(frozen=True, kw_only=True)
class PaymentRecorded(LinesPosted):
    name = "payment.recorded"
    payment: Payment


@dataclass(frozen=True, kw_only=True)
class BalanceDueFound(FolioFact):
    name = "folio.balance_due"
    balance: Money


Posted = TypeVar("Posted", bound=LinesPosted)


@dataclass(kw_only=True)
class Folio(Aggregate):
    """See the module. `fresh` holds the lines that were added since it was taken.

    `pending_refunds` counts the refunds that a processor has still to settle. It was opened again
    `reopened` times, the last time when its lines up to the one numbered `billed_to` were billed.
    `deposits_micro` is what the ledger holds as its deposits: what it is in credit by, as of the
    last lines.
    """

    kind: ClassVar[str] = "folio"
    id: FolioId
    property_id: PropertyId
    currency: Currency
    guest: Guest
    balance: Money
    business_date: date
    opened_at: datetime
    status: FolioStatus = FolioStatus.OPEN
    reservation_id: str | None = None
    window: str = "guest"
    windows: tuple[str, ...] = ("guest",)
    routing: dict[str, str] = field(default_factory=dict)
    stay: Stay | None = None
    rates: FxRates = field(default_factory=FxRates)
    tax_sums: TaxSums = field(default_factory=TaxSums)
    last_line: int = 0
    pending_refunds: int = 0
    reopened: int = 0
    billed_to: int = 0
    deposits_micro: int = 0
    closed_at: datetime | None = None
    fresh: tuple[Line, ...] = ()

    def state(self) -> dict[str, object]:
        """What the audit trail digests: nothing personal."""
        again = {"reopened": self.reopened, "billedTo": self.billed_to} if self.reopened else {}
        return again | {
            "id": self.id,
            "propertyId": str(self.property_id),
            "currency": self.currency,
            "status": self.status,
            "reservationId": self.reservation_id,
            "window": self.window,
            "balanceMicro": self.balance.amount_micro,
            "lastLine": self.last_line,
        }

    @classmethod
    def open(
        cls,
        *,
        id: FolioId,
        property_id: PropertyId,
        guest: Guest,
        moment: Moment,
        currency: Currency | None = None,
        reservation_id: str | None = None,
        window: str = "guest",
        windows: Sequence[str] = (),
        routing: dict[str, str] | None = None,
        stay: Stay | None = None,
        rates: Sequence[FxSnapshot] = (),
    ) -> FolioOpened:
        """Open a folio and pin its rates: those given, or today's of the settings.

        Refuses: PropertyUnknown, WindowUnknown, CurrenciesDiffer (a rate that does not lead to the
        folio's currency), FxRateInvalid.
        """
        house = moment.settings.property(property_id)
        currency = currency or house.currency
        if any(rate.quote != currency for rate in rates):
            raise CurrenciesDiffer(f"the rates of this folio lead to {currency}")
        names = tuple(dict.fromkeys((window, *windows)))
        for target in (routing or {}).values():
            if target not in names:
                raise WindowUnknown(window=target)
        folio = cls(
            id=id,
            property_id=property_id,
            currency=currency,
            guest=guest,
            balance=Money.zero(currency),
            business_date=house.business_date(moment.now),
            opened_at=moment.now,
            reservation_id=reservation_id,
            window=window,
            windows=names,
            routing=dict(routing or {}),
            stay=stay,
            rates=FxRates(tuple(rates) or moment.settings.rates_to(currency)),
        )
        return FolioOpened(subject=folio, sequence=folio.next_sequence())

    def post_charge(
        self, charge: Charge, moment: Moment, reason: str | None = None
    ) -> ChargePosted:
        """Post a charge with its taxes, a line for each stretch of nights that are taxed alike.

        Refuses: FolioAlreadyClosed, CurrenciesDiffer, WindowUnknown, TaxRuleMissing,
        AmountOutOfRange.
        """
        self.must_be_open()
        today = moment.settings.property(self.property_id).business_date(moment.now)
        on = charge.booked_on or today
        amount = charge.amount + Money.zero(self.currency)  # refuses another currency
        sums = self.tax_sums.copy()
        found = portions(charge, self.occasion(charge, moment), sums, moment)
        first = Line(
            id=charge.id,
            type=LineType.CHARGE,
            kind=charge.kind,
            description=charge.description,
            window=self.window_for(charge.window, charge.kind),
            amount=amount,
            business_date=on,
            settings_version=moment.settings.version,
            source=charge.source,
            external_reference=charge.external_reference,
            charge_id=charge.id,
            corrects=charge.corrects,
        )
        lines: tuple[Line, ...] = ()
        for portion in found:
            line = replace(
                first,
                amount=portion.parts.net,
                service_date=portion.on,
                quantity=portion.quantity,
                unit_amount=portion.unit_amount,
                untaxed=portion.parts.untaxed,
                occupancy=portion.occupancy,
            )
            if lines:  # a later stretch of the same charge
                later = moment.new_id(ChargeId)
                line = replace(line, id=later, external_reference=None, corrects=None)
            lines += self.add_taxed(line, portion.parts, moment)
        self.tax_sums = sums
        return self.posted(ChargePosted, lines, reason=reason)

    def record_payment(
        self, payment: Payment, moment: Moment, *, allow_credit: bool = False
    ) -> PaymentRecorded:
        """Take a payment off the balance.

        More than what is owed is refused, unless it is meant as a deposit; a foreign payment may
        exceed it by the residual that its conversion can leave. Refuses: FolioAlreadyClosed,
        CurrenciesDiffer, Overpayment.
        """
        self.must_be_open()
        left = self.balance - payment.amount
        if left < -self.residual_allowed(moment, int(payment.is_foreign)) and not allow_credit:
            raise Overpayment(balanceMicro=self.balance.amount_micro, currency=self.currency)
        lines = self.add(
            Line(
                id=payment.id,
                type=LineType.PAYMENT,
                kind=payment.method,
                description={"und": payment.method},
                window=self.window,
                amount=-payment.amount,
                business_date=payment.business_date,
                settings_version=moment.settings.version,
            )
        )
        return self.posted(
            PaymentRecorded, lines, entries=payment_entries(payment), payment=payment
        )

    @property
    def deposits_held(self) -> Money:
        """What stands on it beyond what is owed, as more than nothing; zero where there is none."""
        return max(-self.balance, Money.zero(self.currency))

    def convert(self, paid: Money) -> Money:
        """What an amount is worth on this folio, by its pinned rates. Refuses: FxRateMissing."""
        return self.rates.convert(paid, self.currency)

    def snapshot_for(self, currency: Currency) -> FxSnapshot | None:
        """The pinned rate between a currency and the folio's, if there is one."""
        return next((rate for rate in self.rates.snapshots if rate.base == currency), None)

    def balance_due(self) -> BalanceDueFound:
        """Note that somebody tried to close it unsettled. Refuses: FolioAlreadyClosed."""
        self.must_be_open()
        return BalanceDueFound(subject=self, sequence=self.next_sequence(), balance=self.balance)

    def residual_allowed(self, moment: Moment, foreign_payments: int) -> Money:
        """What conversion may leave over: so many minor units for each foreign payment."""
        units = moment.settings.residual_minor_units_per_foreign_payment * foreign_payments
        return Money.of_minor_units(units, self.currency)

    def must_be_open(self) -> None:
        """Refuses: FolioAlreadyClosed."""
        if self.status is FolioStatus.CLOSED:
            raise FolioAlreadyClosed(folioId=self.id)

    def unbilled(self, lines: Iterable[Line]) -> list[Line]:
        """Those of its lines that were on no document when it was last opened."""
        return [line for line in lines if line.sequence > self.billed_to]

    def add(self, *lines: Line) -> tuple[Line, ...]:
        """Write lines down as the next ones and move the balance by them. All or none.

        Refuses: CurrenciesDiffer, AmountOutOfRange.
        """
        written = tuple(
            replace(line, sequence=sequence)
            for sequence, line in enumerate(lines, self.last_line + 1)
        )
        self.balance += Money.total((line.amount for line in written), self.currency)
        self.last_line += len(written)
        # A new tuple, as copies share the old one: a copy of pointers, which for 500 charges in one
        # transaction is a hundredth of their work.
        self.fresh = (*self.fresh, *written)
        return written

    def add_taxed(self, line: Line, parts: TaxedAmount, moment: Moment) -> tuple[Line, ...]:
        """Write a line down with its taxes, each tax a line of its own tied to the same charge."""
        taxes = (
            replace(
                line,
                id=moment.new_id(TaxLineId),
                type=LineType.TAX,
                description={"und": tax.name},
                amount=tax.amount,
                tax=tax,
                quantity=None,
                unit_amount=None,
                external_reference=None,
                corrects=None if line.type is LineType.CHARGE else line.corrects,
                occupancy=None,
            )
            for tax in parts.taxes
        )
        return self.add(line, *taxes)

    def posted(
        self,
        fact: Callable[..., Posted],
        lines: tuple[Line, ...],
        entries: tuple[Entry, ...] | None = None,
        **details: object,
    ) -> Posted:
        """Tell what lines were written; their ledger entries follow from them, or are given.

        Behind them stands what is more of a deposit now than before, or less (FOL-11).
        """
        if entries is None:
            entries = tuple(entry for line in lines for entry in line_entries(line))
        if lines:
            held_micro = max(0, -self.balance.amount_micro)
            entries += brought_over(lines[-1], held_micro - self.deposits_micro)
            self.deposits_micro = held_micro
        return fact(
            subject=self,
            sequence=self.next_sequence(),
            lines=lines,
            entries=entries,
            balance=self.balance,
            **details,
        )

    def occasion(self, charge: Charge, moment: Moment) -> Occasion:
        """What the taxes of a charge hang on. One that corrects an untaxed one is never untaxed."""
        house = moment.settings.property(self.property_id)
        on = charge.service_date or house.business_date(moment.now)
        return Occasion(
            house=house,
            kind=charge.kind,
            on=on,
            exemptions=self.guest.exemptions,
            stay_nights=self.stay.nights if self.stay else None,
            occupancy=Occupancy(
                nights=charge.nights,
                persons=charge.persons,
                first_night=charge.first_night or (self.stay.place_of(on) if self.stay else 1),
                ages=charge.ages,
            ),
            untaxed_allowed=house.allows_untaxed(moment.now) and charge.corrects is None,
        )

    def window_for(self, asked: str | None, kind: str) -> str:
        """The window that a kind of charge goes to, unless one is asked for.

        Refuses: WindowUnknown.
        """
        window = asked or self.routing.get(kind, self.window)
        if window not in self.windows:
            raise WindowUnknown(window=window)
        return window
