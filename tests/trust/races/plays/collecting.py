"""One debt is collected over several rails at once, and a payment is canceled meanwhile (BEY-4)."""

from typing import Any

from jobs.retry_refunds import retry_refunds
from tests.hotel import Hotel, usd
from tests.paying import acted, cancel, charges, intents, pay, ready, run_job
from tests.prepaying import granted
from tests.reopening import reopening
from tests.returning import cards, let_it_go, returns
from tests.till import Till
from tests.trust.races.plays.payments import DUE, confirms, settles
from tests.trust.races.plays.playbill import balance, hears_of, pays, race
from tests.trust.races.stage import Act, Stage
from tests.webhooks import Webhook, captured

REFUNDS_DUE = "UPDATE {s}.refund_queue SET next_attempt_at = '-infinity'"
NET = "SELECT coalesce(sum(amount_micro - refunded_micro), 0)::bigint / 10000 FROM {s}.payments"


def cancels(intent: str, key: str) -> Act:
    """A clerk has the payment taken no more."""
    return lambda at: cancel(at, intent, key=key, token=at.token(sub=key))


def captures(folio: str, payment: str) -> Act:
    """The terminal has taken all of the debt."""
    data: dict[str, Any] = {"paymentId": payment, "folioId": folio, "amount": usd(11_000)}
    return hears_of("on_payment_captured", data, f"evt_{payment}")


def told_late(hotel: Hotel, folio: str, payment: str) -> dict[str, Any]:
    """What the processor tells of all of the debt, by one event."""
    return captured(hotel, folio, 11_000, payment, id="evt_late")


def collected_once(hotel: Hotel, folio: str) -> None:
    """When all has been asked after, 110.00 were taken and kept, and nothing is leased."""
    hotel.rows(DUE)
    settles(hotel)(hotel)
    hotel.rows(REFUNDS_DUE)
    assert run_job(hotel, retry_refunds).failed == 0
    assert hotel.rows(NET) == [[11_000]]
    assert balance(hotel, folio) == 0
    assert hotel.rows("SELECT count(*) FROM {s}.collection_leases") == [[0]]


@race
def every_rail_collects_one_debt(stage: Stage) -> None:
    """Two cards, a drawer, credits, a terminal: whoever is later is refused, or gets it back."""
    hotel = stage.hotel
    granted(hotel, 20_000)
    folio = hotel.open_folio()
    hotel.charged(folio)
    till = Till.opened(hotel, usd(5_000))
    for name in ("mariam", "nasrin"):
        stage.plays(name, confirms(*ready(hotel, folio, usd(11_000), owed=True), name))
    more = {"cashSessionId": till.session}
    stage.plays("karim", pays(folio, "karim", 11_000, "cash", **more))
    stage.plays("laila", pays(folio, "laila", 11_000, "credits", creditAccount="main"))
    stage.plays("terminal", captures(folio, "pp-1"))

    *desk, _ = stage.play()

    assert {each.status_code for each in desk} <= {200, 201, 409, 422}
    collected_once(hotel, folio)


@race
def a_guest_confirms_late_beside_the_terminal(stage: Stage) -> None:
    """Both are in the house: what comes second goes back, whoever tells of it."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    hotel.charged(folio)
    intent = pay(hotel, folio, usd(11_000), "sandbox_3ds", owed=True).json["paymentIntentId"]
    acted(hotel, intent)
    hotel.rows(DUE)
    stage.plays("clerk", confirms(intent, "", "clerk"))
    stage.plays("job", settles(hotel))
    stage.plays("terminal", captures(folio, "pp-1"))

    stage.play()

    collected_once(hotel, folio)
    assert hotel.rows("SELECT count(*) FROM {s}.refunds") == [[1]]


@race
def a_late_payment_goes_back_while_its_folio_is_opened_again(stage: Stage) -> None:
    """Told twice while a manager opens the folio: it goes back beside it, or from it as the second
    payment of a debt, and once."""
    hotel = stage.hotel
    folio, _ = hotel.closed_folio()
    stage.plays("terminal", captures(folio, "pp-1"))
    stage.plays("processor", lambda at: Webhook(at).send(told_late(at, folio, "pp-1")))
    stage.plays("manager", reopening(hotel, folio, "nadia"))

    *told, opened = stage.play()

    assert [each.status_code for each in told] == [204, 200]
    assert opened.status_code == 200
    hotel.rows(REFUNDS_DUE)
    let_it_go(hotel)
    ((on_folio,),) = hotel.rows("SELECT count(*) FROM {s}.payments WHERE method = 'card'")
    assert returns(hotel) == ([] if on_folio else [[11_000, "returned", None]])
    assert (balance(hotel, folio), cards(hotel)) == (0, {})


@race
def a_payment_is_canceled_while_it_is_confirmed(stage: Stage) -> None:
    """It is taken or canceled; canceled, no money moves, and the debt is free."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    hotel.charged(folio)
    intent, method = ready(hotel, folio, usd(11_000), owed=True)
    stage.plays("mariam", confirms(intent, method, "mariam"))
    stage.plays("nasrin", cancels(intent, "nasrin"))

    confirmed, canceled = stage.play()

    ((status, is_placed, waits),) = intents(hotel)
    assert (status, waits) in (("succeeded", False), ("canceled", False))
    assert (confirmed.status_code, canceled.status_code) in ((200, 409), (409, 200), (200, 200))
    assert (is_placed, len(charges(hotel))) == (status == "succeeded", int(is_placed))
    assert hotel.rows("SELECT count(*) FROM {s}.collection_leases") == [[0]]


@race
def two_cancel_what_a_guest_confirms(stage: Stage) -> None:
    """Canceled twice it is canceled once; a guest who was faster has paid."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    hotel.charged(folio)
    intent = pay(hotel, folio, usd(11_000), "sandbox_3ds", owed=True).json["paymentIntentId"]
    hotel.rows(DUE)
    stage.plays("nasrin", cancels(intent, "nasrin"))
    stage.plays("mariam", cancels(intent, "mariam"))
    stage.plays("job", settles(hotel))

    *canceled, _ = stage.play()

    assert {each.status_code for each in canceled} == {200}
    acted(hotel, intent)
    assert intents(hotel) == [["canceled", False, False]]
    assert (charges(hotel), len(hotel.events("payment.canceled"))) == ([], 1)
