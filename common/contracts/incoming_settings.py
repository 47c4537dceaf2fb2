"""Settings and tax rules of a tenant, as the service that keeps tenants tells them.

Apart from other events: what settings may hold is much to load, and who hears of a payment needs
none of it (PERF-1).
"""

import hashlib
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from common.contracts.logo import Logo
from common.contracts.settings import SettingsShape, TaxRuleShape
from common.contracts.shapes import Incoming


class TenantSettings(SettingsShape):
    """All settings of a tenant but its tax rules; they replace what was in force, the logo too."""

    logo: Logo | None = None

    def in_force(self, before: dict[str, Any], now: datetime) -> dict[str, Any]:
        """The settings as they are kept from now on: of the logo its hash.

        Refuses: FxRateInvalid, TimeZoneUnknown.
        """
        kept = super().in_force(before, now)
        logo = kept.pop("logo") and hashlib.sha256(self.logo or b"").hexdigest()
        return {**kept, "logoSha256": logo}


class TenantTaxRules(Incoming):
    """All tax rules of a tenant; they replace what was in force."""

    tax_rules: Annotated[tuple[TaxRuleShape, ...], Field(max_length=1000)]
