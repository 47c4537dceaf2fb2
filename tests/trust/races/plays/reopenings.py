"""A closed folio is opened again, and closed again, while others bill, credit or correct it."""

from functools import partial

from werkzeug.test import TestResponse

from tests.crediting import request_of
from tests.hotel import Hotel, usd
from tests.reopening import reopening, reopens
from tests.trust.races.plays.playbill import balance, closes, post, posts, race, settled, statuses
from tests.trust.races.stage import Stage


def _billed(hotel: Hotel) -> tuple[str, str, str]:
    """A folio of 11.00 that was paid and billed, its charge and its invoice."""
    folio = hotel.open_folio()
    charge = hotel.charged(folio, cents=1_000)
    hotel.paid(folio, usd(1_100))
    closed = hotel.post(f"/folios/{folio}/close")
    return folio, charge, closed.json["invoiceId"]


@race
def two_managers_reopen_a_folio(stage: Stage) -> None:
    """One of them does."""
    hotel = stage.hotel
    folio, _, _ = _billed(hotel)
    for by in ("nadia", "yusuf"):
        stage.plays(by, reopening(hotel, folio, by))

    answers = stage.play()

    assert statuses(answers) == {200: 1, 409: 1}
    assert hotel.rows("SELECT number FROM {s}.reopenings") == [[1]]


@race
def a_folio_is_reopened_and_voided_while_its_invoice_is_credited(stage: Stage) -> None:
    """The guest gets the money back once: by the credit note, or through the folio."""
    hotel = stage.hotel
    folio, charge, invoice = _billed(hotel)
    body = request_of(hotel, invoice, (charge, usd(1_100)))
    mariam, opens = hotel.token(sub="mariam"), reopening(hotel, folio, "nadia")
    path, reason = f"/folios/{folio}/charges/{charge}/void", {"reason": "Wrong guest"}

    def opens_and_voids(at: Hotel) -> TestResponse:
        assert opens(at).status_code == 200
        return at.post(path, reason, key="void")

    stage.plays("nadia", opens_and_voids)
    stage.plays("mariam", lambda at: at.post("/credit-notes", body, token=mariam, key="credit"))

    voided, credited = stage.play()

    assert (voided.status_code, credited.status_code) in ((201, 409), (409, 201))


@race
def a_folio_is_reopened_while_a_late_charge_comes(stage: Stage) -> None:
    """Too early it is refused; after that it stands, and is billed with the next document."""
    hotel = stage.hotel
    folio, _, _ = _billed(hotel)
    stage.plays("nadia", reopening(hotel, folio, "nadia"))
    stage.plays("bar", posts(folio, "late"))

    opened, charged = stage.play()

    assert opened.status_code == 200
    assert charged.status_code in (201, 409)
    assert balance(hotel, folio) == (1_100 if charged.status_code == 201 else 0)


@race
def a_folio_is_closed_again_by_two(stage: Stage) -> None:
    """What came since is billed once."""
    hotel = stage.hotel
    folio = settled(hotel)
    assert hotel.post(f"/folios/{folio}/close").status_code == 200
    assert reopens(hotel, folio).status_code == 200
    hotel.charged(folio, "minibar", 700)
    hotel.paid(folio, usd(770))
    for name in ("amina", "farid"):
        stage.plays(name, closes(folio, name))

    answers = stage.play()

    assert statuses(answers) == {200: 1, 409: 1}
    assert hotel.rows("SELECT count(*) FROM {s}.invoices") == [[2]]


@race
def a_billed_charge_is_voided_while_its_folio_closes_again(stage: Stage) -> None:
    """It balances until the charge is taken back: whoever is first, the other is refused."""
    hotel = stage.hotel
    folio, charge, _ = _billed(hotel)
    assert reopens(hotel, folio).status_code == 200
    hotel.charged(folio, "minibar", 700)
    hotel.paid(folio, usd(770))
    path = f"/folios/{folio}/charges/{charge}/void"
    stage.plays("mariam", partial(post, path, {"reason": "Wrong guest"}, "void"))
    stage.plays("amina", closes(folio, "close"))

    voided, closed = stage.play()

    assert (voided.status_code, closed.status_code) in ((201, 409), (409, 200))
    assert balance(hotel, folio) == (-1_100 if voided.status_code == 201 else 0)
