"""What customers, cards and payments ask of the database, phase by phase."""

import pytest

from tests.hotel import Hotel, House, usd
from tests.paying import a_card, a_customer, an_intent, confirm, pay
from tests.postgres.instances import at
from tests.postgres.proxy import Proxy
from tests.postgres.test_round_trips import FIRST_AND_WARM, counted


@pytest.mark.req("GW-3")
@FIRST_AND_WARM
def test_a_payment_takes_its_phases_and_the_breakers_word(
    hotel: Hotel, behind: House, proxy: Proxy, times_before: int
) -> None:
    """A customer and its telling, a card, an intent, a confirmation.

    The confirmation: begin; the intent behind its folio, the method and by what it is taken; what
    was counted of late; commit. The breaker is asked, and told nothing, as it was closed and there
    was an answer. Begin; the intent, a payment that may be there, and the method whose digest the
    payment bears; commit.
    """
    through, folio = at(behind, hotel), hotel.open_folio()
    for _ in range(times_before):
        pay(through, folio, usd(100))
    counts = {}
    with proxy.counting() as count:
        customer = a_customer(through)
    counts["customer"] = count.round_trips
    with proxy.counting() as count:
        method = a_card(through, customer)
    counts["card"] = count.round_trips
    with proxy.counting() as count:
        intent = an_intent(through, folio, usd(100), customer)
    counts["intent"] = count.round_trips
    with proxy.counting() as count:
        assert confirm(through, intent, method).json["status"] == "succeeded"
    counts["confirmation"] = count.round_trips

    assert counts == {"customer": 10, "card": 8, "intent": 4, "confirmation": 8}


@pytest.mark.req("FRD-1")
def test_making_a_payment_out_takes_four_however_many_rules_there_are(
    hotel: Hotel, behind: House, proxy: Proxy
) -> None:
    """Begin, the folio and its customer, what was counted by all rules, and the commit."""
    rule = {"subject": "buyer", "windowSeconds": 3600, "countMax": 9, "exact": True}
    many = [{**rule, "name": f"rule_{place}"} for place in range(20)]
    hotel.write_settings(riskRules={"rules": many})
    body = {"folioId": hotel.open_folio(), "customerId": a_customer(hotel), "amount": usd(100)}

    count = counted(proxy, at(behind, hotel), "/payments/intent", {**body, "allowCredit": True})

    assert count.round_trips == 4
