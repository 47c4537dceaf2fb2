"""The hotel group of the laptop: a tenant with two houses, as the tenant service would tell of it.

Its ids are always the same, so that a line copied from README.md works on every machine. Kabul
bills in dollars, with 10 % tax on top of prices and a city tax a night; Dubai in dirhams, with 5 %
within them.
"""

import hashlib
import json
from base64 import b32hexencode
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from common.ports.publishing import Message, Publisher

TENANT_ID: Final = UUID("2f8e7c1a-4b6d-4e3f-9a52-7d1c0b9e8f64")
KABUL: Final = UUID("5b0c9d3e-1f72-4a86-b3d5-6e8f2a7c4910")
DUBAI: Final = UUID("c4a17e60-93b8-4d2f-8e15-0f6b5d3a7c28")
OFFICE_ID: Final = UUID("8d1f5a34-6c0e-4b79-a2d8-3e9b7c5f1604")
"""The tenant that the platform's own staff are of."""
PROPERTY_IDS: Final = (KABUL, DUBAI)
EUROS_IN_DOLLARS: Final = "1.0852"
VAT_PPM: Final = 100_000
CITY_TAX_CENTS: Final = 200
KINDS: Final = ("room", "food_beverage", "spa", "laundry", "minibar", "transport", "fee", "other")


class NeighbourRefused(RuntimeError):
    """The service did not take an event of another service; the message says which, and why."""


def settings() -> dict[str, Any]:
    """All settings but the tax rules."""
    return {
        "issuer": {
            "name": "Hindu Kush Hotels",
            "addressLines": ["Shar-e-Naw, Street 4", "Kabul"],
            "taxId": "AF-9001234567",
            "country": "AF",
        },
        "properties": [
            {
                "id": str(KABUL),
                "name": "Hindu Kush Kabul",
                "code": "KBL",
                "timeZone": "Asia/Kabul",
                "dayClose": "03:00:00",
                "currency": "USD",
                "jurisdiction": "AF-KBL",
            },
            {
                "id": str(DUBAI),
                "name": "Hindu Kush Creek",
                "code": "DXB",
                "timeZone": "Asia/Dubai",
                "dayClose": "04:00:00",
                "currency": "AED",
                "jurisdiction": "AE-DU",
            },
        ],
        "showFxAtClose": True,
        "fxRates": [
            _rate("EUR", "USD", EUROS_IN_DOLLARS),
            _rate("USD", "AED", "3.6725"),
        ],
    }


def tax_rules() -> dict[str, Any]:
    """All tax rules."""
    from_2020 = {"validFrom": date(2020, 1, 1).isoformat()}
    kabul = {"jurisdiction": "AF-KBL", **from_2020}
    dubai = {"jurisdiction": "AE-DU", **from_2020}
    vat = {"code": "VAT", "name": "VAT", "chargeKinds": list(KINDS)}
    city_tax = {"amountMicro": CITY_TAX_CENTS * 10_000, "currency": "USD"}
    dirham_fee = {"amountMicro": 20_000_000, "currency": "AED"}
    return {
        "taxRules": [
            {**vat, **kabul, "ratePpm": VAT_PPM},
            {
                "code": "CITY",
                "name": "City tax",
                "chargeKinds": ["room"],
                "perNight": city_tax,
                "levy": True,
                **kabul,
            },
            {**vat, **dubai, "ratePpm": 50_000, "inclusive": True},
            {
                "code": "DIRHAM",
                "name": "Tourism dirham fee",
                "chargeKinds": ["room"],
                "perNight": dirham_fee,
                "levy": True,
                **dubai,
            },
        ]
    }


class Neighbours:
    """The other services of the platform, as far as this one hears of them: by events."""

    def __init__(self, publisher: Publisher, now: Callable[[], datetime]) -> None:
        self._publisher = publisher
        self._now = now

    def settle_in(self) -> None:
        """Tell of the tenant, its settings and its tax rules, and of the platform's own office;
        again, it changes nothing."""
        self.tell("melmastoon.tenant.created.v1", {"tenantId": str(OFFICE_ID)}, OFFICE_ID)
        self.tell("melmastoon.tenant.created.v1", {"tenantId": str(TENANT_ID)})
        self.tell("melmastoon.tenant.settings.updated.v1", settings())
        self.tell("melmastoon.tenant.tax_rules.updated.v1", tax_rules())

    def tell(self, event_type: str, data: dict[str, Any], tenant_id: UUID = TENANT_ID) -> None:
        """Push an event of a tenant to its consumers. The same data make the same event. Raises
        NeighbourRefused."""
        raw = json.dumps(data, sort_keys=True).encode()
        known = b"\n".join((event_type.encode(), str(tenant_id).encode(), raw))
        digest = hashlib.sha256(known).digest()[:16]
        event_id = "evt_" + b32hexencode(digest).decode().rstrip("=")
        message = Message(
            event_id=event_id,
            ordering_key=str(tenant_id),
            attributes={
                "ce-specversion": "1.0",
                "ce-id": event_id,
                "ce-type": event_type,
                "ce-source": "/platform/laptop",
                "ce-tenantid": str(tenant_id),
                "ce-time": self._now().isoformat(),
                "content-type": "application/json",
            },
            data=raw,
        )
        troubles: Sequence[str | None] = self._publisher.publish([message])
        if troubles[0] is not None:
            raise NeighbourRefused(f"{event_type}: {troubles[0]}")


def _rate(base: str, quote: str, rate: str) -> dict[str, str]:
    return {
        "base": base,
        "quote": quote,
        "rate": rate,
        "source": "Central bank",
        "takenAt": "2026-01-02T09:00:00Z",
    }
