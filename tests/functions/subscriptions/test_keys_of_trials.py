"""Who had a trial is known again, whatever becomes of the keys of marks (SUB-10)."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from common.local.origin_key import trial_key
from common.postgres.trial_key_ring import TrialKeyNeeded, TrialKeyRing
from tests.hotel import Hotel, House
from tests.proofs import assert_books_are_right, assert_refused, state
from tests.together import at_once
from tests.trialing import Somebody, try_out

pytestmark = pytest.mark.req("SUB-10", "OPS-3")
SECOND, ANOTHER = "2:" + 64 * "b", "2:" + 64 * "c"
Instance = Callable[..., House]


@pytest.fixture
def first(house: House) -> Iterator[str]:
    """The key of the house, the first and only one: nobody was marked under any other."""
    house.sql("DELETE FROM billing_central.trial_marks")
    yield trial_key(Path(house.wiring.settings.local_folder) / "processor")
    house.sql("DELETE FROM billing_central.trial_marks WHERE key_version > 1")
    house.sql("DELETE FROM billing_central.trial_keys WHERE version > 1")
    house.sql("INSERT INTO billing_central.trial_keys VALUES (1, '') ON CONFLICT DO NOTHING")


@pytest.fixture
def instance(house: House) -> Iterator[Instance]:
    """Makes instances of the service that have these keys."""
    made: list[House] = []

    def of(*keys: str) -> House:
        made.append(house.beside(trial_keys=keys, rate_limits=False))
        return made[-1]

    yield of
    for each in made:
        each.close()


@pytest.fixture
def ring(house: House) -> Iterator[TrialKeyRing]:
    """As the operator sees it, who comes as the jobs do."""
    jobs = house.beside(databases={"main": house.server.dsn("billing_job", "billing")})
    yield jobs.wiring.trial_key_ring
    jobs.close()


def at(house: House, hotel: Hotel) -> Hotel:
    return Hotel(house, hotel.tenant_id, hotel.property_id)


def kept(hotel: Hotel) -> list[tuple[int, int]]:
    """Under which keys a hotel's trial is marked, and by how many marks."""
    rows = hotel.house.sql(
        "SELECT key_version, count(*) FROM billing_central.trial_marks WHERE tenant_id = :t"
        " GROUP BY 1 ORDER BY 1",
        t=hotel.tenant_id,
    )
    return [(row[0], row[1]) for row in rows]


def again(house: House, who: Somebody, other: Hotel) -> TestResponse:
    """The same mailbox, by another account, on another device and in another hotel."""
    return try_out(at(house, other), Somebody(email=who.email.upper()))


def _begun(hotel: Hotel) -> int:
    return try_out(hotel).status_code


def test_a_mailbox_is_known_before_during_and_after(
    hotel: Hotel, house: House, first: str, instance: Instance, ring: TrialKeyRing
) -> None:
    """One was marked by the first key, one by both: each is refused at each instance that is
    allowed to let anybody begin. The one with the second key alone would not know the first."""
    both, second = instance(first, SECOND), instance(SECOND)
    before, during = Somebody(), Somebody()
    assert try_out(hotel, before).status_code == 201
    later, other = house.new_hotel(), house.new_hotel()
    assert try_out(at(both, later), during).status_code == 201
    assert (kept(hotel), kept(later)) == ([(1, 3)], [(1, 3), (2, 3)])

    for who in (before, during):
        for known in (house, both):
            assert_refused(again(known, who, other), 409, "TRIAL_NOT_OFFERED")
        assert_refused(again(second, who, other), 503, "TRIALS_UNAVAILABLE")

    with pytest.raises(TrialKeyNeeded):
        ring.drop(1)
    assert [(each.trials, each.not_under_next) for each in ring.list()] == [
        (2, 1),
        (1, 1),
    ]
    for each in (hotel, later, other):
        assert_books_are_right(each)


def test_of_many_at_once_under_old_and_new_keys_one_begins(
    hotel: Hotel, house: House, first: str, instance: Instance
) -> None:
    """One mailbox, at instances that were started before, during and after the new key came."""
    houses = [instance(first), instance(first, SECOND), instance(SECOND, first)]
    hotels = [hotel, house.new_hotel()]
    who = Somebody()
    calls = [
        partial(try_out, at(each, somewhere), Somebody(email=who.email))
        for each in houses
        for somewhere in hotels * 2
    ]

    answers = at_once(calls)

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 11}
    assert sorted(len(kept(each)) for each in hotels)[0] == 0
    for each in hotels:
        assert_books_are_right(each)


def test_the_oldest_key_goes_and_nobody_is_forgotten(
    hotel: Hotel, house: House, first: str, instance: Instance, ring: TrialKeyRing
) -> None:
    """Marked under both, then under the second alone. Who has only the first begins nothing."""
    both, second = instance(first, SECOND), instance(SECOND)
    who, other = Somebody(), house.new_hotel()
    assert try_out(at(both, hotel), who).status_code == 201

    for refused in (2, 7):
        with pytest.raises(TrialKeyNeeded):
            ring.drop(refused)
    assert ring.drop(1).trials == 1
    with pytest.raises(TrialKeyNeeded):
        ring.drop(2)

    assert kept(hotel) == [(2, 3)]
    for known in (both, second):
        assert_refused(again(known, who, other), 409, "TRIAL_NOT_OFFERED")
    assert_refused(again(house, who, other), 503, "TRIALS_UNAVAILABLE")
    assert try_out(at(both, other)).status_code == 201
    assert kept(other) == [(2, 3)]
    assert_books_are_right(hotel)


def test_a_key_that_goes_while_somebody_begins_takes_nobody_along(
    house: House, first: str, instance: Instance, ring: TrialKeyRing
) -> None:
    """Either the key is needed, or who has it alone begins nothing any more."""
    both, old = instance(first, SECOND), instance(first)
    assert try_out(at(both, house.new_hotel())).status_code == 201
    hotels = [house.new_hotel() for _ in range(3)]

    def dropped() -> int:
        try:
            return 200 if ring.drop(1) else 0
        except TrialKeyNeeded:
            return 409

    begins = [partial(_begun, at(old, each)) for each in hotels]

    *begun, gone = at_once([*begins, dropped])

    left = [kept(each) for each in hotels]
    assert left == [[(1, 3)] if status == 201 else [] for status in begun]
    assert set(begun) <= ({503} if gone == 200 else {201})


def test_another_key_under_the_number_lets_nobody_begin(
    hotel: Hotel, house: House, first: str, instance: Instance
) -> None:
    """Put in the place of the first, or of the second, which somebody is marked under."""
    assert try_out(at(instance(first, SECOND), house.new_hotel())).status_code == 201
    before = state(hotel)

    for keys in ((64 * "d",), (ANOTHER, first)):
        assert_refused(try_out(at(instance(*keys), hotel)), 503, "TRIALS_UNAVAILABLE")

    assert state(hotel) == before


def test_of_two_keys_that_come_at_once_under_one_number_one_stays(
    house: House, first: str, instance: Instance
) -> None:
    """Whoever says it first; the other is found out by the database, though it was not there when
    it was looked for."""
    houses = [instance(first, SECOND), instance(first, ANOTHER)]
    hotels = [house.new_hotel() for _ in houses]

    calls = [partial(try_out, at(*each)) for each in zip(houses, hotels, strict=True)]
    answers = house.at_once_before_they_write("billing_central.trial_keys", calls)

    assert sorted(answer.status_code for answer in answers) == [201, 503]
    [[proofs]] = house.sql("SELECT count(*) FROM billing_central.trial_keys WHERE version = 2")
    assert proofs == 1
