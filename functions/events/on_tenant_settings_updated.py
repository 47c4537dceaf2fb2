"""A tenant's settings have changed: a new version is in force from the next transaction on.

A property's permission to charge untaxed is for the day on which it is switched on (TAX-2): the
instant of the property's next midnight is kept with it, and nobody has to switch it off.
"""

from common.contracts.incoming import TenantSettings
from common.ports.transaction import Transaction
from common.runtime.declaration import event_function


@event_function("melmastoon.tenant.settings.updated.v1")
def on_tenant_settings_updated(settings: TenantSettings, tx: Transaction) -> None:
    """Write the settings as the next version; the tax rules stay as they are.

    Refuses: FxRateInvalid, TimeZoneUnknown.
    """
    tx.tell(tx.settings_book.keep(lambda before: settings.in_force(before, tx.now)))
