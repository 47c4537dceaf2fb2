"""The platform's staff, as the state machine plays it: one person who confirms each deed anew."""

from typing import Any, Final

from werkzeug.test import TestResponse

from tests.hotel import Hotel
from tests.subscribing import READING, SCOPE
from tests.till import signed
from tests.trust.machine.hotels import Settings, document

ROYA: Final = "platform-roya"
OFFICE: Final = "00000000-0000-4000-8000-0000000000ff"


def settle_in_anew(hotel: Hotel, country: str, tenant: int) -> None:
    """The tenant is in this country, and sells credits as before."""
    issuer = {"name": "Hotel", "addressLines": ["Street 1"], "taxId": "", "country": country}
    hotel.write_settings(**{**document(tenant, Settings()), "issuer": issuer})


def asked(hotel: Hotel, deed: str, body: dict[str, Any], key: str, **query: str) -> TestResponse:
    """Somebody of the platform does it, who confirms it each time anew."""
    request = {name: value for name, value in body.items() if name != "tenantId"}
    if "force" in query:
        request["force"] = True
    named = f"subscription.{deed}"
    context = signed(deed=named, tenant=str(hotel.tenant_id), request=request)
    confirmed = hotel.confirmation(ROYA, SCOPE, context, tenant_id=OFFICE)
    path = f"/subscriptions/{hotel.tenant_id}"
    method = "PUT" if deed in ("change", "payment_method") else "POST"
    ends = {"create": "", "change": "", "payment_method": "/payment-method"}
    path = "/subscriptions" if deed == "create" else path + ends.get(deed, f"/{deed}")
    token = hotel.token(SCOPE, READING, sub=ROYA, tenant_id=OFFICE)
    sent = {**body, "stepUpToken": confirmed}
    return hotel.call(method, path, sent, key=key, token=token, **query)
