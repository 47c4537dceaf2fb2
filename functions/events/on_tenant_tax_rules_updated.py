"""A tenant's tax rules have changed: new charges are taxed by them from the next transaction on."""

from common.contracts.incoming_settings import TenantTaxRules
from common.ports.transaction import Transaction
from common.runtime.declaration import event_function


@event_function("melmastoon.tenant.tax_rules.updated.v1")
def on_tenant_tax_rules_updated(rules: TenantTaxRules, tx: Transaction) -> None:
    """Write the rules as the next version of the settings.

    Refuses: TaxRuleInvalid.
    """
    for shape in rules.tax_rules:
        shape.rule()
    tx.tell(tx.settings_book.keep(lambda _: rules.model_dump(mode="json")))
