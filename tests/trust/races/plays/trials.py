"""A trial is begun twice, ends twice, and ends while something is changed."""

from werkzeug import Response

from common.runtime.declaration import declaration_of
from jobs.remind_trials import remind_trials
from tests.hotel import Hotel
from tests.subscribing import WHY, invoices, shown
from tests.trialing import Somebody, marks
from tests.trust.faults.subscription_examples import trial_that_is
from tests.trust.races.plays.playbill import race, statuses
from tests.trust.races.plays.subscriptions import Act, asks, fired, runs_the_cycle
from tests.trust.races.stage import Stage


def runs_the_reminder(at: Hotel) -> Response:
    """The job, fired again where it was cut off."""
    return fired(declaration_of(remind_trials), at)  # type: ignore[arg-type] # a job's


def begins(hotel: Hotel, who: Somebody) -> Act:
    """Somebody begins a trial; sent again it is the same."""
    body, token = who.body(), who.token(hotel)
    return lambda at: at.call("POST", "/trials", body, key=body["id"], token=token)


@race
def two_trials_of_one_account(stage: Stage) -> None:
    """On two devices at the same moment: one of them begins."""
    hotel, who = stage.hotel, Somebody()
    stage.plays("one device", begins(hotel, who))
    stage.plays("another", begins(hotel, Somebody(sub=who.sub, email=who.email)))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 409: 1}
    assert len(marks(hotel)) == 3


@race
def two_accounts_on_one_device(stage: Stage) -> None:
    """Of one hotel, as the marks are over all: one of them begins."""
    hotel, who = stage.hotel, Somebody()
    stage.plays("one", begins(hotel, who))
    stage.plays("another", begins(hotel, Somebody(device=who.device)))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 409: 1}
    assert len(marks(hotel)) == 3


@race
def a_trial_ends_beside_a_change_of_plan(stage: Stage) -> None:
    """It is over, and costs nothing to go on: who changes the plan is refused before the first
    period has begun, or it is prorated in it."""
    hotel = stage.hotel
    trial_that_is(hotel, 15, payable=True)
    stage.plays("job", runs_the_cycle)
    stage.plays("another job", runs_the_cycle)
    stage.plays("clerk", asks(hotel, "change", "PUT", plan="team", reason=WHY))

    answers = stage.play()

    changed = statuses(answers).get(409, 0) == 0
    assert [row[0] for row in invoices(hotel)] == ["period", "change"][: 2 if changed else 1]
    mine = shown(hotel)["subscription"]
    assert (mine["status"], mine["periodNumber"]) == ("active", 1)


@race
def a_reminder_beside_another_and_the_end(stage: Stage) -> None:
    """It is over and was not told of: told at most once, and it ends once."""
    hotel = stage.hotel
    trial_that_is(hotel, 15)
    stage.plays("reminder", runs_the_reminder)
    stage.plays("another", runs_the_reminder)
    stage.plays("cycle", runs_the_cycle)

    stage.play()

    assert len(hotel.events("subscription.trial_will_end")) <= 1
    assert len(hotel.events("subscription.canceled")) == 1
    assert shown(hotel)["subscription"]["status"] == "canceled"
