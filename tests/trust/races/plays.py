"""The races: what two or three people at a hotel can do to the same thing at once.

Each is a short play (stage.py): what is given, who does what, and what must be so afterwards in
whatever order it went. A new aggregate brings its race, and it is added here, under @race.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from werkzeug.test import TestResponse

from tests.crediting import credits, voids
from tests.hotel import Hotel, charge, usd
from tests.till import CLOSE, OPERATE, Till, counted, new_drawer, open_drawer, over_short
from tests.trust.races.stage import Stage

Race = Callable[[Stage], None]
RACES: dict[str, Race] = {}
RESERVATION = {
    "reservationId": "R-1",
    "guest": {"name": "Layla"},
    "arrival": "2026-03-01",
    "departure": "2026-03-04",
}


def race(play: Race) -> Race:
    """Count a play among the races."""
    RACES[play.__name__] = play
    return play


def statuses(answers: list[TestResponse]) -> Counter[int]:
    """How often each status was answered."""
    return Counter(answer.status_code for answer in answers)


def balance(hotel: Hotel, folio: str) -> int:
    """What a folio owes, in cents."""
    return int(hotel.get(f"/folios/{folio}").json["balance"]["amountMicro"]) // 10_000


def posts(folio: str, key: str, cents: int = 1_000, **more: Any) -> Callable[[Hotel], TestResponse]:
    body = charge("minibar", cents, **more)
    return lambda at: at.post(f"/folios/{folio}/charges", body, key=key)


def pays(
    folio: str, key: str, cents: int, method: str = "bank_transfer", **more: Any
) -> Callable[[Hotel], TestResponse]:
    body = {"method": method, "amount": usd(cents), **more}
    return lambda at: at.post(f"/folios/{folio}/payments", body, key=key, token=at.token(sub=key))


def closes(folio: str, key: str) -> Callable[[Hotel], TestResponse]:
    return lambda at: at.post(f"/folios/{folio}/close", {}, key=key)


def hears_of(consumer: str, data: dict[str, Any], event: str) -> Callable[[Hotel], TestResponse]:
    return lambda at: at.deliver(consumer, data, event_id=event)


def lowering(bill: str, cents: int) -> dict[str, Any]:
    """An adjustment of a charge."""
    return {"chargeId": bill, "amount": usd(cents), "description": "Less", "reason": "warm"}


def settled(hotel: Hotel) -> str:
    """A folio of 11.00 that has been paid."""
    folio = hotel.open_folio()
    hotel.charged(folio, cents=1_000)
    hotel.paid(folio, usd(1_100))
    return folio


@race
def three_tills_post_to_one_folio(stage: Stage) -> None:
    """10.00, 20.00 and 40.00, and 10 % on each: 77.00, whoever is first."""
    folio = stage.hotel.open_folio()
    for till, cents in enumerate((1_000, 2_000, 4_000)):
        stage.plays(f"till {till}", posts(folio, f"bill-{till}", cents))

    answers = stage.play()

    assert statuses(answers) == {201: 3}
    assert balance(stage.hotel, folio) == 7_700


@race
def one_bill_is_sent_three_times(stage: Stage) -> None:
    """With one key, over three instances: one effect, and one answer."""
    folio = stage.hotel.open_folio()
    for time in ("first", "second", "third"):
        stage.plays(f"{time} time", posts(folio, "the-bill"))

    answers = stage.play()

    assert statuses(answers) == {201: 3}
    assert len({answer.data for answer in answers}) == 1
    assert balance(stage.hotel, folio) == 1_100


@race
def one_bill_of_the_bar_comes_over_two_folios(stage: Stage) -> None:
    """An external reference is posted once, whatever folio it is for."""
    first, second = stage.hotel.open_folio(), stage.hotel.open_folio()
    bill = {"source": "pos", "externalReference": "POS-1"}
    stage.plays("till 1", posts(first, "one", **bill))
    stage.plays("till 2", posts(second, "two", **bill))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 409: 1}
    assert balance(stage.hotel, first) + balance(stage.hotel, second) == 1_100


@race
def two_guests_pay_one_bill(stage: Stage) -> None:
    """66.00 and 66.00 on 110.00: the second one is more than what is owed."""
    folio = stage.hotel.open_folio()
    stage.hotel.charged(folio)
    for guest in ("father", "mother"):
        stage.plays(guest, pays(folio, guest, 6_600))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 422: 1}
    assert balance(stage.hotel, folio) == 4_400


@race
def one_card_payment_is_told_three_times(stage: Stage) -> None:
    """By the desk, and twice by the processor: on the folio once."""
    folio = stage.hotel.open_folio()
    stage.hotel.charged(folio)
    told = {"paymentId": "pp-1", "folioId": folio, "amount": usd(4_000)}
    stage.plays("desk", pays(folio, "desk", 4_000, "card", paymentId="pp-1"))
    stage.plays("processor", hears_of("on_payment_captured", told, "evt_1"))
    stage.plays("processor again", hears_of("on_payment_captured", told, "evt_1"))

    desk, *processor = stage.play()

    assert desk.status_code in (201, 409)
    assert statuses(processor) == {204: 2}
    assert balance(stage.hotel, folio) == 7_000


@race
def two_porters_close_one_folio(stage: Stage) -> None:
    """One invoice; who comes second hears that it is closed."""
    folio = settled(stage.hotel)
    for porter in ("porter 1", "porter 2"):
        stage.plays(porter, closes(folio, porter))

    answers = stage.play()

    assert statuses(answers) == {200: 1, 409: 1}
    assert len(numbers(stage.hotel)) == 1


@race
def a_late_bill_meets_the_close(stage: Stage) -> None:
    """Either it is on the folio, which then does not close, or it is refused."""
    folio = settled(stage.hotel)
    stage.plays("bar", posts(folio, "late"))
    stage.plays("reception", closes(folio, "close"))
    stage.plays("guest", pays(folio, "guest", 1_100))

    bar, reception, guest = stage.play()

    late = bar.status_code == 201
    assert balance(stage.hotel, folio) == (1_100 if late and guest.status_code != 201 else 0)
    assert (reception.status_code == 200) == bool(numbers(stage.hotel))
    assert (
        late
        or (reception.status_code, guest.status_code) == (200, 409)
        or (reception.status_code == 200 and guest.status_code == 422)
    )


@race
def a_folio_is_closed_twice_while_its_guest_pays(stage: Stage) -> None:
    """Who comes too early hears what is due; nothing is told of a folio that has closed since."""
    folio = stage.hotel.open_folio()
    stage.hotel.charged(folio, cents=1_000)
    stage.plays("guest", pays(folio, "guest", 1_100))
    for porter in ("porter 1", "porter 2"):
        stage.plays(porter, closes(folio, porter))

    guest, *porters = stage.play()

    assert guest.status_code == 201
    assert statuses(porters)[200] <= 1
    assert statuses(porters)[200] + statuses(porters)[409] == 2
    assert len(numbers(stage.hotel)) == statuses(porters)[200]


@race
def three_folios_are_closed_at_once(stage: Stage) -> None:
    """Their invoices are numbered 1, 2 and 3."""
    for porter in range(3):
        stage.plays(f"porter {porter}", closes(settled(stage.hotel), f"close-{porter}"))

    answers = stage.play()

    assert statuses(answers) == {200: 3}
    assert numbers(stage.hotel) == [1, 2, 3]


@race
def a_charge_is_voided_twice_and_lowered(stage: Stage) -> None:
    """One void; the adjustment is voided with it, or comes too late."""
    folio = stage.hotel.open_folio()
    bill = stage.hotel.charged(folio, "minibar", 1_000)
    void = f"/folios/{folio}/charges/{bill}/void"
    for clerk in ("clerk 1", "clerk 2"):
        stage.plays(clerk, partial(_post, void, {"reason": "never drunk"}, clerk))
    lower = lowering(bill, -400)
    stage.plays("manager", partial(_post, f"/folios/{folio}/adjustments", lower, "lower"))

    *voids, lowered = stage.play()

    assert statuses(voids) == {201: 1, 409: 1}
    assert lowered.status_code in (201, 409)
    assert balance(stage.hotel, folio) == 0


@race
def two_clerks_lower_one_charge(stage: Stage) -> None:
    """6.00 and 6.00 off 10.00: never below nothing."""
    folio = stage.hotel.open_folio()
    bill = stage.hotel.charged(folio, "minibar", 1_000)
    lower = lowering(bill, -600)
    for clerk in ("clerk 1", "clerk 2"):
        stage.plays(clerk, partial(_post, f"/folios/{folio}/adjustments", lower, clerk))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 422: 1}
    assert balance(stage.hotel, folio) == 440


@race
def a_reservation_opens_its_folio_from_three_sides(stage: Stage) -> None:
    """Its confirmation, its check-in and the desk: one folio."""
    where = {"propertyId": str(stage.hotel.property_id)}
    booked = {**RESERVATION, **where}
    asked = {**where, "reservationId": "R-1", "guest": RESERVATION["guest"]}
    stage.plays("confirmation", hears_of("on_reservation_confirmed", booked, "evt_1"))
    stage.plays("check-in", hears_of("on_reservation_checked_in", booked, "evt_2"))
    stage.plays("desk", partial(_post, "/folios", asked, "desk"))

    answers = stage.play()

    assert [answer.status_code for answer in answers] == [204, 204, 201]
    assert len(stage.hotel.get("/folios").json["items"]) == 1


@race
def an_invoice_is_drawn_by_its_event_and_by_hand(stage: Stage) -> None:
    """Each copy has its number, and the issued one is number 0."""
    _, invoice = stage.hotel.closed_folio()
    (told,) = stage.hotel.events("invoice.generated")
    stage.plays("event", lambda at: at.push("on_invoice_generated", told))
    stage.plays("event again", lambda at: at.push("on_invoice_generated", told))
    stage.plays("clerk", partial(_post, f"/invoices/{invoice}/regenerate", {}, "again"))

    *events, _ = stage.play()

    assert statuses(events) == {204: 2}
    copies = stage.hotel.rows("SELECT copy FROM {s}.invoice_renditions ORDER BY copy")
    assert [copy for (copy,) in copies] == list(range(len(copies)))
    assert copies


@race
def two_lines_are_credited_while_the_invoice_is_voided(stage: Stage) -> None:
    """220.00, of which 10.00 are gone: whoever is first, it is credited once and in full."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    first, second = hotel.charged(folio), hotel.charged(folio)
    hotel.paid(folio, usd(22_000))
    invoice = hotel.post(f"/folios/{folio}/close").json["invoiceId"]
    credits(hotel, invoice, (first, usd(1_000)))
    some, more = (first, usd(7_000)), (second, usd(7_000))
    stage.plays("accountant", lambda at: credits(hotel, invoice, some, key="one", at=at))
    stage.plays("another", lambda at: credits(hotel, invoice, more, key="two", at=at))
    stage.plays("manager", lambda at: voids(hotel, invoice, key="all", at=at))

    *_, voided = stage.play()

    assert voided.status_code == 201
    credited = hotel.rows("SELECT credited_micro, status FROM {s}.invoice_credits")
    assert credited == [[220_000_000, "voided"]]
    notes = hotel.rows("SELECT total_micro FROM {s}.invoices WHERE document_type = 'credit_note'")
    assert sum(total for (total,) in notes) == 220_000_000


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


def numbers(hotel: Hotel) -> list[int]:
    """The numbers of the hotel's invoices, without what stands before them."""
    items = hotel.rows("SELECT number FROM {s}.invoices")
    return sorted(int(number.rsplit("-", 1)[1]) for (number,) in items)


def _post(path: str, body: dict[str, Any], key: str, at: Hotel) -> TestResponse:
    return at.post(path, body, key=key)
