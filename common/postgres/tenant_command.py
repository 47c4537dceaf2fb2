"""A command with all its stores, each made and loaded when a use case first asks for it."""

from functools import cached_property
from typing import TYPE_CHECKING

from common.postgres.command import CommandDesk

if TYPE_CHECKING:
    from common.postgres.auto_top_ups import AutoTopUps
    from common.postgres.cash_drawers import CashDrawers
    from common.postgres.cash_sessions import CashSessions
    from common.postgres.certificates import Certificates
    from common.postgres.collection_leases import CollectionLeases
    from common.postgres.company_accounts import CompanyAccounts
    from common.postgres.credit_notes import CreditNotes
    from common.postgres.credit_purchases import CreditPurchases
    from common.postgres.customers import Customers
    from common.postgres.deposits import Deposits
    from common.postgres.disputes import Disputes
    from common.postgres.folios import Folios
    from common.postgres.incidents import Incidents
    from common.postgres.invoices import Invoices
    from common.postgres.late_refunds import LateRefunds
    from common.postgres.ledger import Ledger
    from common.postgres.night_audits import NightAudits
    from common.postgres.payment_intents import PaymentIntents
    from common.postgres.payouts import Payouts
    from common.postgres.plans import Plans
    from common.postgres.platform_credits import PlatformCredits
    from common.postgres.platform_taxes import PlatformTaxes
    from common.postgres.prepaid_accounts import PrepaidAccounts
    from common.postgres.processor_differences import ProcessorDifferences
    from common.postgres.reconciliations import Reconciliations
    from common.postgres.refunds import Refunds
    from common.postgres.render_queue import RenderQueue
    from common.postgres.returned_payments import ReturnedPayments
    from common.postgres.reviews import Reviews
    from common.postgres.risk_checks import RiskChecks
    from common.postgres.sales_journal import SalesJournal
    from common.postgres.sendings import Sendings
    from common.postgres.settings_book import SettingsBook
    from common.postgres.signals import Signals
    from common.postgres.stays import Stays
    from common.postgres.stored_answers import StoredAnswers
    from common.postgres.stored_methods import DataKeys, StoredMethods
    from common.postgres.subscription_collections import (
        PlatformIncidents,
        SubscriptionCollections,
    )
    from common.postgres.subscription_payments import SubscriptionPayments
    from common.postgres.subscription_refunds import SubscriptionRefunds
    from common.postgres.subscriptions import Subscriptions
    from common.postgres.trials import Trials
    from common.postgres.usage import Usage
    from common.postgres.webhooks import Webhooks


class PostgresCommand(CommandDesk):
    """A command of one tenant, as its use case sees it."""

    @cached_property
    def folios(self) -> "Folios":
        from common.postgres.folios import Folios

        return Folios(self)

    @cached_property
    def invoices(self) -> "Invoices":
        from common.postgres.invoices import Invoices

        return Invoices(self)

    @cached_property
    def credit_notes(self) -> "CreditNotes":
        from common.postgres.credit_notes import CreditNotes

        return CreditNotes(self)

    @cached_property
    def certificates(self) -> "Certificates":
        from common.postgres.certificates import Certificates

        return Certificates(self)

    @cached_property
    def sales_journal(self) -> "SalesJournal":
        from common.postgres.sales_journal import SalesJournal

        return SalesJournal(self)

    @cached_property
    def sendings(self) -> "Sendings":
        from common.postgres.sendings import Sendings

        return Sendings(self)

    @cached_property
    def refunds(self) -> "Refunds":
        from common.postgres.refunds import Refunds

        return Refunds(self)

    @cached_property
    def deposits(self) -> "Deposits":
        from common.postgres.deposits import Deposits

        return Deposits(self)

    @cached_property
    def company_accounts(self) -> "CompanyAccounts":
        from common.postgres.company_accounts import CompanyAccounts

        return CompanyAccounts(self)

    @cached_property
    def stays(self) -> "Stays":
        from common.postgres.stays import Stays

        return Stays(self)

    @cached_property
    def night_audits(self) -> "NightAudits":
        from common.postgres.night_audits import NightAudits

        return NightAudits(self)

    @cached_property
    def signals(self) -> "Signals":
        from common.postgres.signals import Signals

        return Signals(self)

    @cached_property
    def reconciliations(self) -> "Reconciliations":
        from common.postgres.reconciliations import Reconciliations

        return Reconciliations(self)

    @cached_property
    def processor_differences(self) -> "ProcessorDifferences":
        from common.postgres.processor_differences import ProcessorDifferences

        return ProcessorDifferences(self)

    @cached_property
    def render_queue(self) -> "RenderQueue":
        from common.postgres.render_queue import RenderQueue

        return RenderQueue(self)

    @cached_property
    def cash_drawers(self) -> "CashDrawers":
        from common.postgres.cash_drawers import CashDrawers

        return CashDrawers(self)

    @cached_property
    def cash_sessions(self) -> "CashSessions":
        from common.postgres.cash_sessions import CashSessions

        return CashSessions(self)

    @cached_property
    def prepaid(self) -> "PrepaidAccounts":
        from common.postgres.prepaid_accounts import PrepaidAccounts

        return PrepaidAccounts(self)

    @cached_property
    def plans(self) -> "Plans":
        from common.postgres.plans import Plans

        return Plans(self)

    @cached_property
    def subscriptions(self) -> "Subscriptions":
        from common.postgres.subscriptions import Subscriptions

        return Subscriptions(self)

    @cached_property
    def trials(self) -> "Trials":
        from common.postgres.trials import Trials

        return Trials(self)

    @cached_property
    def usage(self) -> "Usage":
        from common.postgres.usage import Usage

        return Usage(self)

    @cached_property
    def stored_answers(self) -> "StoredAnswers":
        from common.postgres.stored_answers import StoredAnswers

        return StoredAnswers(self)

    @cached_property
    def webhooks(self) -> "Webhooks":
        from common.postgres.webhooks import Webhooks

        return Webhooks(self)

    @cached_property
    def disputes(self) -> "Disputes":
        from common.postgres.disputes import Disputes

        return Disputes(self)

    @cached_property
    def late_refunds(self) -> "LateRefunds":
        from common.postgres.late_refunds import LateRefunds

        return LateRefunds(self)

    @cached_property
    def returned_payments(self) -> "ReturnedPayments":
        from common.postgres.returned_payments import ReturnedPayments

        return ReturnedPayments(self)

    @cached_property
    def customers(self) -> "Customers":
        from common.postgres.customers import Customers

        return Customers(self)

    @cached_property
    def stored_methods(self) -> "StoredMethods":
        from common.postgres.stored_methods import StoredMethods

        return StoredMethods(self)

    @cached_property
    def data_keys(self) -> "DataKeys":
        from common.postgres.stored_methods import DataKeys

        return DataKeys(self)

    @cached_property
    def collection_leases(self) -> "CollectionLeases":
        from common.postgres.collection_leases import CollectionLeases

        return CollectionLeases(self)

    @cached_property
    def payment_intents(self) -> "PaymentIntents":
        from common.postgres.payment_intents import PaymentIntents

        return PaymentIntents(self)

    @cached_property
    def credit_purchases(self) -> "CreditPurchases":
        from common.postgres.credit_purchases import CreditPurchases

        return CreditPurchases(self)

    @cached_property
    def auto_top_ups(self) -> "AutoTopUps":
        from common.postgres.auto_top_ups import AutoTopUps

        return AutoTopUps(self)

    @cached_property
    def subscription_collections(self) -> "SubscriptionCollections":
        from common.postgres.subscription_collections import SubscriptionCollections

        return SubscriptionCollections(self)

    @cached_property
    def subscription_payments(self) -> "SubscriptionPayments":
        from common.postgres.subscription_payments import SubscriptionPayments

        return SubscriptionPayments(self)

    @cached_property
    def subscription_refunds(self) -> "SubscriptionRefunds":
        from common.postgres.subscription_refunds import SubscriptionRefunds

        return SubscriptionRefunds(self)

    @cached_property
    def platform_credits(self) -> "PlatformCredits":
        from common.postgres.platform_credits import PlatformCredits

        return PlatformCredits(self)

    @cached_property
    def platform_incidents(self) -> "PlatformIncidents":
        from common.postgres.subscription_collections import PlatformIncidents

        return PlatformIncidents(self)

    @cached_property
    def platform_taxes(self) -> "PlatformTaxes":
        from common.postgres.platform_taxes import PlatformTaxes

        return PlatformTaxes(self)

    @cached_property
    def risk_checks(self) -> "RiskChecks":
        from common.postgres.risk_checks import RiskChecks

        return RiskChecks(self)

    @cached_property
    def reviews(self) -> "Reviews":
        from common.postgres.reviews import Reviews

        return Reviews(self)

    @cached_property
    def ledger(self) -> "Ledger":
        from common.postgres.ledger import Ledger

        return Ledger(self)

    @cached_property
    def incidents(self) -> "Incidents":
        from common.postgres.incidents import Incidents

        return Incidents(self)

    @cached_property
    def settings_book(self) -> "SettingsBook":
        from common.postgres.settings_book import SettingsBook

        return SettingsBook(self)

    @cached_property
    def payouts(self) -> "Payouts":
        from common.postgres.payouts import Payouts

        return Payouts(self)
