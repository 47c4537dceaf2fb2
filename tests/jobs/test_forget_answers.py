"""An answer is kept for every retry of 30 days, and goes then (AUD-3, API-4)."""

import threading
from collections.abc import Callable
from datetime import date

import pytest

from common.runtime.declaration import declaration_of
from common.runtime.job import Orders, Progress
from jobs import forget_answers
from tests.hotel import Hotel, usd
from tests.proofs import assert_books_are_right, told
from tests.together import at_once

pytestmark = pytest.mark.req("AUD-3", "JOB-1")
Clock = Callable[[str], None]


def forget(hotel: Hotel, as_of: date | None = None) -> Progress:
    """Run the job for this hotel."""
    return hotel.house.wiring.job_shell.run(
        declaration_of(forget_answers.forget_answers),  # type: ignore[arg-type] # a job's declaration
        Orders(tenants=(hotel.tenant_id,), as_of=as_of),
        stop=threading.Event(),
        tell=lambda _: None,
    )


def answers(hotel: Hotel) -> int:
    """How many answers are kept."""
    return int(hotel.rows("SELECT count(*) FROM {s}.idempotency_keys")[0][0])


def pay(hotel: Hotel, folio: str, key: str = "night-1") -> "tuple[int, bool]":
    """The desk takes 50.00 under its key: the status, and whether it was answered before."""
    answer = hotel.post(
        f"/folios/{folio}/payments",
        {"method": "bank_transfer", "amount": usd(5_000), "allowCredit": True},
        key=key,
    )
    return answer.status_code, answer.headers.get("Idempotency-Replayed") == "true"


@pytest.mark.req("API-4")
def test_a_retry_of_the_thirtieth_day_is_answered_the_same_and_a_day_later_it_goes(
    hotel: Hotel, clock: Clock
) -> None:
    """Of 1 March 10:00: kept until 1 April 10:00, and what it did stays for ever."""
    clock("2026-03-01T10:00:00Z")
    folio = hotel.open_folio()
    assert pay(hotel, folio) == (201, False)
    kept = answers(hotel)
    clock("2026-03-31T10:00:00Z")
    assert (forget(hotel).due, answers(hotel)) == (0, kept)
    assert pay(hotel, folio) == (201, True)
    clock("2026-04-01T10:01:00Z")
    before = told(hotel)

    done = forget(hotel)

    assert (done.done, done.exit_code, answers(hotel)) == (1, 0, 0)
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-5_000)
    assert told(hotel) == before
    assert forget(hotel).due == 0
    assert_books_are_right(hotel)


def test_many_go_in_batches_by_two_runs_at_once_and_the_young_stay(
    hotel: Hotel, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five are old and go by twos; one of today stays, whatever day somebody says that it is, and
    so does all that another hotel has."""
    monkeypatch.setattr(forget_answers, "BATCH", 2)
    other = hotel.house.new_hotel()
    clock("2026-03-01T10:00:00Z")
    folio, theirs = hotel.open_folio(), other.open_folio()
    opened, kept = answers(hotel), answers(other) + 1
    assert pay(other, theirs) == (201, False)
    for number in range(5 - opened):
        assert pay(hotel, folio, f"old-{number}") == (201, False)
    clock("2026-06-09T10:00:00Z")
    assert pay(hotel, folio, "young") == (201, False)
    assert forget(hotel, date(2026, 3, 31)).due == 0

    done = at_once([lambda: forget(hotel, date(2030, 1, 1))] * 2)

    assert [each.exit_code for each in done] == [0, 0]
    assert sum(each.done for each in done) >= 3
    assert (answers(hotel), answers(other)) == (1, kept)
    assert pay(hotel, folio, "young") == (201, True)
