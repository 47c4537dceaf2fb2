"""How the platform's figures read on the wire. Shares are in basis points, ten thousandths."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from common.contracts.fields import Amount, CurrencyCode, Day, Instant
from common.contracts.references import (
    PropertyRef,
    SubscriptionInvoiceRef,
    SubscriptionRef,
    TenantRef,
)
from common.contracts.shapes import Outcome, Request, Shape
from common.domain.identifiers import SubscriptionId, SubscriptionInvoiceId
from common.domain.platform_figures import (
    Behind,
    Credits,
    Days,
    Debts,
    Dunned,
    OwedToHouse,
    Revenue,
    Reversed,
    Trials,
)
from common.domain.recurring_revenue import MovementKind
from common.domain.revenue_bridge import Bridge, Recognition

BasisPoints = Annotated[int, Field(examples=[250])]


class DaysAsked(Request):
    """The first and the last day, of UTC; both are in."""

    first: Day
    last: Day


class BridgeView(Shape):
    """What subscriptions were worth a month before and after, and what led from one to the other;
    `unexplained` is nothing, or there is a mistake in the books."""

    opening: Amount
    new: Amount
    expansion: Amount
    contraction: Amount
    churn: Amount
    reactivation: Amount
    closing: Amount
    unexplained: Amount

    @classmethod
    def of(cls, bridge: Bridge) -> "BridgeView":
        moved = bridge.moved
        return cls(
            opening=bridge.opening,
            new=moved[MovementKind.NEW],
            expansion=moved[MovementKind.EXPANSION],
            contraction=moved[MovementKind.CONTRACTION],
            churn=moved[MovementKind.CHURN],
            reactivation=moved[MovementKind.REACTIVATION],
            closing=bridge.closing,
            unexplained=bridge.unexplained,
        )


class RecognitionView(Shape):
    """What was invoiced in these days, by what it is for; what was earned in them of this and of
    what was invoiced before; and what was invoiced and not yet earned at both ends."""

    fees: Amount
    prorations: Amount
    usage: Amount
    invoiced: Amount
    earned: Amount
    deferred_before: Amount
    deferred_after: Amount
    unexplained: Amount

    @classmethod
    def of(cls, found: Recognition) -> "RecognitionView":
        return cls(
            fees=found.fees,
            prorations=found.prorations,
            usage=found.usage,
            invoiced=found.invoiced,
            earned=found.earned,
            deferred_before=found.deferred_before,
            deferred_after=found.deferred_after,
            unexplained=found.unexplained,
        )


class DebtsView(Shape):
    """What was open at the end of the last day. Of it, `overdue` was due a day before; nobody has
    ever charged what is `neverCharged`, and nobody charges any more what is `notRetried`."""

    outstanding: Amount
    overdue: Amount
    never_charged: Amount
    not_retried: Amount

    @classmethod
    def of(cls, debts: Debts) -> "DebtsView":
        return cls(
            outstanding=debts.outstanding,
            overdue=debts.overdue,
            never_charged=debts.never_charged,
            not_retried=debts.not_retried,
        )


class DunnedView(Shape):
    """What was declined for the first time in these days, and was paid by their end."""

    declined: Amount
    recovered: Amount
    recovery: BasisPoints | None

    @classmethod
    def of(cls, dunned: Dunned) -> "DunnedView":
        return cls(declined=dunned.declined, recovered=dunned.recovered, recovery=dunned.recovery)


class ReversedView(Shape):
    """What credit notes of these days took back of what was invoiced, without tax (`refunded`),
    and what banks got in them (`lost`); `disputed` is withheld at the end of the last day."""

    refunded: Amount
    disputed: Amount
    lost: Amount

    @classmethod
    def of(cls, found: Reversed) -> "ReversedView":
        return cls(refunded=found.refunded, disputed=found.disputed, lost=found.lost)


class RevenueView(Shape):
    """All of one currency. `mrr` is what subscriptions are worth a month, `arr` twelve times that,
    `arpu` that by customer. `untaxed` was invoiced in these days while no seller was named who
    charges a tax on it. `lateUsage` came after its period was billed and is on no invoice at the
    end of the last day: what it will cost, without tax."""

    currency: CurrencyCode
    mrr: Amount
    arr: Amount
    arpu: Amount | None
    bridge: BridgeView
    recognition: RecognitionView
    debts: DebtsView
    dunning: DunnedView
    reversals: ReversedView
    untaxed: Amount
    late_usage: Amount

    @classmethod
    def of(cls, revenue: Revenue) -> "RevenueView":
        return cls(
            currency=revenue.currency,
            mrr=revenue.bridge.closing,
            arr=revenue.arr,
            arpu=revenue.arpu,
            bridge=BridgeView.of(revenue.bridge),
            recognition=RecognitionView.of(revenue.recognition),
            debts=DebtsView.of(revenue.debts),
            dunning=DunnedView.of(revenue.dunned),
            reversals=ReversedView.of(revenue.reversed),
            untaxed=revenue.untaxed,
            late_usage=revenue.late_usage.amount,
        )


class RevenueFigures(Outcome):
    """Of each currency in which anything ever was. `usageNotInvoiced` are the events of what is
    `lateUsage`, of all currencies. Until `isFinal` the last day is not over."""

    first: Day
    last: Day
    is_final: bool
    usage_not_invoiced: int
    currencies: tuple[RevenueView, ...]

    @classmethod
    def of(cls, asked: DaysAsked, days: Days, found: Sequence[Revenue]) -> "RevenueFigures":
        return cls(
            first=asked.first,
            last=asked.last,
            is_final=days.is_final,
            usage_not_invoiced=sum(each.late_usage.events for each in found),
            currencies=tuple(RevenueView.of(each) for each in found),
        )


class CustomersView(Shape):
    """Tenants whose subscription is worth something, in one currency; `lost` were some before and
    are none after. `lifetimeValue` is None while none was lost."""

    currency: CurrencyCode
    before: int
    after: int
    lost: int
    logo_churn: BasisPoints | None
    revenue_churn: BasisPoints | None
    lifetime_value: Amount | None

    @classmethod
    def of(cls, revenue: Revenue) -> "CustomersView":
        known = revenue.customers
        return cls(
            currency=revenue.currency,
            before=known.before,
            after=known.after,
            lost=known.lost,
            logo_churn=revenue.logo_churn,
            revenue_churn=revenue.revenue_churn,
            lifetime_value=revenue.lifetime_value,
        )


class TrialsView(Shape):
    """How many began and ended in these days; `converted` of those that ended are customers by the
    end of the last day, or were."""

    began: int
    ended: int
    converted: int
    conversion: BasisPoints | None

    @classmethod
    def of(cls, trials: Trials) -> "TrialsView":
        return cls(
            began=trials.began,
            ended=trials.ended,
            converted=trials.converted,
            conversion=trials.conversion,
        )


class SubscriptionFigures(Outcome):
    """Customers of each currency, and trials. Until `isFinal` the last day is not over."""

    first: Day
    last: Day
    is_final: bool
    customers: tuple[CustomersView, ...]
    trials: TrialsView

    @classmethod
    def of(
        cls, asked: DaysAsked, days: Days, found: Sequence[Revenue], trials: Trials
    ) -> "SubscriptionFigures":
        return cls(
            first=asked.first,
            last=asked.last,
            is_final=days.is_final,
            customers=tuple(CustomersView.of(each) for each in found),
            trials=TrialsView.of(trials),
        )


class CreditsView(Shape):
    """Prepaid credits of a tenant in these days, in micro credits. `consumed` was spent or taken,
    `metered` is that and what of it was free, `redeemed` settled guests' bills and is owed to the
    house, less what came back; a tenant whose credits did not move is not there."""

    tenant_id: TenantRef
    granted_micro: int
    consumed_micro: int
    metered_micro: int
    expired_micro: int
    taken_back_micro: int
    redeemed_micro: int

    @classmethod
    def of(cls, found: Credits) -> "CreditsView":
        return cls(
            tenant_id=found.tenant_id,
            granted_micro=found.granted_micro,
            consumed_micro=found.consumed_micro,
            metered_micro=found.metered_micro,
            expired_micro=found.expired_micro,
            taken_back_micro=found.taken_back_micro,
            redeemed_micro=found.redeemed_micro,
        )


class OwedToHouseView(Shape):
    """What the platform owes a house for guests' bills that credits have settled: what stands on
    `credits_clearing` of its ledger at the end of these days."""

    tenant_id: TenantRef
    property_id: PropertyRef
    amount: Amount

    @classmethod
    def of(cls, found: OwedToHouse) -> "OwedToHouseView":
        return cls(tenant_id=found.tenant_id, property_id=found.property_id, amount=found.amount)


class CreditFigures(Outcome):
    """What all tenants consumed, and each of them. Until `isFinal` the last day is not over."""

    first: Day
    last: Day
    is_final: bool
    granted_micro: int
    consumed_micro: int
    metered_micro: int
    expired_micro: int
    taken_back_micro: int
    redeemed_micro: int
    tenants: tuple[CreditsView, ...]
    owed_to_houses: tuple[OwedToHouseView, ...]

    @classmethod
    def of(
        cls,
        asked: DaysAsked,
        days: Days,
        found: Sequence[Credits],
        owed: Sequence[OwedToHouse],
    ) -> "CreditFigures":
        return cls(
            first=asked.first,
            last=asked.last,
            is_final=days.is_final,
            granted_micro=sum(each.granted_micro for each in found),
            consumed_micro=sum(each.consumed_micro for each in found),
            metered_micro=sum(each.metered_micro for each in found),
            expired_micro=sum(each.expired_micro for each in found),
            taken_back_micro=sum(each.taken_back_micro for each in found),
            redeemed_micro=sum(each.redeemed_micro for each in found),
            tenants=tuple(CreditsView.of(each) for each in found),
            owed_to_houses=tuple(OwedToHouseView.of(each) for each in owed),
        )


class BehindView(Shape):
    """A row of a figure. A movement, a subscription, a trial and usage are of no invoice; a trial
    and a record of usage are of no amount. Usage that came late is of a meter, in a period of its
    subscription."""

    tenant_id: TenantRef
    subscription_id: SubscriptionRef
    invoice_id: SubscriptionInvoiceRef | None
    number: str | None
    amount: Amount | None
    at: Instant
    meter: str | None
    usage_period: int | None

    @classmethod
    def of(cls, row: Behind) -> "BehindView":
        return cls(
            tenant_id=row.tenant_id,
            subscription_id=SubscriptionId(row.subscription_id),
            invoice_id=None if row.invoice_id is None else SubscriptionInvoiceId(row.invoice_id),
            number=row.number,
            amount=row.amount,
            at=row.at,
            meter=row.meter,
            usage_period=row.usage_period,
        )


class BehindPage(Outcome):
    """A page of rows; `nextCursor` is null at the end."""

    items: tuple[BehindView, ...]
    next_cursor: str | None
