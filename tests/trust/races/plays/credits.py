"""Prepaid credits are granted, spent, held, moved and taken back by several at once."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from werkzeug import Response
from werkzeug.test import TestResponse

from common.runtime.declaration import declaration_of
from common.runtime.job import Orders
from jobs.expire_credits import expire_credits
from tests.hotel import Hotel
from tests.prepaying import (
    SCOPE,
    available,
    balance,
    bought,
    confirmed,
    deduct,
    entries,
    grant_context,
    granted,
    held,
    micro,
    transfer,
    use,
    wanted,
)
from tests.till import signed
from tests.trust.races.plays.playbill import post, race, statuses
from tests.trust.races.stage import Stage

Act = Callable[[Hotel], TestResponse]


def spends(credits: int, key: str, **more: Any) -> Act:
    return partial(post, "/credits/deduct", use(credits, **more), key)


def moves(credits: int, source: str, target: str, key: str) -> Act:
    body = {"fromAccount": source, "toAccount": target, "creditsMicro": micro(credits)}
    return partial(post, "/credits/transfer", body, key)


def grants(hotel: Hotel, by: str, credits: int, **more: Any) -> Act:
    """The same grant by the same platform actor, at whatever instance is asked."""
    body = wanted(credits, **more)
    sent = confirmed(hotel, body, grant_context(hotel, body), by)
    token = hotel.token(SCOPE, sub=by)
    return lambda at: at.post("/credits/grants", sent, token=token, key=by)


def takes_back(hotel: Hotel, by: str, key: str, credits: int, source: str) -> Act:
    asked = {"grantKey": key, "sourceKey": source, "creditsMicro": micro(credits)}
    context = signed(deed="credits.claw_back", tenant=str(hotel.tenant_id), **asked)
    sent = confirmed(hotel, {**asked, "reason": "Refunded"}, context, by)
    token = hotel.token(SCOPE, sub=by)
    return lambda at: at.post("/credits/claw-backs", sent, token=token, key=by)


@race
def three_services_spend_six_of_ten(stage: Stage) -> None:
    """One gets them: 4 are left, which is less than either of the others wants."""
    hotel = stage.hotel
    granted(hotel, 10)
    for name in ("concierge", "translator", "reviewer"):
        stage.plays(name, spends(6, name))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 402: 2}
    assert available(hotel) == micro(4)


@race
def a_payment_is_told_by_webhook_retry_and_cycle(stage: Stage) -> None:
    """Three who learn of one payment, the account not opened yet: 10 are granted, once."""
    hotel = stage.hotel
    said = {"source": "purchase", "sourceKey": "purchase:pin_1"}
    for name in ("webhook", "retry", "cycle"):
        stage.plays(name, grants(hotel, name, 10, **said))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 409: 2}
    assert available(hotel) == micro(10)
    assert entries(hotel) == [["grant", 10, 0, 0]]


@race
def one_payment_is_granted_to_two_accounts(stage: Stage) -> None:
    """No account's lock stands between them; the key does."""
    hotel = stage.hotel
    said = {"source": "purchase", "sourceKey": "purchase:pin_1"}
    for account in ("main", "spa"):
        stage.plays(account, grants(hotel, account, 10, account=account, **said))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 409: 1}
    there = hotel.rows("SELECT sum(balance_micro)::bigint FROM {s}.credit_accounts")
    assert there == [[micro(10)]]


@race
def credits_are_bought_while_they_are_spent(stage: Stage) -> None:
    """4 are there and 6 come: who wants 5 may come too early; who wants 4 never does."""
    hotel = stage.hotel
    bought(hotel, 4)
    said = {"source": "purchase", "sourceKey": "purchase:pin_2"}
    stage.plays("buyer", grants(hotel, "buyer", 6, **said))
    stage.plays("five", spends(5, "five"))
    stage.plays("four", spends(4, "four"))

    buys, five, four = stage.play()

    assert buys.status_code == 201
    assert (five.status_code, four.status_code) in ((201, 201), (402, 201))
    spent = 4 + (5 if five.status_code == 201 else 0)
    assert available(hotel) == micro(10 - spent)


@race
def credits_move_in_both_directions(stage: Stage) -> None:
    """3 and 2 there, 4 back: nobody waits for somebody who waits."""
    hotel = stage.hotel
    granted(hotel, 10)
    granted(hotel, 10, account="spa")
    stage.plays("three there", moves(3, "main", "spa", "there"))
    stage.plays("two there", moves(2, "main", "spa", "there again"))
    stage.plays("four back", moves(4, "spa", "main", "back"))

    answers = stage.play()

    assert statuses(answers) == {201: 3}
    assert (available(hotel), available(hotel, "spa")) == (micro(9), micro(11))


@race
def one_lot_comes_back_while_it_is_spent_and_moved_on(stage: Stage) -> None:
    """5 of the spa's came from the main account: they go back, on to the bar, and are spent."""
    hotel = stage.hotel
    granted(hotel, 10)
    assert transfer(hotel, 5, "spa").status_code == 201
    stage.plays("back", moves(3, "spa", "main", "back"))
    stage.plays("on", moves(2, "spa", "bar", "on"))
    stage.plays("guest", spends(4, "guest", account="spa"))

    back, on, spent = stage.play()

    moved = {back: 3, on: 2, spent: 4}
    left = 5 - sum(micro for answer, micro in moved.items() if answer.status_code == 201)
    assert left >= 0
    assert available(hotel, "spa") == micro(left)
    assert available(hotel) == micro(5 + (3 if back.status_code == 201 else 0))
    assert {back.status_code, on.status_code, spent.status_code} <= {201, 402}


@race
def a_hold_stands_beside_a_deduction(stage: Stage) -> None:
    """10 are there: of 6 held, 6 spent and 4 spent, one of the sixes goes with the four."""
    hotel = stage.hotel
    granted(hotel, 10)
    stage.plays("holder", partial(post, "/credits/holds", use(6), "hold"))
    stage.plays("six", spends(6, "six"))
    stage.plays("four", spends(4, "four"))

    holds, six, four = stage.play()

    assert statuses([holds, six]) == {201: 1, 402: 1}
    assert four.status_code == 201
    assert available(hotel) == 0
    assert balance(hotel)["heldMicro"] == (micro(6) if holds.status_code == 201 else 0)


@race
def a_hold_is_captured_twice_and_released(stage: Stage) -> None:
    """One of the three ends it, and what was not captured is free again."""
    hotel = stage.hotel
    granted(hotel, 10)
    path = f"/credits/holds/{held(hotel, 6)}"
    stage.plays("five", partial(post, f"{path}/capture", {"creditsMicro": micro(5)}, "five"))
    stage.plays("six", partial(post, f"{path}/capture", {"creditsMicro": micro(6)}, "six"))
    stage.plays("nothing", partial(post, f"{path}/release", {}, "nothing"))

    five, six, nothing = stage.play()

    assert statuses([five, six, nothing]) == {200: 1, 409: 2}
    spent = 5 if five.status_code == 200 else 6 if six.status_code == 200 else 0
    assert (available(hotel), balance(hotel)["heldMicro"]) == (micro(10 - spent), 0)


@race
def a_refund_comes_by_two_ways_while_the_credits_are_spent(stage: Stage) -> None:
    """10 bought. Refund and webhook take back once; what the guest was quicker to spend is owed."""
    hotel = stage.hotel
    key = bought(hotel, 10)
    for name in ("refund", "webhook"):
        stage.plays(name, takes_back(hotel, name, key, 10, "refund:rfd_1"))
    stage.plays("guest", spends(6, "guest"))

    refund, webhook, spent = stage.play()

    assert statuses([refund, webhook]) == {201: 1, 409: 1}
    owed = micro(6) if spent.status_code == 201 else 0
    assert (available(hotel), balance(hotel)["debtMicro"]) == (0, owed)


@race
def credits_move_away_while_they_are_taken_back(stage: Stage) -> None:
    """Wherever they are by then, all 10 are found."""
    hotel = stage.hotel
    key = bought(hotel, 10)
    stage.plays("refund", takes_back(hotel, "refund", key, 10, "refund:rfd_1"))
    stage.plays("mover", moves(6, "main", "spa", "move"))

    taken, moved = stage.play()

    assert (taken.status_code, taken.json["takenMicro"]) == (201, micro(10))
    assert moved.status_code in (201, 402)
    assert balance(hotel)["availableMicro"] == 0
    assert balance(hotel)["debtMicro"] == 0


@race
def a_purchase_pays_a_debt_that_is_waived(stage: Stage) -> None:
    """6 are owed: they are paid, or waived, and never both."""
    hotel = stage.hotel
    key = bought(hotel, 6)
    assert deduct(hotel, 6).status_code == 201
    assert takes_back(hotel, "refund", key, 6, "refund:rfd_1")(hotel).status_code == 201
    said = {"source": "purchase", "sourceKey": "purchase:pin_2"}
    asked = {"account": "main", "creditsMicro": micro(6)}
    context = signed(deed="credits.waive_debt", tenant=str(hotel.tenant_id), **asked)
    body = confirmed(hotel, {**asked, "reason": "A bad year"}, context, "boss")
    token = hotel.token(SCOPE, sub="boss")
    stage.plays("buyer", grants(hotel, "buyer", 10, **said))
    stage.plays("boss", lambda at: at.post("/credits/debt/waive", body, token=token, key="boss"))

    buys, waived = stage.play()

    assert buys.status_code == 201
    assert waived.status_code in (201, 422)
    assert available(hotel) == micro(10 if waived.status_code == 201 else 4)
    assert balance(hotel)["debtMicro"] == 0


@race
def credits_expire_while_they_are_spent_and_moved(stage: Stage) -> None:
    """5 have ended, 5 have not: whoever comes by when, nobody gets any of the ones that have."""
    hotel = stage.hotel
    granted(hotel, 5, expiresAt="2026-03-01T12:30:00Z")
    granted(hotel, 5)
    ended = "UPDATE {s}.credit_lots SET expires_at = '2026-03-01T12:00:00Z'"
    hotel.rows(f"{ended} WHERE expires_at IS NOT NULL")
    stage.plays("job", sweeps)  # type: ignore[arg-type] # all that is asked of it is a status
    stage.plays("job again", sweeps)  # type: ignore[arg-type] # as above
    stage.plays("guest", spends(4, "guest"))
    stage.plays("mover", moves(3, "main", "spa", "mover"))

    _, _, spent, moved = stage.play()

    assert statuses([spent, moved]) == {201: 1, 402: 1}
    assert available(hotel) == micro(1 if spent.status_code == 201 else 2)
    swept = [each for each in entries(hotel) if each[0] == "expire"]
    assert swept in ([], [["expire", -5, 0, 0]])


def sweeps(at: Hotel) -> Response:
    """The job, at an instance; when it could not do all, its next run tries again."""
    declared: Any = declaration_of(expire_credits)  # type: ignore[arg-type] # a job's
    orders = Orders(tenants=(at.tenant_id,))
    at.house.wiring.job_shell.run(declared, orders, stop=threading.Event(), tell=lambda _: None)
    return Response(status=204)


@race
def a_dispute_is_won_twice_while_its_debt_is_paid(stage: Stage) -> None:
    """6 bought and spent, disputed, and 6 bought again: whoever is first, 6 are left to spend."""
    hotel = stage.hotel
    key = bought(hotel, 6)
    assert deduct(hotel, 6).status_code == 201
    assert takes_back(hotel, "dispute", key, 6, "dispute:dp_1")(hotel).status_code == 201
    said = {"source": "purchase", "sourceKey": "purchase:pin_2"}
    stage.plays("buyer", grants(hotel, "buyer", 6, **said))
    for name in ("webhook", "retry"):
        stage.plays(name, gives_back(hotel, name, "dispute:dp_1"))

    buys, *won = stage.play()

    assert buys.status_code == 201
    assert statuses(won) == {201: 1, 409: 1}
    assert (available(hotel), balance(hotel)["debtMicro"]) == (micro(6), 0)


def gives_back(hotel: Hotel, by: str, source: str) -> Act:
    asked = {"sourceKey": source}
    context = signed(deed="credits.reverse_claw_back", tenant=str(hotel.tenant_id), **asked)
    sent = confirmed(hotel, {**asked, "reason": "Won"}, context, by)
    token = hotel.token(SCOPE, sub=by)
    return lambda at: at.post("/credits/claw-backs/reverse", sent, token=token, key=by)
