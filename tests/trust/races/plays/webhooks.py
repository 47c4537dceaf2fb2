"""The processor tells of something several times, and beside others who do."""

from typing import Any

from tests.hotel import Hotel, usd
from tests.refunding import asking, card_payment, refund, standing
from tests.reopening import reopening
from tests.trust.races.plays.playbill import balance, hears_of, race, statuses
from tests.trust.races.stage import Act, Stage
from tests.webhooks import Webhook, captured, disputed, kept, refund_told, refunded_there

TAKEN = {"applied", "duplicate"}
"""Whose answer was lost sends again, and hears that it was applied."""


def sends(event: dict[str, Any]) -> Act:
    """The processor delivers an event."""
    return lambda at: Webhook(at).send(event)


def processors_id(hotel: Hotel, payment: str) -> str:
    """What the processor calls a payment of ours."""
    ((found,),) = hotel.rows(
        "SELECT processor_payment_id FROM {s}.payments WHERE id = :id", id=payment
    )
    return str(found)


@race
def one_event_comes_five_times_at_once(stage: Stage) -> None:
    """Four at once and one behind them: 50.00 are paid, one delivery has applied it."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    event = captured(hotel, folio, 5_000, "pi_five", id="evt_five")
    for place in range(4):
        stage.plays(f"delivery {place}", sends(event))

    answers = [*stage.play(), Webhook(hotel).send(event)]

    assert statuses(answers) == {200: 5}
    assert {each.json["outcome"] for each in answers} <= TAKEN
    assert answers[-1].json["outcome"] == "duplicate"
    assert balance(hotel, folio) == -5_000
    assert kept(hotel) == [["payment_intent.succeeded", ["applied"]]]


@race
def webhook_event_and_desk_tell_of_one_payment(stage: Stage) -> None:
    """Whoever is first has recorded it; the others find it, or are told that it is there."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    event = captured(hotel, folio, 5_000, "pi_one", id="evt_one")
    platform = {"paymentId": "pi_one", "folioId": folio, "amount": usd(5_000)}
    desk = {"method": "card", "amount": usd(5_000), "paymentId": "pi_one", "allowCredit": True}
    stage.plays("processor", sends(event))
    stage.plays("platform", hears_of("on_payment_captured", platform, "evt-platform"))
    stage.plays("desk", lambda at: at.post(f"/folios/{folio}/payments", desk, key="desk"))

    processor, heard, paid = stage.play()

    assert processor.json["outcome"] in TAKEN
    assert heard.status_code == 204
    assert paid.status_code in (201, 409)
    assert balance(hotel, folio) == -5_000


@race
def webhook_event_and_job_settle_one_refund(stage: Stage) -> None:
    """Two of them say that it was made, and one that it has failed: it was made and failed, or was
    never made; in either case the guest has 100.00 here again."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    payment = card_payment(hotel, folio, usd(10_000), "sandbox_unreachable_")
    promised = refund(hotel, folio, payment, usd(6_000)).json["refund"]["refundId"]
    theirs = processors_id(hotel, payment)
    made = refund_told(theirs, promised, 6_000)
    failed = refund_told(theirs, promised, 6_000, "failed", "refund.failed")
    platform = {"refundId": promised, "folioId": folio}
    stage.plays("made", sends({**made, "id": "evt_made"}))
    stage.plays("failed", sends({**failed, "id": "evt_failed"}))
    stage.plays("platform", hears_of("on_refund_succeeded", platform, "evt-platform"))

    *told, heard = stage.play()

    assert {each.json["outcome"] for each in told} <= TAKEN
    assert heard.status_code == 204
    ((_, became),) = standing(hotel)
    came_back = hotel.rows("SELECT count(*) FROM {s}.refund_failures")
    assert came_back == [[int(became == "succeeded")]]
    assert balance(hotel, folio) == -10_000


@race
def a_dispute_is_opened_and_lost_at_once(stage: Stage) -> None:
    """The later state stays, in whichever order the two are heard."""
    hotel = stage.hotel
    theirs = processors_id(hotel, card_payment(hotel, hotel.open_folio(), usd(5_000)))
    opened = disputed(theirs, "dp_1", "needs_response", "created")
    lost = disputed(theirs, "dp_1", "lost", "closed")
    stage.plays("opened", sends({**opened, "id": "evt_opened"}))
    stage.plays("lost", sends({**lost, "id": "evt_lost"}))
    stage.plays("lost again", sends({**lost, "id": "evt_lost_again"}))

    answers = stage.play()

    assert {each.json["outcome"] for each in answers} <= TAKEN
    assert hotel.rows("SELECT status FROM {s}.payment_disputes") == [["lost"]]


@race
def a_refund_there_beside_ours_takes_no_more_than_was_paid(stage: Stage) -> None:
    """60.00 there, told twice, and 60.00 here, of 100.00: one of them is refused."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    payment = card_payment(hotel, folio, usd(10_000))
    theirs = processors_id(hotel, payment)
    for place in range(2):
        sent = {**refunded_there(theirs, "re_1", 6_000), "id": f"evt_there_{place}"}
        stage.plays(f"processor {place}", sends(sent))
    stage.plays("desk", asking(hotel, folio, payment, usd(6_000), "farid"))

    first, second, here = stage.play()

    outcomes = {each.json["outcome"] for each in (first, second)}
    assert outcomes <= (TAKEN if here.status_code == 409 else {"refused"})
    assert here.status_code in (201, 409)
    assert len(standing(hotel)) == 1
    assert balance(hotel, folio) == -4_000


@race
def a_refund_there_while_its_folio_is_opened_again(stage: Stage) -> None:
    """It waits beside the folio and is put on it, or it finds it open: it stands on it once."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    hotel.charged(folio, "minibar", 5_000)
    owed = hotel.get(f"/folios/{folio}").json["balance"]
    theirs = processors_id(hotel, card_payment(hotel, folio, owed))
    assert hotel.post(f"/folios/{folio}/close").status_code == 200
    for place in range(2):
        sent = {**refunded_there(theirs, "re_1", 1_000), "id": f"evt_there_{place}"}
        stage.plays(f"processor {place}", sends(sent))
    stage.plays("manager", reopening(hotel, folio, "nadia"))

    *told, opened = stage.play()

    assert {each.json["outcome"] for each in told} <= TAKEN
    assert opened.status_code == 200
    assert balance(hotel, folio) == 1_000
    assert len(standing(hotel)) == 1


@race
def a_refund_fails_while_its_folio_is_opened_again(stage: Stage) -> None:
    """10.00 too much went back and come again, told twice: beside the folio first and then on it,
    or on it at once, they are to the guest's credit once."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    hotel.charged(folio, "minibar", 5_000)
    owed = hotel.get(f"/folios/{folio}").json["balance"]["amountMicro"] // 10_000
    payment = card_payment(hotel, folio, usd(owed + 1_000))
    made = refund(hotel, folio, payment, usd(1_000)).json["refund"]["refundId"]
    assert hotel.post(f"/folios/{folio}/close").status_code == 200
    failed = refund_told(processors_id(hotel, payment), made, 1_000, "failed", "refund.failed")
    for place in range(2):
        stage.plays(f"processor {place}", sends({**failed, "id": f"evt_failed_{place}"}))
    stage.plays("manager", reopening(hotel, folio, "nadia"))

    *told, opened = stage.play()

    assert {each.json["outcome"] for each in told} <= TAKEN
    assert opened.status_code == 200
    assert balance(hotel, folio) == -1_000
    beside = "SELECT count(*) FROM {s}.ledger_entries WHERE debit_account = 'refunds_to_settle'"
    assert hotel.rows(beside) in ([[0]], [[1]])
