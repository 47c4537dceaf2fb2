"""How what the platform bills a tenant is taxed, by the rules that are in force now (SUB-5)."""

from datetime import datetime

from common.contracts.vat_ids import vat_id_of
from common.domain.platform_tax import MEMBER_STATES, BillTax, TaxedCustomer, treatment_by
from common.domain.settings import Issuer
from common.domain.subscription import Subscription
from common.ports.transaction import Transaction


def tax_now(tx: Transaction, at: datetime | None = None) -> BillTax:
    """How the tenant's next bill is taxed, at an instant that may lie ahead."""
    customer = _taxed_customer(tx.settings.issuer)
    return treatment_by(tx.platform_taxes.in_force(), customer, at or tx.now)


def taxed(subscription: Subscription, tx: Transaction) -> Subscription:
    """The subscription, whose next bills are taxed by what is in force now."""
    subscription.taxed = tax_now(tx)
    return subscription


def _taxed_customer(issuer: Issuer) -> TaxedCustomer:
    """Who is billed: whoever the tenant's own invoices are from. A number of another country than
    theirs says nothing about where they are, and counts as none."""
    in_union = issuer.country in MEMBER_STATES and issuer.tax_id
    vat_id = vat_id_of(issuer.tax_id, issuer.country) if in_union else None
    return TaxedCustomer(country=issuer.country, vat_id=vat_id)
