"""What tenants pay the platform has its other half at the processor as well (REC-1, WH-5)."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from common.domain.processor_reconciliation import MovementKind
from common.ports.answers import Unknown
from common.ports.movements import MovementPage, MovementsWanted
from tests.buying import card
from tests.charging import collect, last_charge
from tests.hotel import Hotel
from tests.matching import a_dollar, differences, match
from tests.reconciling import OVER, Clock, sandbox
from tests.subscribing import subscribed
from tests.webhooks import Webhook, disputed, refunded_there


@dataclass
class Nameless:
    """A processor whose refunds and disputes do not say whose they are, as the real one's."""

    gateway: Any

    def movements(self, wanted: MovementsWanted) -> MovementPage | Unknown:
        page: MovementPage | Unknown = self.gateway.movements(wanted)
        if wanted.kind is MovementKind.PAYMENT or isinstance(page, Unknown):
            return page
        return MovementPage(tuple(replace(each, tenant_id=None) for each in page.items))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.gateway, name)


@pytest.mark.req("REC-1", "WH-5")
def test_money_of_the_platforms_invoices_is_matched_as_any_other(
    hotel: Hotel, clock: Clock
) -> None:
    """29.00 were paid; 1.00 went back and 2.00 are disputed, and both were told of; of another
    refund and another dispute nobody was told, and the processor does not say whose they are."""
    clock("2026-03-01T10:00:00Z")
    subscribed(hotel, paymentMethodId=card(hotel))
    collect(hotel)
    payment = f"sandbox_pi_{last_charge(hotel).removeprefix('pin_')}"
    told_refund, told_dispute, silent_refund, silent_dispute = (
        f"{each}_{hotel.tenant_id.hex}" for each in ("re_told", "dp_told", "re_not", "dp_not")
    )
    for refund_id, cents in ((told_refund, 100), (silent_refund, 300)):
        sandbox(hotel).refund_there(refund_id, payment, a_dollar(cents))
    for dispute_id, cents in ((told_dispute, 200), (silent_dispute, 400)):
        sandbox(hotel).dispute(dispute_id, payment, a_dollar(cents))
    Webhook(hotel).send(refunded_there(payment, told_refund, 100))
    Webhook(hotel).send(disputed(payment, told_dispute, "needs_response", cents=200))
    house = hotel.house.beside(powers={"gateway": Nameless(sandbox(hotel))})
    clock(OVER)

    match(Hotel(house, hotel.tenant_id, hotel.property_id))
    house.close()

    assert differences(hotel) == {
        ("refund_not_recorded", silent_refund),
        ("dispute_not_recorded", silent_dispute),
    }
