"""A tenant's settings have changed: a new version is in force from the next transaction on."""

from common.contracts.incoming import TenantSettings
from common.ports.transaction import Transaction
from common.runtime.declaration import event_function


@event_function("melmastoon.tenant.settings.updated.v1")
def on_tenant_settings_updated(settings: TenantSettings, tx: Transaction) -> None:
    """Write the settings as the next version; the tax rules stay as they are.

    Refuses: FxRateInvalid.
    """
    settings.rates()
    tx.tell(tx.settings_book.keep(settings.model_dump(mode="json")))
