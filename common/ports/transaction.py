"""What a use case may do: take, keep, post, tell. There is no commit, no clock, no network in it.

Returning from the use case commits everything at once; raising leaves nothing behind. `take` locks
the row until the end of the transaction (READ COMMITTED with row locks, in the order of the ids, is
the one way of isolation here); constraints in the database guard whatever may happen only once.
What is kept, posted and told is collected and written together with the commit.
"""

from __future__ import annotations  # the names below are for the type checker, not for a start

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from common.domain.moment import Moment
from common.domain.refusal import Unmet
from common.ports.subscriptions import PlatformBooks

if TYPE_CHECKING:
    from uuid import UUID

    from common.domain.aggregate import Fact
    from common.domain.cash import CashSession
    from common.domain.cash_drawer import CashDrawer
    from common.domain.cash_movement import CashMovement
    from common.domain.cash_report import Flow
    from common.domain.folio import Folio
    from common.domain.folio_line import Line
    from common.domain.identifiers import (
        CashDrawerId,
        CashSessionId,
        ChargeId,
        DocumentId,
        FolioId,
        PaymentId,
        PropertyId,
        RefundId,
    )
    from common.domain.ledger import Booked
    from common.domain.money import Money
    from common.domain.payment import Payment
    from common.domain.refund import Refund
    from common.domain.reopening import Reopening
    from common.domain.settlement import Settlement
    from common.ports.company_accounts import CompanyAccounts
    from common.ports.deposits import Deposits
    from common.ports.documents import Certificates, CreditNotes, Invoices, SalesJournal, Sendings
    from common.ports.house import Incidents, SettingsBook
    from common.ports.identity import Actor, StepUp
    from common.ports.movements import ProcessorDifferences
    from common.ports.night_audits import NightAudits, Stays
    from common.ports.payments import (
        CollectionLeases,
        Customers,
        DataKeys,
        PaymentIntents,
        StoredMethods,
    )
    from common.ports.payouts import Payouts
    from common.ports.prepaid import Prepaid
    from common.ports.purchases import AutoTopUps, CreditPurchases
    from common.ports.reconciling import Reconciliations
    from common.ports.risk import Reviews, RiskChecks
    from common.ports.signals import Signals
    from common.ports.webhooks import Disputes, LateRefunds, ReturnedPayments, Webhooks

T = TypeVar("T")


class CursorInvalid(Unmet):
    area = "GENERAL"
    code = "CURSOR_INVALID"
    title = "The cursor is not one that a list has given"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A piece of a list, and where the next one begins (None at the end)."""

    items: tuple[T, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FolioFilter:
    """Which folios a list holds; None asks nothing."""

    property_id: PropertyId | None = None
    status: str | None = None
    reservation_id: str | None = None
    business_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFilter:
    """Which invoices a list holds; None asks nothing."""

    property_id: PropertyId | None = None
    folio_id: FolioId | None = None
    number: str | None = None
    business_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CashDrawerFilter:
    """Which drawers a list holds; None asks nothing."""

    property_id: PropertyId | None = None
    active: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CashSessionFilter:
    """Which sessions a list holds; None asks nothing."""

    property_id: PropertyId | None = None
    drawer_id: CashDrawerId | None = None
    status: str | None = None
    business_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRefund:
    """A refund that a processor is to make, out of its payment. One that `is_called_off` it is to
    make no more, and is asked only whether it has."""

    id: RefundId
    folio_id: FolioId
    processor_payment_id: str
    paid: Money
    is_called_off: bool = False


class Folios(Protocol):
    """Folios, their lines and payments. Another tenant's or property's folio is unknown here."""

    def get(self, folio_id: FolioId) -> Folio:
        """A folio as it is. Refuses: FolioUnknown."""

    def take(self, folio_id: FolioId) -> Folio:
        """Lock a folio. Refuses: FolioUnknown."""

    def take_with_charge(
        self, folio_id: FolioId, charge_id: ChargeId
    ) -> tuple[Folio, Sequence[Line]]:
        """Lock a folio and read the lines of one of its charges. Refuses: FolioUnknown."""

    def take_both(
        self, folio_id: FolioId, other_id: FolioId, charge_ids: Sequence[ChargeId]
    ) -> tuple[Folio, Folio, Sequence[Line]]:
        """Lock two folios, in one order, with some charges of the first. Refuses: FolioUnknown."""

    def take_whole(
        self, folio_id: FolioId
    ) -> tuple[Folio, Sequence[Line], Sequence[Payment], Sequence[Refund]]:
        """Lock a folio and read its lines, payments and refunds. Refuses: FolioUnknown."""

    def get_whole(
        self, folio_id: FolioId
    ) -> tuple[Folio, Sequence[Line], Sequence[Payment], Sequence[Refund]]:
        """Read a folio with its lines, payments and refunds. Refuses: FolioUnknown."""

    def find_for_reservation(
        self, property_id: PropertyId, reservation_id: str, window: str
    ) -> Folio | None:
        """The folio that was opened for a reservation and window, if any."""

    def find_charge(self, folio_id: FolioId, source: str, reference: str) -> Line | None:
        """The line of a folio that was posted under a source's reference, if any."""

    def find_paid_by(self, processor_payment_id: str) -> Payment | None:
        """The payment that recorded a processor's payment, if any."""

    def page(self, which: FolioFilter, limit: int, cursor: str | None) -> Page[Folio]:
        """Folios in the order of their opening."""

    def keep(self, folio: Folio) -> None:
        """Write the folio and its fresh lines."""

    def keep_payment(self, payment: Payment, *, is_listed: bool = False) -> None:
        """Write a payment; its line is the folio's. One of a card is listed by the processor's id
        for its webhooks, unless it was when its money came."""

    def keep_settlement(self, settlement: Settlement) -> None:
        """Write how a folio came to zero."""

    def keep_reopening(self, reopening: Reopening) -> None:
        """Write that a folio was opened again."""


class CashDrawers(Protocol):
    """Cash drawers. Another tenant's or property's drawer is unknown here."""

    def take(self, drawer_id: CashDrawerId) -> CashDrawer:
        """Lock a drawer. Refuses: DrawerUnknown."""

    def page(self, which: CashDrawerFilter, limit: int, cursor: str | None) -> Page[CashDrawer]:
        """Drawers in the order of their making."""

    def keep(self, drawer: CashDrawer) -> None:
        """Write the drawer."""


class CashSessions(Protocol):
    """Cash sessions and what moved in them. Another tenant's or property's is unknown here.

    Sums are what should be in the drawer by the ledger, an amount for each currency that ever
    moved in it.
    """

    def take(self, session_id: CashSessionId) -> CashSession:
        """Lock a session: no cash moves in it meanwhile. Refuses: SessionUnknown."""

    def take_with_sums(self, session_id: CashSessionId) -> tuple[CashSession, tuple[Money, ...]]:
        """Lock a session and read its sums. Refuses: SessionUnknown."""

    def take_to_pay(self, property_id: PropertyId, session_id: CashSessionId | None) -> CashSession:
        """Keep the named open session of a property open, or the actor's only one, for a payment.

        Refuses: NoOpenCashSession.
        """

    def get_whole(
        self, session_id: CashSessionId
    ) -> tuple[CashSession, tuple[Money, ...], Sequence[CashMovement]]:
        """Read a session with its sums and movements. Refuses: SessionUnknown."""

    def page(self, which: CashSessionFilter, limit: int, cursor: str | None) -> Page[CashSession]:
        """Sessions in the order of their opening."""

    def sums(self, session_ids: Sequence[CashSessionId]) -> dict[CashSessionId, tuple[Money, ...]]:
        """The sums of several sessions."""

    def of_day(
        self, property_id: PropertyId, business_date: date
    ) -> tuple[Sequence[CashSession], Sequence[Flow]]:
        """The sessions of a property's business date, and what moved in those that are closed."""

    def pending_since(self, moment: datetime, limit: int) -> Sequence[CashSessionId]:
        """Sessions that have waited since then, and of which nobody was told; oldest first."""

    def keep(self, session: CashSession) -> None:
        """Write the session."""

    def keep_movements(self, movements: Sequence[CashMovement]) -> None:
        """Write movements, once."""


class Refunds(Protocol):
    """Refunds, and those that wait for their processor. Changes are made under the folio's lock."""

    def take_payment(
        self, folio_id: FolioId, payment_id: PaymentId
    ) -> tuple[Folio, Payment, Money]:
        """Lock a folio and read one of its payments, and what stands on it of all of them: less
        what was given back, and what was moved away. Refuses: FolioUnknown, PaymentUnknown."""

    def take(self, folio_id: FolioId, refund_id: RefundId) -> tuple[Folio, Payment, Refund]:
        """Lock a folio and read a refund with its payment. Refuses: FolioUnknown, RefundUnknown."""

    def find_pending(self, refund_id: RefundId) -> PendingRefund | None:
        """What a processor is to be asked of a refund; None once it is settled."""

    def find_asked(
        self, refund_id: RefundId, processor_payment_id: str | None
    ) -> PendingRefund | None:
        """A card's refund that was promised of a processor's payment, whatever became of it."""

    def due(self, limit: int) -> Sequence[RefundId]:
        """Pending refunds whose last attempt is old, the longest waiting first."""

    def keep(self, refund: Refund, payment: Payment) -> None:
        """Write a new refund, what its payment has left, and that it waits where it is pending."""

    def keep_settled(self, refund: Refund, payment: Payment) -> None:
        """Write what became of a pending refund, once; it waits no longer."""

    def postpone(self, refund_id: RefundId) -> None:
        """Try again later, after a pause that grows with each attempt."""


class RenderQueue(Protocol):
    """Documents whose PDF is still to be made."""

    def due(self, limit: int) -> Sequence[DocumentId]:
        """Documents that wait and are due, the longest waiting first."""

    def put(self, document_id: DocumentId) -> None:
        """Let a document wait for its PDF."""

    def postpone(self, document_id: DocumentId, error: str) -> None:
        """Try again later, after a pause that grows with each attempt."""

    def done(self, document_id: DocumentId) -> None:
        """Take a document off the queue."""


class Ledger(Protocol):
    """The double-entry ledger; it can only be added to."""

    def post(self, booked: Booked) -> None:
        """Book the entries of what happened to a folio, in a drawer or on a company's account."""


class Transaction(Moment, PlatformBooks, Protocol):
    """The powers of one use case, for one actor, in one transaction."""

    @property
    def tenant_id(self) -> UUID:
        """Whose transaction it is."""

    @property
    def actor(self) -> Actor:
        """Who acts."""

    @property
    def step_up(self) -> StepUp | None:
        """What the actor confirmed with a second factor, where the function asks for it."""

    @property
    def origin(self) -> bytes | None:
        """Whence the actor calls: an HMAC of the address, where the function needs `origins`."""

    @property
    def folios(self) -> Folios: ...
    @property
    def invoices(self) -> Invoices: ...
    @property
    def certificates(self) -> Certificates: ...
    @property
    def credit_notes(self) -> CreditNotes: ...
    @property
    def sendings(self) -> Sendings: ...
    @property
    def sales_journal(self) -> SalesJournal: ...
    @property
    def cash_drawers(self) -> CashDrawers: ...
    @property
    def cash_sessions(self) -> CashSessions: ...
    @property
    def refunds(self) -> Refunds: ...
    @property
    def deposits(self) -> Deposits: ...
    @property
    def company_accounts(self) -> CompanyAccounts: ...
    @property
    def stays(self) -> Stays: ...
    @property
    def night_audits(self) -> NightAudits: ...
    @property
    def signals(self) -> Signals: ...
    @property
    def reconciliations(self) -> Reconciliations: ...
    @property
    def processor_differences(self) -> ProcessorDifferences: ...
    @property
    def payouts(self) -> Payouts: ...
    @property
    def prepaid(self) -> Prepaid: ...
    @property
    def webhooks(self) -> Webhooks: ...
    @property
    def disputes(self) -> Disputes: ...
    @property
    def late_refunds(self) -> LateRefunds: ...
    @property
    def returned_payments(self) -> ReturnedPayments: ...
    @property
    def customers(self) -> Customers: ...
    @property
    def stored_methods(self) -> StoredMethods: ...
    @property
    def data_keys(self) -> DataKeys: ...
    @property
    def collection_leases(self) -> CollectionLeases: ...
    @property
    def payment_intents(self) -> PaymentIntents: ...
    @property
    def credit_purchases(self) -> CreditPurchases: ...
    @property
    def auto_top_ups(self) -> AutoTopUps: ...
    @property
    def risk_checks(self) -> RiskChecks: ...
    @property
    def reviews(self) -> Reviews: ...
    @property
    def render_queue(self) -> RenderQueue: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def incidents(self) -> Incidents: ...
    @property
    def settings_book(self) -> SettingsBook: ...

    def tell(self, fact: Fact) -> None:
        """Write a fact down: an audit entry always, and the event that publishes it."""
