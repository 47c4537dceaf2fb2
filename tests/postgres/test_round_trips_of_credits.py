"""How often the database is asked when prepaid credits settle a bill: counted, not timed."""

import pytest

from tests.hotel import Hotel, House, usd
from tests.postgres.instances import at
from tests.postgres.proxy import Proxy
from tests.prepaying import granted
from tests.redeeming import owing, redeem
from tests.refunding import refund


@pytest.mark.req("PERF-1", "BEY-9")
def test_a_bill_is_settled_and_comes_back_in_four_round_trips(
    hotel: Hotel, behind: House, proxy: Proxy
) -> None:
    """Begin, the folio, the account with all that it holds, and what is written with the commit."""
    granted(hotel, 33_000)
    through, counts = at(behind, hotel), []
    for _ in range(2):
        folio = owing(hotel)
        with proxy.counting() as settling:
            paid = redeem(through, folio, 110)
        assert paid.status_code == 201, paid.text
        payment = paid.json["lines"][0]["lineId"]
        with proxy.counting() as refunding:
            back = refund(through, folio, payment, usd(1_000), reference=None)
        assert back.status_code == 201, back.text
        counts.append((settling.round_trips, refunding.round_trips))

    assert counts == [(4, 4)] * 2
