"""List who sells for the platform and what is taxed how: the newest versions, ahead or in force."""

from common.contracts.platform_taxes import PlatformTaxRulesView
from common.contracts.shapes import Outcome, Request
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListPlatformTaxRules(Request):
    """Nothing is asked."""


class PlatformTaxRulesList(Outcome):
    """The newest twenty versions, the newest first; of those whose `inForceFrom` is gone by, the
    first is in force."""

    items: tuple[PlatformTaxRulesView, ...]


@http_function("GET", "/platform/tax-rules", scope="platform.subscription.read")
def list_platform_tax_rules(request: ListPlatformTaxRules, tx: Transaction) -> PlatformTaxRulesList:
    """Answer the newest versions of the platform's tax rules."""
    return PlatformTaxRulesList(
        items=tuple(PlatformTaxRulesView.of(rules) for rules in tx.platform_taxes.newest())
    )
