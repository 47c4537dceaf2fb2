"""Paused, resumed, canceled, suspended, reactivated: one table says what follows what (SUB-2)."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from common.domain.subscription_life import suspend
from common.ports.transaction import Transaction
from common.ports.transactions import Caller, StoredAnswer
from common.runtime.execute import Call
from common.runtime.system import SystemActor
from tests.hotel import Hotel, usd
from tests.proofs import assert_books_are_right, assert_refused, state, told, trail
from tests.subscribing import WHY, act, change, cycle, invoices, run_cycle, shown, subscribed
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("SUB-2")
Clock = Callable[[str], None]


def suspended(hotel: Hotel) -> None:
    """As dunning will do it: by a job, for a reason."""

    def use_case(reason: str, tx: Transaction) -> None:
        subscription = tx.subscriptions.take()
        fact = suspend(subscription, reason)
        tx.subscriptions.keep(subscription)
        tx.tell(fact)

    call = Call(
        use_case=use_case,
        request="Nobody paid",
        caller=Caller(actor=SystemActor.named("dunning", hotel.tenant_id), traceparent=""),
        tenant_id=hotel.tenant_id,
        answer=lambda _: StoredAnswer(b"", 204, {}, ""),
    )
    hotel.house.wiring.runner.run(call)


def period(hotel: Hotel) -> list[datetime]:
    """When the current period begins and ends."""
    told_of = shown(hotel)["subscription"]["period"]
    return [datetime.fromisoformat(told_of[name]) for name in ("start", "end")]


@pytest.mark.req("SUB-8")
def test_a_pause_stops_the_clock_and_resuming_goes_on_with_what_was_left(
    hotel: Hotel, clock: Clock
) -> None:
    """Twenty days left on 11 April; resumed on 1 June they last until 21 June. No bill meanwhile.

    The next period follows from there: to 21 July.
    """
    clock("2026-04-01T00:00:30+00:00")
    subscribed(hotel)
    clock("2026-04-11T00:00:30+00:00")
    paused = act(hotel, "pause")
    assert (paused.status_code, paused.json["subscription"]["status"]) == (200, "paused")
    clock("2026-06-01T00:00:30+00:00")
    assert run_cycle(hotel).done == 0
    assert shown(hotel)["nextInvoice"] is None

    resumed = act(hotel, "resume")

    assert resumed.json["subscription"]["status"] == "active"
    assert resumed.json["subscription"]["period"]["end"][:15] == "2026-06-21T00:0"
    clock("2026-06-21T00:02:00+00:00")
    assert run_cycle(hotel).done == 1
    assert period(hotel)[1].isoformat()[:10] == "2026-07-21"
    assert len(invoices(hotel)) == 2
    named = ["subscription.paused", "subscription.resumed", "subscription.renewed"]
    assert [name for name in told(hotel) if name.startswith("subscription.")][1:] == named
    assert trail(hotel, "subscription.paused")[0]["reason"] == WHY
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_ends_with_its_period_and_is_billed_no_more(hotel: Hotel, clock: Clock) -> None:
    clock("2026-01-31T12:00:30+00:00")
    subscribed(hotel)

    scheduled = act(hotel, "cancel")

    assert scheduled.json["subscription"]["status"] == "active"
    assert scheduled.json["subscription"]["endsAt"] == shown(hotel)["subscription"]["period"]["end"]
    assert shown(hotel)["nextInvoice"] is None
    clock("2026-07-01T00:00:00+00:00")
    assert run_cycle(hotel).done == 1
    mine = shown(hotel)
    assert mine["subscription"]["status"] == "canceled"
    assert mine["subscription"]["canceledAt"][:10] == "2026-02-28"
    assert len(invoices(hotel)) == 1
    actions = [each["action"] for each in mine["history"]]
    assert actions[-2:] == ["subscription.cancellation_scheduled", "subscription.canceled"]
    assert broken(hotel) == []


@pytest.mark.req("SUB-9")
def test_a_commitment_is_owed_to_its_end_and_no_further(hotel: Hotel, clock: Clock) -> None:
    """Canceled in the third month of twelve: nine times 29.00 are still owed, and then it ends."""
    clock("2026-01-15T12:00:30+00:00")
    subscribed(hotel, committed=True)
    clock("2026-03-20T12:00:30+00:00")
    assert run_cycle(hotel).done == 2
    before = state(hotel)
    for refused in (
        act(hotel, "cancel", at="now"),
        change(hotel, plan="free"),
        change(hotel, interval="year"),
    ):
        assert_refused(refused, 409, "COMMITMENT_BINDS")
    assert state(hotel) == before

    scheduled = act(hotel, "cancel")

    assert scheduled.json["subscription"]["obligation"] == usd(9 * 2_900)
    assert scheduled.json["subscription"]["endsAt"][:10] == "2027-01-15"
    clock("2027-12-31T00:00:00+00:00")
    assert run_cycle(hotel).exit_code == 0
    assert len(invoices(hotel)) == 12
    assert shown(hotel)["subscription"]["canceledAt"][:10] == "2027-01-15"
    assert broken(hotel) == []


@pytest.mark.req("SUB-9")
def test_a_release_is_confirmed_and_kept_with_its_reason(hotel: Hotel) -> None:
    subscribed(hotel, committed=True)

    released = act(hotel, "cancel", release=True, reason="The hotel burned down")

    assert released.json["subscription"]["obligation"] == usd(0)
    assert shown(hotel)["history"][-1]["reason"] == "The hotel burned down"
    assert broken(hotel) == []


@pytest.mark.req("SUB-7")
def test_who_is_reactivated_pays_from_now_on_and_not_for_the_time_between(
    hotel: Hotel, clock: Clock
) -> None:
    """Suspended in February, back on 10 May: one new period, from then to 10 June."""
    clock("2026-02-01T00:00:30+00:00")
    subscribed(hotel)
    suspended(hotel)
    clock("2026-05-10T00:00:30+00:00")
    assert run_cycle(hotel).done == 0

    back = act(hotel, "reactivate", reason="platform_incident_7")

    assert (back.status_code, back.json["subscription"]["status"]) == (200, "active")
    assert back.json["subscription"]["period"]["end"][:10] == "2026-06-10"
    assert invoices(hotel) == [["period", 1, 2_900, 2_900], ["period", 2, 2_900, 2_900]]
    assert "subscription.suspended" in told(hotel)
    assert broken(hotel) == []


@pytest.mark.req("SUB-4")
def test_a_suspended_tenant_is_cycled_by_hand_alone(hotel: Hotel, clock: Clock) -> None:
    clock("2026-02-01T00:00:30+00:00")
    subscribed(hotel)
    suspended(hotel)
    clock("2026-03-02T00:00:30+00:00")
    assert_refused(cycle(hotel), 409, "SUBSCRIPTION_STATE_REFUSES")

    forced = cycle(hotel, force=True)

    assert (forced.status_code, forced.json["subscription"]["periodNumber"]) == (200, 2)
    assert broken(hotel) == []


def test_everything_that_is_not_in_the_table_is_refused(hotel: Hotel) -> None:
    """An active one is neither resumed nor reactivated; a canceled one is nothing any more."""
    subscribed(hotel)
    refused: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "": [("resume", {}), ("reactivate", {})],
        "pause": [("pause", {}), ("reactivate", {}), ("cancel", {})],
        "cancel": [(deed, {}) for deed in ("pause", "resume", "reactivate", "cancel")],
    }
    for step, deeds in refused.items():
        if step:
            assert (
                act(hotel, step, **({"at": "now"} if step == "cancel" else {})).status_code == 200
            )
        before = state(hotel)
        for deed, body in deeds:
            assert_refused(act(hotel, deed, **body), 409, "SUBSCRIPTION_STATE_REFUSES")
        assert state(hotel) == before
    assert_refused(cycle(hotel), 409, "SUBSCRIPTION_STATE_REFUSES")


def test_of_pauses_at_once_one_pauses(hotel: Hotel) -> None:
    subscribed(hotel)

    answers = at_once([partial(act, hotel, "pause")] * 3)

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 2}
    assert told(hotel).count("subscription.paused") == 1
