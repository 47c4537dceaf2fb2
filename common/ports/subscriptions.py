"""The platform's own books, as use cases see them: plans, subscriptions and their invoices.

They stand in the central schema, and a transaction sees there what is the tenant's that it works
for; plans are everybody's.
"""

from __future__ import annotations  # the names below are for the type checker, not for a start

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from common.domain.dataclass import dataclass

if TYPE_CHECKING:
    from common.domain.dunning import Held
    from common.domain.identifiers import (
        PaymentIntentId,
        PlanVersionId,
        SubscriptionId,
        SubscriptionInvoiceId,
    )
    from common.domain.money import Money
    from common.domain.plan import PlanVersion
    from common.domain.platform_credit import PlatformCreditNote, ReversalEntry
    from common.domain.platform_identifiers import PlatformIncidentId
    from common.domain.platform_incident import PlatformIncident
    from common.domain.platform_tax import OneStopShopRow, PlatformTaxRules
    from common.domain.subscription import Subscription
    from common.domain.subscription_collection import Collection
    from common.domain.subscription_history import HistoryEntry
    from common.domain.subscription_invoice import PlatformSeries, SubscriptionInvoice
    from common.domain.subscription_payment import SubscriptionPayment
    from common.domain.subscription_set_off import SetOffMoved
    from common.domain.trial import Trial
    from common.domain.trial_keys import KeptKeys, Recognition
    from common.domain.usage import UsageBook, UsageEvent, UsageRecord
    from common.domain.usage_bill import UsageDue, UsageShown, UsageTotal
    from common.ports.paging import Page
    from common.ports.quotes import Quotes
    from common.ports.subscription_refunds import SubscriptionRefunds


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """A charge, and whose it is: what of it never changes."""

    payment_id: PaymentIntentId
    subscription_id: SubscriptionId
    invoice_id: SubscriptionInvoiceId


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageFilter:
    """Which totals a list holds; None asks nothing."""

    meter: str | None = None
    period_number: int | None = None


class Plans(Protocol):
    """The catalogue. Its rows are only added to."""

    def newest(self) -> Sequence[PlanVersion]:
        """The newest version of each plan, by its name."""

    def foresee(self, plan: str | None, number: int | None = None) -> None:
        """Read a version along with the subscription; without a plan, of what it is on."""

    def find(self, plan: str) -> PlanVersion | None:
        """The newest version of a plan, if there is such a plan."""

    def get(self, plan: str, number: int | None = None) -> PlanVersion:
        """A version of a plan, the newest where none is named. Refuses: PlanUnknown."""

    def get_by_id(self, version_id: PlanVersionId) -> PlanVersion:
        """A version that something refers to. Refuses: PlanUnknown."""

    def keep(self, version: PlanVersion) -> None:
        """Add a version, once."""


class Subscriptions(Protocol):
    """The tenant's subscription: the one that stands, or the last one that was canceled."""

    def find(self) -> Subscription | None:
        """Lock it, if there is one."""

    def get(self) -> Subscription:
        """Read it. Refuses: SubscriptionUnknown."""

    def take(self) -> Subscription:
        """Lock it. Refuses: SubscriptionUnknown."""

    def take_by_id(self, subscription_id: SubscriptionId) -> Subscription:
        """Lock the tenant's subscriptions, and read one. Refuses: SubscriptionUnknown."""

    def foresee_granted(self) -> None:
        """Read `granted_micro` along with the subscription."""

    def granted_micro(self) -> int:
        """The micro credits that subscriptions which have ended were granted for a time that is not
        over, but for what went back with the money that they came with."""

    def due(self, on: date | None) -> Sequence[int]:
        """The number of the period that is over, where one is: by now, and by the end of a day."""

    def get_with_plan(self) -> tuple[Subscription, PlanVersion]:
        """Read it with the version of the plan that is in force. Refuses: SubscriptionUnknown."""

    def history(self, subscription: Subscription) -> Sequence[HistoryEntry]:
        """What happened to it, in order."""

    def keep(self, subscription: Subscription) -> None:
        """Write it."""

    def foresee_series(self, year: int) -> None:
        """Lock them along with what is read next, which is the last thing before them."""

    def take_series(self, year: int) -> PlatformSeries:
        """Lock the numbers of a year. They are the platform's: take them last."""

    def keep_invoice(self, invoice: SubscriptionInvoice, series: PlatformSeries) -> None:
        """Write a new invoice with its entries, and move the series on."""

    def foresee_invoice(self, invoice_id: SubscriptionInvoiceId) -> None:
        """Read an invoice along with its subscription."""

    def get_invoice(self, invoice_id: SubscriptionInvoiceId) -> SubscriptionInvoice:
        """Read an invoice. Refuses: SubscriptionInvoiceUnknown."""

    def page(self, limit: int, cursor: str | None) -> Page[SubscriptionInvoice]:
        """Invoices in the order of their ids."""


class Usage(Protocol):
    """What tenants have used: events that count once, and their totals by period and meter."""

    def must_know(self, meters: Iterable[str]) -> None:
        """Refuses what is no meter: MeterUnknown."""

    def take(self, events: Sequence[UsageEvent]) -> UsageBook:
        """Lock the tenant's subscriptions, and read what has to be known to count these events:
        of the one that stands, and of those that ended so lately that something can be told.

        Refuses: SubscriptionUnknown.
        """

    def keep(self, record: UsageRecord) -> None:
        """Write what was counted, and fold it into the totals."""

    def foresee(self, subscription_id: SubscriptionId | None = None) -> None:
        """Read along with a subscription what is not billed of it: of the one that stands, unless
        another is named."""

    def unbilled(self, subscription: Subscription, *, and_ahead: bool) -> tuple[UsageTotal, ...]:
        """The totals of which something is not billed: of the subscription's periods so far, and of
        those that are to begin."""

    def unbilled_since_they_ended(self, limit: int) -> Sequence[SubscriptionId]:
        """Subscriptions that have ended so long ago that nothing of them can be told any more, and
        of which something is not billed."""

    def keep_billed(self, due: UsageDue, subscription: Subscription) -> None:
        """Mark the totals as billed, and close the period if another one has begun."""

    def page(self, which: UsageFilter, limit: int, cursor: str | None) -> Page[UsageShown]:
        """Totals in the order of subscription, period and meter. Refuses: CursorInvalid."""


class Trials(Protocol):
    """The tenant's trial. It is locked by its subscription, which is taken first."""

    def find(self) -> Trial | None:
        """The tenant's trial, if it has had one."""

    def to_remind(self) -> Sequence[SubscriptionId]:
        """The trial that is to be told of by now, where there is one."""

    def foresee_keys(self) -> None:
        """Read the kept keys along with what is read next."""

    def kept_keys(self) -> KeptKeys:
        """The keys that who had a trial is marked under, over all tenants."""

    def begin(self, trial: Trial, known: Recognition) -> None:
        """Write a new trial, with the marks of who begins it: each of them once, over all tenants.
        At the commit refuses: TrialUsed, TrialNotOffered, TrialsUnavailable."""

    def keep(self, trial: Trial) -> None:
        """Write what has changed of it."""


class SubscriptionCollections(Protocol):
    """How what subscriptions owe is collected; behind the lock of their subscription."""

    def foresee(self, subscription_id: SubscriptionId | None = None) -> None:
        """Read it along with its subscription: the one that stands, unless another is named."""

    def find(self, subscription_id: SubscriptionId) -> Collection | None:
        """How it is collected of a subscription, if there ever was anything to collect."""

    def foresee_method(self, subscription_id: SubscriptionId | None = None) -> None:
        """Read along with its subscription whether there is what it is charged to."""

    def has_method(self, subscription_id: SubscriptionId) -> bool:
        """Whether what a subscription is charged to was ever named, and is still there."""

    def due(self, limit: int) -> Sequence[SubscriptionId]:
        """Subscriptions for which something is to be done, the longest waiting first."""

    def foresee_held(self) -> None:
        """Read along with what is read next what keeps everybody from being suspended."""

    def held(self) -> Held:
        """What keeps everybody from being suspended right now."""

    def keep(self, collection: Collection) -> None:
        """Write it, or how it has changed."""


class SubscriptionPayments(Protocol):
    """Charges of the platform's invoices. Changed behind their subscription's lock."""

    def whose(self, payment_id: str | None, processor_payment_id: str | None) -> Charged | None:
        """Which subscription is to be locked for a charge that is named by our id, or by the
        processor's; None where it is none."""

    def foresee_charge(self, whose: Charged) -> None:
        """Read a charge along with its subscription."""

    def get(self, payment_id: PaymentIntentId) -> SubscriptionPayment:
        """A charge that there is."""

    def foresee(self, subscription_id: SubscriptionId | None = None) -> None:
        """Read along with its subscription which charge waits, and whether one is under way."""

    def is_under_way(self, subscription_id: SubscriptionId, but: str = "") -> bool:
        """Whether a charge of a subscription, but for this one, is still to be answered."""

    def find_waiting(self, subscription_id: SubscriptionId) -> SubscriptionPayment | None:
        """The charge of a subscription that waits for its tenant at the bank, if one does."""

    def foresee_oldest_open(self, subscription_id: SubscriptionId, but: str = "") -> None:
        """Read along with its subscription the first invoice that is open, but for this one."""

    def oldest_open(
        self, subscription_id: SubscriptionId, but: str = ""
    ) -> tuple[SubscriptionInvoice, int] | None:
        """The first invoice that is open, but for this one, and how often it was charged."""

    def foresee_all_open(self) -> None:
        """Read along with the subscription that stands what is open of it."""

    def all_open(self, subscription_id: SubscriptionId) -> Sequence[SubscriptionInvoice]:
        """The invoices that are open, the oldest first: a hundred at most."""

    def foresee_taken_there(
        self,
        processor_invoice_id: str,
        subscription_id: str,
        due: Money,
        begins_at: datetime | None,
    ) -> None:
        """Read along with its subscription whether an invoice of the processor's own is known, and
        which of ours it may pay, or has come second for."""

    def open_of(
        self, subscription_id: SubscriptionId, due: Money
    ) -> tuple[SubscriptionInvoice, int] | None:
        """The first invoice that no money has paid and of which so much is due, or is left beside
        a credit; and its charges so far."""

    def paid_of(
        self, subscription_id: SubscriptionId, due: Money, begins_at: datetime
    ) -> tuple[SubscriptionInvoice, int] | None:
        """The invoice that is paid, of which so much was due, of the period that begins around
        then; and its charges so far."""

    def is_taken_there(self, processor_invoice_id: str) -> bool:
        """Whether an invoice of the processor's own has paid one of ours, or goes back."""

    def due(self, limit: int) -> Sequence[PaymentIntentId]:
        """Charges of which something has to become, the longest waiting first."""

    def keep(self, payment: SubscriptionPayment) -> None:
        """Write a charge, or how it has changed."""

    def postpone(self, payment: SubscriptionPayment) -> None:
        """Ask again later, the later the longer it is under way."""

    def foresee_that_paid(self, invoice_id: SubscriptionInvoiceId) -> None:
        """Read the charge that has paid an invoice along with its subscription."""

    def that_paid(self, invoice_id: SubscriptionInvoiceId) -> SubscriptionPayment | None:
        """The charge that has paid an invoice; None where none has."""

    def pay_invoice(self, payment: SubscriptionPayment, invoice: SubscriptionInvoice) -> None:
        """Write that a charge has paid its invoice, book it, and whose the payment is."""

    def give_up(self, invoice: SubscriptionInvoice) -> None:
        """Write that nobody will pay an invoice any more, and book that."""


class PlatformCredits(Protocol):
    """What went back of the money of the platform's invoices. Behind their subscription's lock."""

    def booked(self, source: str) -> Mapping[int, ReversalEntry]:
        """What was booked of a refund or of a dispute, by its parts."""

    def notes_of(self, invoice_id: SubscriptionInvoiceId) -> Sequence[PlatformCreditNote]:
        """The credit notes of an invoice, in their order."""

    def take_series(self, year: int) -> PlatformSeries:
        """Lock the numbers of a year. They are the platform's: take them last."""

    def keep_note(self, note: PlatformCreditNote, series: PlatformSeries) -> None:
        """Write a new credit note, move the series on, and take it off what is declared."""

    def set_off(self, moved: SetOffMoved) -> None:
        """Book that a credit has paid a part of an invoice, or is a credit again; once by what
        brought it."""

    def keep(self, invoice: SubscriptionInvoice, entries: Sequence[ReversalEntry]) -> None:
        """Book what went back of an invoice's money, and write what is gone of it by now."""


class PlatformIncidents(Protocol):
    """Incidents of the platform. Whoever acts changes those of their own office."""

    def on(self) -> PlatformIncidentId | None:
        """The incident that is on, whoever has declared it."""

    def take(self, incident_id: PlatformIncidentId) -> PlatformIncident:
        """Lock an incident. Refuses: PlatformIncidentUnknown."""

    def keep(self, incident: PlatformIncident) -> None:
        """Write an incident, or that it has ended."""


class PlatformTaxes(Protocol):
    """Who sells for the platform and what is taxed how, in versions that are only added to."""

    def foresee(self) -> None:
        """Read what is in force along with what is read next."""

    def in_force(self) -> PlatformTaxRules | None:
        """The newest version that is in force now; None where there is no seller yet."""

    def newest(self) -> Sequence[PlatformTaxRules]:
        """The newest twenty versions, in force or not, the newest first."""

    def last_number(self) -> int:
        """The number of the newest version, in force or not; 0 without any."""

    def keep(self, rules: PlatformTaxRules) -> None:
        """Add a version, once."""

    def declared(self, year: int, quarter: int) -> Sequence[OneStopShopRow]:
        """What is to be declared of a quarter through the one-stop shop, over all tenants: by
        country, rate and currency."""


class PlatformBooks(Protocol):
    """What a transaction has of the platform's own books."""

    @property
    def plans(self) -> Plans: ...
    @property
    def subscriptions(self) -> Subscriptions: ...
    @property
    def trials(self) -> Trials: ...
    @property
    def usage(self) -> Usage: ...
    @property
    def subscription_collections(self) -> SubscriptionCollections: ...
    @property
    def subscription_payments(self) -> SubscriptionPayments: ...
    @property
    def platform_credits(self) -> PlatformCredits: ...
    @property
    def subscription_refunds(self) -> SubscriptionRefunds: ...
    @property
    def platform_incidents(self) -> PlatformIncidents: ...
    @property
    def platform_taxes(self) -> PlatformTaxes: ...

    @property
    def quotes(self) -> Quotes:
        """Who signs quotes, where the function needs `quotes`."""
