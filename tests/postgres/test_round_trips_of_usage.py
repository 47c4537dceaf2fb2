"""How often counting usage asks the server (PERF-1)."""

import pytest

from tests.hotel import Hotel, House
from tests.metering import fates, hours_ago, send_all, used
from tests.postgres.instances import at
from tests.postgres.proxy import Proxy
from tests.postgres.test_round_trips import FIRST_AND_WARM
from tests.subscribing import subscribed


@pytest.mark.req("SUB-12")
@FIRST_AND_WARM
def test_usage_is_counted_in_three_round_trips(
    hotel: Hotel, behind: House, proxy: Proxy, times_before: int
) -> None:
    """Begin, the subscription with all that a batch is held against, and the writes with the
    commit: for one event as for 500."""
    through = at(behind, hotel)
    subscribed(hotel)
    for size in (1, 500):
        for _ in range(times_before):
            assert fates(send_all(through, used("ai_requests", None, hours_ago(0)))) == ["counted"]
        events = [used("ai_tokens", each, hours_ago(0)) for each in range(size)]
        with proxy.counting() as count:
            answer = send_all(through, *events)

        assert fates(answer) == ["counted"] * size
        assert count.round_trips == 3
