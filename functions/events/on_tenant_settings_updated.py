"""A tenant's settings have changed: a new version is in force from the next transaction on.

A property's permission to charge untaxed is for the day on which it is switched on (TAX-2): the
instant of the property's next midnight is kept with it, and nobody has to switch it off. The logo
is stored before the version that names it is in force: no document is issued with one that is not
there.
"""

from uuid import UUID

from common.contracts.incoming_settings import TenantSettings
from common.domain.dataclass import dataclass
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.procedures.logo import keep_logo
from common.runtime.declaration import event_function


@dataclass(frozen=True, slots=True)
class Told:
    """What was told, and whose settings they are."""

    tenant_id: UUID
    settings: TenantSettings


def store(told: Told, powers: Powers) -> TenantSettings:
    """Store the logo, if there is one."""
    if told.settings.logo is not None:
        keep_logo(told.tenant_id, told.settings.logo, powers)
    return told.settings


def keep(settings: TenantSettings, tx: Transaction) -> None:
    """Write the settings as the next version. Refuses: FxRateInvalid, TimeZoneUnknown."""
    tx.tell(tx.settings_book.keep(lambda before: settings.in_force(before, tx.now)))


@event_function(
    "melmastoon.tenant.settings.updated.v1",
    perform=store,
    record=keep,
    needs=("database", "documents"),
)
def on_tenant_settings_updated(settings: TenantSettings, tx: Transaction) -> Told:
    """Write the settings as the next version; the tax rules stay as they are.

    Refuses: FxRateInvalid, TimeZoneUnknown.
    """
    return Told(tx.tenant_id, settings)
