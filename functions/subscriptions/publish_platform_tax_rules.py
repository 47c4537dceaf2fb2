"""Publish who sells for the platform, and by which rates what it bills is taxed (SUB-5).

What was published never changes, and what was billed is never taxed anew: a version is in force
from now on, or from an instant ahead. Whoever publishes one confirms the whole of it.
"""

from common.contracts.platform_taxes import PlatformTaxRulesGiven, PlatformTaxRulesView
from common.contracts.vat_ids import vat_id_of
from common.domain.business_date import TimeZoneUnknown
from common.domain.platform_identifiers import PlatformTaxRulesId
from common.domain.platform_tax import PlatformTaxRulesInvalid
from common.ports.transaction import Transaction
from common.procedures.approving import confirming
from common.runtime.declaration import http_function


class PublishPlatformTaxRules(PlatformTaxRulesGiven):
    """The next version, as a whole."""


@http_function(
    "POST",
    "/platform/tax-rules",
    scope="platform.subscription.write",
    status=201,
    step_up=True,
    context=confirming("platform_tax_rules.publish"),
    refusals=(PlatformTaxRulesInvalid, TimeZoneUnknown),
)
def publish_platform_tax_rules(
    request: PublishPlatformTaxRules, tx: Transaction
) -> PlatformTaxRulesView:
    """Publish the next version of the platform's tax rules, and answer it.

    Refuses: PlatformTaxRulesInvalid, TimeZoneUnknown.
    """
    number = tx.platform_taxes.last_number() + 1
    rules = request.rules(tx.new_id(PlatformTaxRulesId), number, tx)
    known = vat_id_of(rules.seller.tax_id, rules.seller.country) is not None
    published = rules.published(seller_is_known=known)
    tx.platform_taxes.keep(rules)
    tx.tell(published)
    return PlatformTaxRulesView.of(rules)
