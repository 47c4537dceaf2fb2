"""What a use case may do: take, keep, post, tell. There is no commit, no clock, no network in it.

Returning from the use case commits everything at once; raising leaves nothing behind. `take` locks
the row until the end of the transaction (READ COMMITTED with row locks, in the order of the ids, is
the one way of isolation here); constraints in the database guard whatever may happen only once.
What is kept, posted and told is collected and written together with the commit.
"""

from __future__ import annotations  # the names below are for the type checker, not for a start

from typing import TYPE_CHECKING, Protocol

from common.domain.moment import Moment
from common.ports.subscriptions import PlatformBooks

if TYPE_CHECKING:
    from uuid import UUID

    from common.domain.aggregate import Fact
    from common.ports.cash import CashDrawers, CashSessions
    from common.ports.company_accounts import CompanyAccounts
    from common.ports.deposits import Deposits
    from common.ports.documents import (
        Certificates,
        CreditNotes,
        Invoices,
        RenderQueue,
        SalesJournal,
        Sendings,
    )
    from common.ports.folios import Folios, Ledger, Refunds
    from common.ports.forgetting import StoredAnswers
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
    def origins(self) -> tuple[bytes, ...]:
        """Whence the actor calls: HMACs of the address, where the function needs `origins`; the
        first is the one to keep, and any of them may have been kept before."""

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
    def stored_answers(self) -> StoredAnswers: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def incidents(self) -> Incidents: ...
    @property
    def settings_book(self) -> SettingsBook: ...

    def tell(self, fact: Fact) -> None:
        """Write a fact down: an audit entry always, and the event that publishes it."""
