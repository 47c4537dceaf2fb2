"""A drawer is opened, counted and closed by several at once."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from werkzeug.test import TestResponse

from tests.hotel import Hotel, usd
from tests.till import CLOSE, OPERATE, Till, counted, new_drawer, open_drawer, over_short
from tests.trust.races.plays.playbill import (
    race,
    statuses,
)
from tests.trust.races.stage import Stage


@race
def two_co_signers_close_one_drawer(stage: Stage) -> None:
    """100.00 in the drawer, 95.00 counted: closed once, and 5.00 short once."""
    till = Till.opened(stage.hotel, usd(10_000))
    assert till.initiate(usd(9_500)).status_code == 200
    count = counted(usd(9_500))
    for name in ("laila", "nasrin"):
        token = stage.hotel.confirmation(name, CLOSE, till.context(count))
        stage.plays(name, _at(till, partial(_closes, name, token)))

    answers = stage.play()

    assert statuses(answers) == {200: 1, 409: 1}
    assert [row[2] for row in over_short(stage.hotel)] == [5_000_000]
    assert till.account() == {"USD": 0}


@race
def cash_comes_while_the_drawer_is_counted(stage: Stage) -> None:
    """It is in what the drawer should hold, or it is refused: the count is never out by it."""
    till = Till.opened(stage.hotel, usd(10_000))
    folio = stage.hotel.open_folio()
    token = stage.hotel.confirmation("karim", OPERATE, till.context(counted(usd(10_000))))
    stage.plays("karim counts", _at(till, partial(_counts, token)))
    stage.plays("guest pays", _at(till, partial(_takes_cash, folio)))
    stage.plays("karim drops", _at(till, _drops))

    counts, pays, drops = stage.play()

    assert counts.status_code == 200
    assert {pays.status_code, drops.status_code} <= {201, 409}
    came = 1_100 * (pays.status_code == 201) - 2_000 * (drops.status_code == 201)
    assert till.account() == {"USD": 10_000 + came}


@race
def two_clerks_open_one_drawer(stage: Stage) -> None:
    """And a manager takes it out of use: one session at most, none in a frozen drawer."""
    drawer = new_drawer(stage.hotel)
    for clerk in ("karim", "zahra"):
        stage.plays(clerk, partial(_opens_drawer, drawer, clerk))
    freeze = {"active": False, "reason": "The lock is broken"}
    stage.plays("manager", lambda at: at.call("PATCH", f"/cash-drawers/{drawer}", freeze, key="f"))

    *clerks, manager = stage.play()

    assert manager.status_code == 200
    assert statuses(clerks)[201] <= 1
    assert statuses(clerks)[201] + statuses(clerks)[409] == 2


def _at(till: Till, act: Callable[[Till], TestResponse]) -> Callable[[Hotel], TestResponse]:
    """Somebody at a till, called at whatever instance of the service."""
    return lambda at: act(replace(till, hotel=at))


def _closes(name: str, token: str, till: Till) -> TestResponse:
    return till.close(usd(9_500), by=name, token=token, key=name)


def _counts(token: str, till: Till) -> TestResponse:
    return till.initiate(usd(10_000), token=token, key="count")


def _drops(till: Till) -> TestResponse:
    return till.move("drop", usd(2_000), key="drop")


def _takes_cash(folio: str, till: Till) -> TestResponse:
    body = {"method": "cash", "amount": usd(1_100), "allowCredit": True}
    token = till.hotel.token(sub="karim")
    return till.hotel.post(f"/folios/{folio}/payments", body, token=token, key="cash")


def _opens_drawer(drawer: str, clerk: str, at: Hotel) -> TestResponse:
    return open_drawer(at, drawer, usd(10_000), by=clerk, key=clerk)
