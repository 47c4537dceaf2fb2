"""What companies owe, while others settle onto it, pay it, give it up or change its terms."""

from functools import partial

from werkzeug.test import TestResponse

from tests.crediting import credits, lines_of, voids
from tests.hotel import Hotel, usd
from tests.owing import (
    company,
    invoiced,
    paid_by_card,
    pay,
    settle,
    settled,
    shares,
    sums,
    writing_off,
)
from tests.trust.races.plays.playbill import closes, race, statuses
from tests.trust.races.stage import Stage
from tests.webhooks import Webhook, disputed, refunded_there


@race
def two_folios_settle_near_the_limit(stage: Stage) -> None:
    """A limit of 100.00; two folios would each leave 60.00 to the company: one may."""
    hotel = stage.hotel
    account = company(hotel, usd(10_000))
    for name in ("amina", "sara"):
        folio = hotel.open_folio()
        hotel.charged(folio, cents=10_000)
        stage.plays(name, _settles(hotel, folio, account, 6_000, name))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 409: 1}
    assert sums(hotel, account) == (6_000, 0, 0)


@race
def two_payments_meet_on_one_item(stage: Stage) -> None:
    """110.00 open: one pays 80.00 for what is due first, the other 80.00 for it by hand."""
    hotel = stage.hotel
    account = company(hotel)
    _, invoice = invoiced(hotel, account, 10_000)
    by_hand = {"allocations": shares((invoice, usd(8_000)))}
    stage.plays("oldest first", _pays(hotel, account, 8_000, "oldest"))
    stage.plays("by hand", _pays(hotel, account, 8_000, "hand", **by_hand))

    oldest, hand = stage.play()

    assert oldest.status_code == 201
    assert hand.status_code in (201, 409)
    both = hand.status_code == 201
    assert sums(hotel, account) == ((0, 0, 5_000) if both else (0, 3_000, 0))


@race
def an_item_is_given_up_beside_its_payment(stage: Stage) -> None:
    """110.00: settled once, by money or by giving it up; money that came too late is a credit."""
    hotel = stage.hotel
    account = company(hotel)
    _, invoice = invoiced(hotel, account, 10_000)
    stage.plays("laila", writing_off(hotel, account, invoice, usd(11_000), "laila"))
    stage.plays("the company", _pays(hotel, account, 11_000, "pays"))

    forgiven, paid = stage.play()

    assert paid.status_code == 201
    assert forgiven.status_code in (201, 409)
    left = 11_000 if forgiven.status_code == 201 else 0
    assert sums(hotel, account) == (0, 0, left)


@race
def an_item_is_given_up_beside_the_credit_note_over_it(stage: Stage) -> None:
    """110.00: given up, or paid by the note over it, and once: nobody is owed what nobody paid."""
    hotel = stage.hotel
    account = company(hotel)
    _, invoice = invoiced(hotel, account, 10_000)
    note = voids(hotel, invoice).json["creditNoteId"]
    path, body = f"/company-accounts/{account}/set-offs", {"creditNoteId": note}
    stage.plays("laila", writing_off(hotel, account, invoice, usd(11_000), "laila"))
    stage.plays("mariam", partial(_posts, hotel, path, body, "mariam"))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 409: 1}
    assert sums(hotel, account) == (0, 0, 0)


@race
def a_credit_note_is_set_off_twice_beside_a_payment(stage: Stage) -> None:
    """110.00, of which 22.00 are credited: set off as a whole once, 110.00 pay the rest."""
    hotel = stage.hotel
    account = company(hotel)
    _, invoice = invoiced(hotel, account, 10_000)
    line = lines_of(hotel, invoice)[0]["lineId"]
    note = credits(hotel, invoice, (line, usd(2_200))).json["creditNoteId"]
    path, body = f"/company-accounts/{account}/set-offs", {"creditNoteId": note}
    for name in ("mariam", "farid"):
        stage.plays(name, partial(_posts, hotel, path, body, name))
    stage.plays("the company", _pays(hotel, account, 11_000, "pays"))

    *offs, paid = stage.play()

    assert statuses(offs) == {201: 1, 409: 1}
    assert paid.status_code == 201
    assert sums(hotel, account) == (0, 0, 2_200)


@race
def an_allocation_is_taken_back_twice_while_the_credit_is_spent(stage: Stage) -> None:
    """110.00 are taken back once, and may be given to the invoice again."""
    hotel = stage.hotel
    account = company(hotel)
    invoiced(hotel, account, 10_000)
    (given,) = pay(hotel, account, usd(11_000)).json["allocations"]
    path = f"/company-accounts/{account}/allocations/{given['allocationId']}/reverse"
    for name in ("farid", "laila"):
        stage.plays(name, partial(_posts, hotel, path, {"reason": "Wrong"}, name))
    again = f"/company-accounts/{account}/allocations"
    stage.plays("karim", partial(_posts, hotel, again, {}, "karim"))

    *backs, spent = stage.play()

    assert statuses(backs) == {201: 1, 409: 1}
    assert spent.status_code == 201
    used = bool(spent.json["allocations"])
    assert sums(hotel, account) == ((0, 0, 0) if used else (0, 11_000, 11_000))


@race
def a_folio_closes_while_its_account_is_changed(stage: Stage) -> None:
    """Terms of 30 or of 60 days, whichever came first; on hold or not, it owes what it owes."""
    hotel = stage.hotel
    account = company(hotel)
    folio = settled(hotel, account, 10_000)
    body = {"termsDays": 60, "status": "on_hold", "reason": "Pays late"}
    stage.plays("cashier", closes(folio, "close"))
    stage.plays("laila", partial(_changes, hotel, account, body))

    answers = stage.play()

    assert statuses(answers) == {200: 2}
    assert sums(hotel, account) == (0, 11_000, 0)
    ((days,),) = hotel.rows("SELECT due_on - issued_on FROM {s}.receivables")
    assert days in (30, 60)


@race
def two_folios_close_onto_two_accounts(stage: Stage) -> None:
    """Each was left to both companies, one the other way round: nobody waits for the other."""
    hotel = stage.hotel
    accounts = [company(hotel), company(hotel)]
    for name, order in (("amina", accounts), ("sara", accounts[::-1])):
        folio = hotel.open_folio()
        hotel.charged(folio, cents=10_000)
        for account in order:
            assert settle(hotel, folio, account, usd(5_500)).status_code == 201
        stage.plays(name, closes(folio, f"close-{name}"))

    answers = stage.play()

    assert statuses(answers) == {200: 2}
    assert [sums(hotel, account) for account in accounts] == [(0, 11_000, 0)] * 2


@race
def an_account_closes_beside_a_settlement(stage: Stage) -> None:
    """It is closed and takes nothing, or it owes something and stays open."""
    hotel = stage.hotel
    account, folio = company(hotel), hotel.open_folio()
    hotel.charged(folio, cents=10_000)
    body = {"status": "closed", "reason": "They moved away"}
    stage.plays("amina", _settles(hotel, folio, account, 100, "amina"))
    stage.plays("laila", partial(_changes, hotel, account, body))

    settled_there, closed = stage.play()

    assert (settled_there.status_code, closed.status_code) in ((201, 409), (409, 200))


@race
def a_payment_is_taken_back_while_another_comes(stage: Stage) -> None:
    """110.00 were paid and 55.00 are owed; a bank takes 70.00, told twice, and the dashboard gives
    40.00 back while 20.00 are paid: 145.00 are owed, whoever was first."""
    hotel = stage.hotel
    account, payment = paid_by_card(hotel)
    invoiced(hotel, account, 5_000)
    claim = disputed(payment, "dp_1", "needs_response", "created", cents=7_000)
    for place in range(2):
        told = {**claim, "id": f"evt_claim_{place}"}
        stage.plays(f"bank {place}", lambda at, told=told: Webhook(at).send(told))
    back = {**refunded_there(payment, "re_1", 4_000), "id": "evt_back"}
    stage.plays("dashboard", lambda at: Webhook(at).send(back))
    stage.plays("laila", _pays(hotel, account, 2_000, "laila"))

    *told, paid = stage.play()

    assert {each.json["outcome"] for each in told} <= {"applied", "duplicate"}
    assert paid.status_code == 201
    assert sums(hotel, account) == (0, 14_500, 0)


def _settles(
    hotel: Hotel, folio: str, account: str, cents: int, name: str
) -> "partial[TestResponse]":
    body = {"method": "city_ledger", "amount": usd(cents), "companyAccountId": account}
    return partial(_posts, hotel, f"/folios/{folio}/payments", body, name)


def _pays(
    hotel: Hotel, account: str, cents: int, name: str, **more: object
) -> "partial[TestResponse]":
    body = {"method": "bank_transfer", "amount": usd(cents), **more}
    return partial(_posts, hotel, f"/company-accounts/{account}/payments", body, name)


def _posts(hotel: Hotel, path: str, body: dict[str, object], name: str, at: Hotel) -> TestResponse:
    return at.post(path, body, token=hotel.token(sub=name), key=f"key-{name}")


def _changes(hotel: Hotel, account: str, body: dict[str, object], at: Hotel) -> TestResponse:
    token = hotel.token(sub="changes")
    return at.call("PATCH", f"/company-accounts/{account}", body, token=token, key="changes")
