"""Rate limits hold over all instances together, and cost next to nothing (SEC-7)."""

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from common.ports.transactions import Allowance, Limit
from common.runtime.execute import Call
from common.runtime.rate_limit import LEASED_PART, RateLimiter
from common.runtime.settings import ProcessSettings, SettingUnreadable
from tests.hotel import Hotel, House, charge, usd
from tests.postgres.proxy import Cut, Proxy
from tests.proofs import trail
from tests.webhooks import Webhook, captured, paid_cents

pytestmark = pytest.mark.req("SEC-7")

REFUSED = "security.attempt_refused"
QUOTA = 10
"""What the payments of one actor are allowed in a minute."""
SAME_WINDOW = """
SELECT count(DISTINCT window_start)::int, coalesce(sum(used), 0)::int
FROM billing_central.rate_counters
WHERE strpos(bucket, :who) > 0
"""

FORGET = "DELETE FROM billing_central.rate_counters WHERE strpos(bucket, :bucket) = 1"
MINUTE = "SELECT floor(extract(epoch FROM now()) / 60)::bigint"


@pytest.fixture
def two(house: House, hotel: Hotel) -> Iterator[tuple[Hotel, Hotel]]:
    """The same hotel at two instances, as the load balancer spreads its calls."""
    instances = [house.beside(pool_size=16) for _ in range(2)]
    yield replace(hotel, house=instances[0]), replace(hotel, house=instances[1])
    for instance in instances:
        instance.close()


def pay(hotel: Hotel, folio: str, sub: str, cents: int = 100) -> TestResponse:
    """A payment that takes more than is owed, so that only a limit can refuse it."""
    body = {"method": "bank_transfer", "amount": usd(cents), "allowCredit": True}
    return hotel.post(f"/folios/{folio}/payments", body, token=hotel.token(sub=sub))


def within_one_window(hotel: Hotel, attempt: Any) -> Any:
    """What the attempt came to, made anew when the minute turned under it, or before it was told:
    an answer says nothing of a window that is over."""
    for turn in range(3):
        who = f"turn-{turn}"
        minute = hotel.house.sql(MINUTE)
        outcome = attempt(who)
        counted = hotel.house.sql(SAME_WINDOW, who=f"{hotel.tenant_id}:{who}")[0][0]
        if counted == 1 and hotel.house.sql(MINUTE) == minute:
            return outcome
    raise AssertionError("three minutes turned in a row")


def test_64_at_once_on_a_limit_of_10_over_two_instances_admit_exactly_10(
    two: tuple[Hotel, Hotel], hotel: Hotel
) -> None:
    def attempt(who: str) -> tuple[list[TestResponse], str]:
        folio = hotel.open_folio()
        start = Barrier(64)

        def call(number: int) -> TestResponse:
            start.wait(60)
            return pay(two[number % 2], folio, who)

        with ThreadPoolExecutor(64) as threads:
            return list(threads.map(call, range(64))), folio

    answers, folio = within_one_window(hotel, attempt)

    assert Counter(answer.status_code for answer in answers) == {201: 10, 429: 54}
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-1_000)
    for answer in answers:
        assert 1 <= int(answer.headers["RateLimit-Reset"]) <= 60
        assert answer.headers["RateLimit-Limit"] == str(QUOTA)
        if answer.status_code == 429:
            assert answer.headers["RateLimit-Remaining"] == "0"
            assert answer.json["code"] == "MELMASTOON.GENERAL.RATE_LIMITED"
            assert 1 <= int(answer.headers["Retry-After"]) <= 60
            assert answer.json["retryAfterSeconds"] == int(answer.headers["Retry-After"])


def test_each_answer_says_how_many_are_left(two: tuple[Hotel, Hotel], hotel: Hotel) -> None:
    def attempt(who: str) -> list[tuple[int, str]]:
        folio = hotel.open_folio()
        answers = [pay(two[number % 2], folio, who) for number in range(QUOTA + 2)]
        return [(each.status_code, each.headers["RateLimit-Remaining"]) for each in answers]

    told = within_one_window(hotel, attempt)

    assert told == [(201, str(left)) for left in range(9, -1, -1)] + [(429, "0")] * 2


def test_one_actor_does_not_use_up_anothers(hotel: Hotel) -> None:
    def attempt(who: str) -> list[int]:
        folio = hotel.open_folio()
        for _ in range(QUOTA):
            pay(hotel, folio, who)
        return [pay(hotel, folio, who).status_code, pay(hotel, folio, f"other-{who}").status_code]

    assert within_one_window(hotel, attempt) == [429, 201]


def test_a_tenants_actors_share_a_limit_that_a_deployment_may_set(
    house: House, hotel: Hotel
) -> None:
    """12 a minute for the tenant: the third of three who pay five times each is refused thrice."""
    instance = house.beside(quotas={"record_payment/tenant": 12})
    through = replace(hotel, house=instance)
    bucket = f"record_payment:tenant:{hotel.tenant_id}"

    def attempt(who: str) -> list[TestResponse]:
        hotel.house.sql(FORGET, bucket=bucket)
        folio = hotel.open_folio()
        pay(through, folio, who)
        return [pay(through, folio, f"{who}-{turn // 5}") for turn in range(14)]

    answers = within_one_window(hotel, attempt)
    instance.close()

    assert [each.status_code for each in answers] == 11 * [201] + 3 * [429]
    assert {each.headers["RateLimit-Limit"] for each in answers[11:]} == {"12"}
    assert all(int(each.headers["Retry-After"]) >= 1 for each in answers[11:])


@pytest.mark.req("SEC-3", "AUD-1")
def test_who_names_another_tenant_without_end_fills_no_trail(hotel: Hotel) -> None:
    """Each attempt is written down where nothing can be taken away again: 20 a minute, no more,
    whatever it is tried with."""

    def attempt(who: str) -> tuple[list[int], int]:
        folio, body = hotel.open_folio(), {"tenantId": str(uuid4())}
        paths = [f"/folios/{folio}/{what}" for what in ("payments", "charges", "close")]
        token = hotel.token(sub=who)
        answers = [hotel.post(paths[each % 3], body, token=token) for each in range(22)]
        noted = [each for each in trail(hotel, REFUSED) if each["actor"] == who]
        return [each.status_code for each in answers], len(noted)

    assert within_one_window(hotel, attempt) == (20 * [403] + 2 * [429], 20)


@pytest.mark.req("WH-2")
def test_webhooks_from_one_address_are_limited_and_come_again(house: House, hotel: Hotel) -> None:
    """Three a minute here: the fourth is told to come later, has no effect, and has it then."""
    instance = house.beside(quotas={"take_stripe_event/address": 3})
    line, minute = Webhook(replace(hotel, house=instance)), None
    while minute != hotel.house.sql(MINUTE):  # what is sent while the minute turns says nothing
        minute = hotel.house.sql(MINUTE)
        hotel.house.sql(FORGET, bucket="take_stripe_event:")
        folio = hotel.open_folio()
        sent = [captured(hotel, folio, 100) for _ in range(4)]
        answers = [line.send(each) for each in sent]
    instance.close()
    refused = [each for each in answers if each.status_code != 200]

    assert [each.status_code for each in refused] == [429]
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert paid_cents(hotel, folio) == 300
    assert Webhook(hotel).send(sent[3]).json["outcome"] == "applied"
    assert paid_cents(hotel, folio) == 400


def test_a_deployment_names_the_quotas_that_it_changes() -> None:
    given = {"BILLING_DATABASE": "postgresql://x@/x"}
    changed = {"BILLING_QUOTAS": "confirm_payment/actor=20, take_stripe_event/address=12000"}

    assert ProcessSettings.of(given).quotas == {}
    assert ProcessSettings.of(given | changed).quotas == {
        "confirm_payment/actor": 20,
        "take_stripe_event/address": 12_000,
    }
    for wrong in ("confirm_payment=20", "confirm_payment/actor=0", "confirm_payment/room=2", "x"):
        with pytest.raises(SettingUnreadable):
            ProcessSettings.of(given | {"BILLING_QUOTAS": wrong})


def test_what_is_refused_for_another_reason_is_counted_once_and_uses_up_no_lease(
    house: House, hotel: Hotel
) -> None:
    """Twenty refusals in a row once shut an actor out of a quota of 3,000: each lost its piece."""

    def attempt(who: str) -> tuple[set[int], int]:
        instance = house.beside(pool_size=2)
        through = replace(hotel, house=instance)
        token = hotel.token(sub=who)
        statuses = {
            through.get(f"/folios/{'fol_01' + '0' * 24}", token=token).status_code
            for _ in range(LEASED_PART + 5)
        }
        instance.close()
        return statuses, hotel.house.sql(SAME_WINDOW, who=f"{hotel.tenant_id}:{who}")[0][1]

    statuses, used = within_one_window(hotel, attempt)

    assert statuses == {404}
    assert used == 3_000 // LEASED_PART


def test_a_large_quota_is_asked_for_in_pieces(house: House, hotel: Hotel) -> None:
    """450 reads of a quota of 3,000 ask the database three times for 150."""

    def attempt(who: str) -> int:
        instance = house.beside(pool_size=2)
        through = replace(hotel, house=instance)
        asked: list[Call] = []
        runner = instance.wiring.runner
        honest = runner.run
        runner.run = lambda call: (asked.append(call) if call.limits else None, honest(call))[1]  # type: ignore[method-assign]
        token = hotel.token(sub=who)
        for _ in range(450):
            assert through.get(f"/folios/{folio}", token=token).status_code == 200
        instance.close()
        return len(asked)

    folio = hotel.open_folio()

    assert within_one_window(hotel, attempt) == 3


def test_a_first_try_that_was_cut_is_still_counted(hotel: Hotel, house: House) -> None:
    """The opening was lost, so nobody knows whether it was counted: it is asked for again."""
    proxy = Proxy(house.server)

    def attempt(who: str) -> tuple[int, int]:
        folio = hotel.open_folio()
        instance = house.beside(databases={"main": proxy.dsn()}, pool_size=2)
        cuts = iter([Cut.BEFORE_THE_SERVER])
        proxy.where = lambda asked: next(cuts, Cut.NOWHERE)
        status = pay(replace(hotel, house=instance), folio, who).status_code
        instance.close()
        return status, hotel.house.sql(SAME_WINDOW, who=f"{hotel.tenant_id}:{who}")[0][1]

    assert within_one_window(hotel, attempt) == (201, 1)
    proxy.stop()


def test_a_command_that_is_run_again_is_counted_once(hotel: Hotel, house: House) -> None:
    proxy = Proxy(house.server)

    def attempt(who: str) -> tuple[int, int]:
        folio = hotel.open_folio()
        instance = house.beside(databases={"main": proxy.dsn()}, pool_size=2)
        cuts = iter([Cut.BEFORE_THE_CLIENT])
        proxy.where = lambda asked: next(cuts, Cut.NOWHERE) if asked.commits else Cut.NOWHERE
        status = pay(replace(hotel, house=instance), folio, who).status_code
        instance.close()
        return status, hotel.house.sql(SAME_WINDOW, who=f"{hotel.tenant_id}:{who}")[0][1]

    assert within_one_window(hotel, attempt) == (201, 1)
    proxy.stop()


def test_limits_are_on_unless_a_test_or_a_bench_says_otherwise(house: House, hotel: Hotel) -> None:
    assert ProcessSettings.of({"BILLING_DATABASE": "postgresql://x@/x"}).rate_limits
    instance = house.beside(rate_limits=False)
    folio = hotel.open_folio()

    answers = [pay(replace(hotel, house=instance), folio, "fast") for _ in range(QUOTA + 2)]

    assert {answer.status_code for answer in answers} == {201}
    assert not any("RateLimit-Limit" in answer.headers for answer in answers)
    instance.close()


# the lease itself, with a clock that the test turns


def lease(limiter: RateLimiter, quota: int, counter: list[int], seconds: int = 60) -> bool:
    """Ask for one unit; say whether it was granted, as the edge and the database do together."""
    limit = limiter.ask("bucket", quota, 60)
    if limit is None:
        return True
    counter[0] += limit.units
    over = max(0, counter[0] - quota)
    granted = max(0, limit.units - over)
    limiter.took(limit, Allowance(granted, max(0, quota - counter[0]), seconds))
    return granted > 0


@pytest.mark.parametrize("quota", [1, 10, 19, 20, 39, 100, 3_000])
@pytest.mark.parametrize("instances", [1, 2, 7])
def test_the_sum_of_what_all_instances_let_through_is_the_quota(quota: int, instances: int) -> None:
    """An instance may sit on the rest of its piece; together they never let through more."""
    limiters = [RateLimiter(lambda: 0.0) for _ in range(instances)]
    counter = [0]

    granted = sum(
        lease(limiters[turn % instances], quota, counter) for turn in range(quota * 2 + instances)
    )

    assert granted == quota


def test_a_window_ends_by_the_time_that_passes() -> None:
    """A clock that somebody moves opens none early; what was leased in it is gone with it."""
    now = [0.0]
    limiter, counter = RateLimiter(lambda: now[0]), [0]
    assert lease(limiter, 100, counter, seconds=30)
    assert limiter.ask("bucket", 100, 60) is None

    now[0] = 29.9
    assert limiter.ask("bucket", 100, 60) is None
    now[0] = 30.0
    assert limiter.ask("bucket", 100, 60) == Limit("bucket", 100, 60, units=5)
    assert limiter.standing("bucket", 100) is None


def test_two_that_ask_at_once_both_keep_what_they_were_granted() -> None:
    limiter = RateLimiter(lambda: 0.0)
    first, second = (limiter.ask("bucket", 100, 60) for _ in range(2))
    assert first is not None
    assert second is not None

    limiter.took(first, Allowance(5, 95, 60))
    limiter.took(second, Allowance(5, 90, 60))

    handed_out = [limiter.ask("bucket", 100, 60) for _ in range(9)]
    assert [limit is None for limit in handed_out] == [True] * 8 + [False]


def test_an_answer_that_comes_late_brings_no_units_back() -> None:
    """Two asked, the second was answered first: what is left is what the second was told."""
    limiter = RateLimiter(lambda: 0.0)
    first, second = Limit("bucket", 10, 60), Limit("bucket", 10, 60)

    limiter.took(second, Allowance(1, 8, 60))
    limiter.took(first, Allowance(1, 9, 60))

    standing = limiter.standing("bucket", 10)
    assert standing is not None
    assert standing.remaining == 8


def test_a_bucket_says_nothing_that_a_log_may_not_hold(hotel: Hotel) -> None:
    """Function, kind, tenant, actor, window: no path, no amount, no name of a guest."""
    hotel.post(f"/folios/{hotel.open_folio()}/charges", charge())
    form = re.compile(r"[a-z_]+:((actor|address):[0-9a-f-]{36}:[\w.-]+|tenant:[0-9a-f-]{36}):\d+")

    buckets = hotel.house.sql(
        "SELECT bucket FROM billing_central.rate_counters WHERE strpos(bucket, :t) > 0",
        t=str(hotel.tenant_id),
    )

    assert buckets
    assert [bucket for (bucket,) in buckets if not form.fullmatch(bucket)] == []
