"""Credits come, go and move in every way at once, and of each it is known what became of it.

issued - spent - expired - taken back - outstanding = 0, over all accounts, to the micro credit
(CRD-1, CRD-3 to CRD-5): the one race of credits that is played a thousand times by `make trust`.
"""

from tests.buying import bought, card, grants, purchases, refunded, wanted
from tests.hotel import Hotel
from tests.prepaying import available, balance, deduct, granted, micro
from tests.trust.faults.subscription_examples import overdue
from tests.trust.races.plays.credits import moves, sweeps
from tests.trust.races.plays.playbill import race
from tests.trust.races.plays.purchases import DUE, TAKEN, buys, runs, sends
from tests.trust.races.plays.subscriptions import runs_the_cycle
from tests.trust.races.stage import Stage

ENDED = "UPDATE {s}.credit_lots SET expires_at = '2026-03-01T12:00:00Z' WHERE source = 'promotion'"
MOVED = """
SELECT coalesce(sum(amount_micro) FILTER (WHERE kind = 'grant'), 0)::bigint,
       -coalesce(sum(amount_micro) FILTER (WHERE kind IN ('spend', 'capture')), 0)::bigint,
       -coalesce(sum(amount_micro) FILTER (WHERE kind = 'expire'), 0)::bigint,
       -coalesce(sum(amount_micro)
         FILTER (WHERE kind IN ('claw_back', 'give_back', 'debt_paid')), 0)::bigint
FROM {s}.credit_ledger_entries
"""
OUTSTANDING = "SELECT sum(left_micro)::bigint FROM {s}.credit_lots"


def accounted_for(hotel: Hotel) -> list[int]:
    """Whole credits issued, spent, expired, taken back and outstanding; and that nothing is left
    over between them."""
    (moved,), ((outstanding,),) = hotel.rows(MOVED), hotel.rows(OUTSTANDING)
    issued, spent, expired, taken_back = moved
    assert issued - spent - expired - taken_back - outstanding == 0
    return [each // micro(1) for each in (*moved, outstanding)]


@race
def credits_come_and_go_in_five_ways(stage: Stage) -> None:
    """1,000 of a plan, 500 bought, 40 given that have ended, 200 spent: beside one another, 700
    are bought, a period of 1,000 begins, the 500 are refunded, the 40 are swept up, and 600 move.

    3,240 are issued, 200 spent, 40 expired and 500 taken back, wherever they are: 2,500 are left.
    Whoever was cut off comes again, as in every minute the jobs do.
    """
    hotel = stage.hotel
    overdue(hotel)
    granted(hotel, 40, expiresAt="2026-03-01T12:30:00Z")
    hotel.rows(ENDED)
    first = bought(hotel, 500)
    assert deduct(hotel, 200).status_code == 201
    second = wanted(700, card(hotel))
    stage.plays("buyer", buys(second, "mariam"))
    stage.plays("cycle", runs_the_cycle)
    stage.plays("processor", sends(refunded(first, 500, "re_1"), "evt_refund"))
    stage.plays("sweeper", sweeps)  # type: ignore[arg-type] # all that is asked of it is a status
    stage.plays("mover", moves(600, "main", "spa", "mover"))

    buyer, _, refund, _, mover = stage.play()

    assert (buyer.status_code, mover.status_code) == (201, 201)
    assert refund.json["outcome"] in TAKEN
    accounted_for(hotel)
    hotel.rows(DUE)
    runs(hotel, "settle_credit_purchases")(hotel)
    sweeps(hotel)
    assert [row[0] for row in purchases(hotel)] == ["succeeded", "succeeded"]
    assert len(grants(hotel)) == 2
    assert accounted_for(hotel) == [3_240, 200, 40, 500, 2_500]
    assert available(hotel) + available(hotel, "spa") == micro(2_500)
    assert balance(hotel)["debtMicro"] == 0
