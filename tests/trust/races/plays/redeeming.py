"""Prepaid credits settle bills beside everything else that moves them (BEY-4, BEY-9)."""

from tests.hotel import Hotel, usd
from tests.prepaying import available, balance, bought, entries, granted, micro
from tests.redeeming import owed_to_house, owing, redeemed
from tests.refunding import asking
from tests.trust.races.plays.credits import moves, spends, takes_back
from tests.trust.races.plays.playbill import balance as owed
from tests.trust.races.plays.playbill import pays, race, statuses
from tests.trust.races.stage import Act, Stage


def settles(folio: str, key: str, cents: int = 11_000, account: str = "main") -> Act:
    """A clerk takes credits for a bill."""
    return pays(folio, key, cents, "credits", creditAccount=account)


def refunds(hotel: Hotel, folio: str, payment: str, cents: int, by: str) -> Act:
    return asking(hotel, folio, payment, usd(cents), by, reference=None)


@race
def a_bill_is_settled_beside_what_services_spend(stage: Stage) -> None:
    """15,000 are there: the bill takes 11,000, two services 6,000 each; nobody goes below."""
    hotel = stage.hotel
    granted(hotel, 15_000)
    folio = owing(hotel)
    stage.plays("clerk", settles(folio, "clerk"))
    for name in ("concierge", "translator"):
        stage.plays(name, spends(6_000, name))

    settled, *spent = stage.play()

    left = 15_000 - 11_000 * (settled.status_code == 201) - 6_000 * statuses(spent)[201]
    assert {each.status_code for each in (settled, *spent)} <= {201, 402}
    assert available(hotel) == micro(left)
    assert 0 <= left < 6_000
    assert owed(hotel, folio) == (0 if settled.status_code == 201 else 11_000)


@race
def one_bill_is_settled_from_two_accounts(stage: Stage) -> None:
    """Two clerks take all of 110.00, one out of each account: the guest pays once."""
    hotel = stage.hotel
    granted(hotel, 11_000)
    granted(hotel, 11_000, account="spa")
    folio = owing(hotel)
    stage.plays("mariam", settles(folio, "mariam"))
    stage.plays("nasrin", settles(folio, "nasrin", account="spa"))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 422: 1}
    assert available(hotel) + available(hotel, "spa") == micro(11_000)
    assert (owed(hotel, folio), owed_to_house(hotel)) == (0, (110_000_000, micro(11_000)))


@race
def a_bill_comes_back_while_its_purchase_is_taken_back_and_moved(stage: Stage) -> None:
    """14,000 bought, 11,000 of them in a bill of which 60.00 are refunded twice at once; all are
    taken back meanwhile. What still pays the bill is owed, and not more."""
    hotel = stage.hotel
    key = bought(hotel, 14_000)
    folio = owing(hotel)
    payment = redeemed(hotel, folio, 110)
    for name in ("mariam", "nasrin"):
        stage.plays(name, refunds(hotel, folio, payment, 6_000, name))
    stage.plays("dispute", takes_back(hotel, "dispute", key, 14_000, "dispute:dp_1"))
    stage.plays("mover", moves(2_000, "main", "spa", "move"))

    *back, taken, moved = stage.play()

    assert statuses(back) == {201: 1, 409: 1}
    assert taken.status_code == 201
    assert moved.status_code in (201, 402)
    left = hotel.rows("SELECT sum(balance_micro)::bigint FROM {s}.credit_accounts")
    assert (owed(hotel, folio), left) == (6_000, [[0]])
    assert balance(hotel)["debtMicro"] == micro(5_000)
    assert [each[:2] for each in entries(hotel)].count(["restore", 6_000]) == 1
