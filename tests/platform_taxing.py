"""The platform's tax rules to test with: a seller in Berlin, and customers wherever they are.

publish(hotel)
settle_in(hotel, "FR", "FR40303265045")
"""

import json
from typing import Any

from werkzeug.test import TestResponse

from common.domain.platform_tax import MEMBER_STATES
from tests.hotel import Hotel, House, new_id
from tests.subscribing import ask

SELLER: dict[str, Any] = {
    "name": "Melmastoon GmbH",
    "addressLines": ["Invalidenstrasse 1", "10115 Berlin"],
    "country": "DE",
    "taxId": "DE136695976",
    "timeZone": "Europe/Berlin",
}
OWN_RATES = {"DE": 190_000, "FR": 200_000, "HU": 270_000}
FAR_AHEAD = "2090-01-01T00:00:00Z"


def rate(country: str, rate_ppm: int, valid_from: str = "2020-01-01") -> dict[str, Any]:
    return {"country": country, "ratePpm": rate_ppm, "validFrom": valid_from}


RATES = [rate(state, OWN_RATES.get(state, 210_000)) for state in sorted(MEMBER_STATES)]
"""Germany 19 %, France 20 %, Hungary 27 %; what is not asked for is 21 % everywhere else."""


def rules(**more: Any) -> dict[str, Any]:
    """A whole version, in force from now on; None leaves a field out."""
    given = {"seller": SELLER, "oneStopShop": True, "rates": RATES, **more}
    return {name: value for name, value in given.items() if value is not None}


def publish(hotel: Hotel, **more: Any) -> TestResponse:
    body = rules(**more)
    deed = "platform_tax_rules.publish"
    return ask(hotel, deed, "/platform/tax-rules", body, office=hotel.tenant_id)


def somebody_sells(house: House) -> None:
    """Put the same rules there behind the service's back: nobody has published them."""
    house.sql(
        "INSERT INTO billing_central.platform_tax_rules"
        " SELECT :id, coalesce(max(number), 0) + 1, CAST(:seller AS jsonb), true,"
        " CAST(:rates AS jsonb), now(), now() FROM billing_central.platform_tax_rules",
        id=new_id("ptr"),
        seller=json.dumps(SELLER),
        rates=json.dumps(RATES),
    )


def nobody_sells(house: House) -> None:
    """Take the rules away again: they are everybody's, and hotels of other tests are untaxed."""
    for table in ("platform_tax_rules", "one_stop_shop_totals"):
        house.sql(f"DELETE FROM billing_central.{table}")


def settle_in(hotel: Hotel, country: str, tax_id: str = "") -> None:
    """The tenant is in this country, with this number."""
    issuer = {"name": "Hotel", "addressLines": ["Street 1"], "taxId": tax_id, "country": country}
    hotel.write_settings(issuer=issuer)
