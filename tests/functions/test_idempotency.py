"""Sending a command again: the same answer and one effect (API-4, API-9)."""

from functools import partial
from uuid import uuid4

import pytest

from tests.hotel import Hotel, House, charge, new_id, usd
from tests.proofs import GENERAL, assert_books_are_right, assert_refused, state
from tests.together import at_once, meanwhile

REPLAYED = "Idempotency-Replayed"


def _charges(hotel: Hotel) -> int:
    return int(hotel.rows("SELECT count(*) FROM {s}.folio_lines WHERE type = 'charge'")[0][0])


@pytest.mark.req("API-4")
@pytest.mark.parametrize(
    "path",
    [
        "charges",
        "charges/batch",
        "charges/{charge}/void",
        "adjustments",
        "transfers",
        "payments",
        "close",
    ],
)
def test_asks_for_a_key_wherever_money_moves(hotel: Hotel, path: str) -> None:
    """Before anything else of the request is looked at."""
    folio = hotel.open_folio()
    full = f"/folios/{folio}/{path}".format(charge=new_id("chg"))
    before = state(hotel)

    answer = hotel.post(full, {}, key=None)

    assert_refused(answer, 400, GENERAL + "IDEMPOTENCY_KEY_REQUIRED")
    assert state(hotel) == before


@pytest.mark.req("API-4")
@pytest.mark.parametrize("key", ["k" * 256, "schlüssel", "tab\tkey", "a\x7f"])
def test_takes_1_to_255_printable_characters_as_a_key(hotel: Hotel, key: str) -> None:
    path = f"/folios/{hotel.open_folio()}/charges"

    answer = hotel.post(path, charge(), key=key)
    longest = hotel.post(path, charge(), key="~" * 255)

    assert_refused(answer, 400, GENERAL + "IDEMPOTENCY_KEY_INVALID")
    assert longest.status_code == 201


@pytest.mark.req("API-4")
def test_knows_the_same_request_in_another_spelling(hotel: Hotel) -> None:
    """Spaces, order of members and an escaped letter are not another request."""
    path = f"/folios/{hotel.open_folio()}/charges"
    one = b'{"kind": "spa", "description": "Night", "unitAmount": %s}'
    amount = b'{"amountMicro":1000000,"currency":"USD"}'
    turned = b'{ "unitAmount":%s,"description":"N\\u0069ght","kind":"spa" }'

    first = hotel.post(path, one % amount, key="k")
    again = hotel.post(path, turned % amount, key="k")

    assert first.status_code == 201, first.text
    assert (again.data, again.headers[REPLAYED]) == (first.data, "true")
    assert _charges(hotel) == 1


@pytest.mark.req("API-4")
def test_answers_as_before_though_the_folio_has_moved_on(hotel: Hotel) -> None:
    folio = hotel.open_folio()
    path = f"/folios/{folio}/charges"
    first = hotel.post(path, charge(), key="k")
    hotel.charged(folio)

    again = hotel.post(path, charge(), key="k")

    assert again.data == first.data
    assert again.headers["ETag"] == first.headers["ETag"] == '"2"'
    assert hotel.get(f"/folios/{folio}").headers["ETag"] == '"3"'


@pytest.mark.req("API-4")
def test_remembers_for_thirty_days(hotel: Hotel, clock) -> None:
    clock("2026-03-01T10:00:00Z")
    path = f"/folios/{hotel.open_folio()}/charges"
    first = hotel.post(path, charge(), key="k")

    clock("2026-03-31T09:59:00Z")
    again = hotel.post(path, charge(), key="k")

    assert (again.data, again.headers[REPLAYED]) == (first.data, "true")


@pytest.mark.req("API-4")
def test_does_not_know_another_persons_key(hotel: Hotel) -> None:
    path = f"/folios/{hotel.open_folio()}/charges"

    answers = [
        hotel.post(path, charge(), key="k", token=hotel.token(sub=sub)) for sub in ("a", "b")
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert all(REPLAYED not in answer.headers for answer in answers)
    assert _charges(hotel) == 2


@pytest.mark.req("API-4")
def test_does_not_know_another_functions_key(hotel: Hotel) -> None:
    folio = hotel.open_folio()

    charged = hotel.post(f"/folios/{folio}/charges", charge(cents=1_000), key="k")
    paid = hotel.post(
        f"/folios/{folio}/payments", {"method": "voucher", "amount": usd(1_100)}, key="k"
    )
    closed = hotel.post(f"/folios/{folio}/close", key="k")

    assert [a.status_code for a in (charged, paid, closed)] == [201, 201, 200]


@pytest.mark.req("API-4", "TEN-1")
def test_does_not_know_another_hotels_key(house: House, hotel: Hotel) -> None:
    other = house.new_hotel()

    for each in (hotel, other):
        answer = each.post(f"/folios/{each.open_folio()}/charges", charge(), key="k")
        assert answer.status_code == 201
        assert REPLAYED not in answer.headers


@pytest.mark.req("API-4", "TEN-1")
def test_is_not_held_up_by_another_hotels_command_under_the_same_key(
    house: House, hotel: Hotel
) -> None:
    """Two hotels' tills bear one name and count their bills: the lock on a key knows the hotel."""
    other = house.new_hotel()
    folio = hotel.open_folio()
    post = partial(hotel.post, f"/folios/{folio}/charges", charge(), key="1")
    with house.session() as session:
        session.run("BEGIN")
        session.run(f"SELECT FROM {hotel.schema}.folios WHERE id = :id FOR UPDATE", id=folio)
        with meanwhile(post) as first:
            house.until_waiting(session)
            answer = other.post(f"/folios/{other.open_folio()}/charges", charge(), key="1")
            session.run("ROLLBACK")

    assert (answer.status_code, first().status_code) == (201, 201)


@pytest.mark.req("API-4")
def test_stores_nothing_of_what_is_refused(hotel: Hotel) -> None:
    """Refused by shape, by scope, by the rules: the key is free for what is right at last."""
    path = f"/folios/{hotel.open_folio()}/charges"
    before = state(hotel)

    answers = [
        hotel.post(path, {"kind": "nonsense"}, key="k"),
        hotel.post(path, charge(), key="k", token=hotel.token("billing.folio.read")),
        hotel.post(path, charge(cents=0), key="k"),
        hotel.post(path, charge(), key="k", token="not.a.token"),
    ]
    unchanged = state(hotel) == before
    good = hotel.post(path, charge(), key="k")

    assert [answer.status_code for answer in answers] == [400, 403, 422, 401]
    assert unchanged
    assert (good.status_code, REPLAYED in good.headers) == (201, False)


@pytest.mark.req("API-4")
def test_says_that_the_same_command_is_still_running(hotel: Hotel) -> None:
    """The first waits for the folio's row; the second does not wait for the first."""
    folio = hotel.open_folio()
    post = partial(hotel.post, f"/folios/{folio}/charges", charge(), key="k")
    with hotel.house.session() as session:
        session.run("BEGIN")
        session.run(f"SELECT FROM {hotel.schema}.folios WHERE id = :id FOR UPDATE", id=folio)
        with meanwhile(post) as first:
            hotel.house.until_waiting(session)
            second = post()
            session.run("ROLLBACK")
    third = post()

    assert_refused(second, 409, GENERAL + "IDEMPOTENCY_IN_PROGRESS")
    assert int(second.headers["Retry-After"]) > 0
    assert first().status_code == 201
    assert (third.data, third.headers[REPLAYED]) == (first().data, "true")
    assert _charges(hotel) == 1


@pytest.mark.req("API-4", "FOL-4")
def test_has_one_effect_when_a_command_comes_ten_times_at_once(hotel: Hotel) -> None:
    folio = hotel.open_folio()
    post = partial(hotel.post, f"/folios/{folio}/charges", charge(), key="k")

    answers = at_once([post] * 10)

    done = [answer for answer in answers if answer.status_code == 201]
    assert done
    assert len({answer.data for answer in done}) == 1
    assert sum(REPLAYED not in answer.headers for answer in done) == 1
    for answer in answers:
        if answer not in done:
            assert_refused(answer, 409, GENERAL + "IDEMPOTENCY_IN_PROGRESS")
    assert _charges(hotel) == 1
    assert_books_are_right(hotel)


@pytest.mark.req("API-9")
def test_answers_the_first_to_the_same_id_and_content_under_another_key(hotel: Hotel) -> None:
    """A desktop that was offline sends again, and even somebody else at it."""
    body = charge(id=new_id("chg"))
    path = f"/folios/{hotel.open_folio()}/charges"

    first = hotel.post(path, body)
    before = state(hotel)
    again = hotel.post(path, body, token=hotel.token(sub="colleague"))

    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers[REPLAYED] == "true"
    assert state(hotel) == before


@pytest.mark.req("API-9", "SEC-3")
def test_answers_nobody_again_who_does_not_work_there(hotel: Hotel) -> None:
    """An id that somebody else has given, and the very content: the folio is not there for them."""
    elsewhere = hotel.token(sub="colleague", property_ids=[uuid4()])
    guest = {"propertyId": str(hotel.property_id), "guest": {"name": "A"}, "id": new_id("fol")}
    posted = charge(id=new_id("chg"))
    path = f"/folios/{guest['id']}/charges"
    assert hotel.post("/folios", guest).status_code == 201
    assert hotel.post(path, posted).status_code == 201
    before = state(hotel)

    opened = hotel.post("/folios", guest, token=elsewhere)
    charged = [
        hotel.post(path, body, token=elsewhere) for body in (posted, charge(id=new_id("chg")))
    ]

    assert_refused(opened, 404, "PROPERTY_UNKNOWN")
    for answer in charged:
        assert_refused(answer, 404, "FOLIO_UNKNOWN")
    assert state(hotel) == before


@pytest.mark.req("API-4", "SEC-3")
def test_answers_nobody_again_who_works_there_no_more(hotel: Hotel) -> None:
    """Who has moved to another house of the hotel's is not told again what was told here; the key
    stays taken, and is good again for who comes back."""
    there = hotel.settings()["properties"][0] | {"id": str(uuid4()), "code": "HRT"}
    hotel.write_settings(properties=[*hotel.settings()["properties"], there])
    moved = hotel.token(property_ids=[there["id"]])
    path = f"/folios/{hotel.open_folio()}/charges"
    first = hotel.post(path, charge(), key="k")
    guest = {"propertyId": there["id"], "guest": {"name": "B"}}
    new_place = hotel.post("/folios", guest, token=moved).json["folioId"]
    before = state(hotel)

    again = hotel.post(path, charge(), key="k", token=moved)
    used_again = hotel.post(f"/folios/{new_place}/charges", charge(), key="k", token=moved)
    back = hotel.post(path, charge(), key="k")

    assert_refused(again, 404, "FOLIO_UNKNOWN")
    assert_refused(used_again, 422, GENERAL + "IDEMPOTENCY_KEY_REUSED")
    assert (back.data, back.headers[REPLAYED]) == (first.data, "true")
    assert state(hotel) == before


@pytest.mark.req("API-9")
@pytest.mark.parametrize("path", ["/folios", "/folios/{folio}/charges", "/folios/{folio}/payments"])
def test_refuses_other_content_under_the_same_id(hotel: Hotel, path: str) -> None:
    folio = hotel.open_folio()
    hotel.charged(folio)
    guest = {"propertyId": str(hotel.property_id), "guest": {"name": "A"}}
    first, other = {
        "/folios": ({**guest, "id": new_id("fol")}, {"guest": {"name": "B"}}),
        "/folios/{folio}/charges": (charge(id=new_id("chg")), {"quantity": "2"}),
        "/folios/{folio}/payments": (
            {"id": new_id("pay"), "method": "voucher", "amount": usd(100)},
            {"method": "city_ledger"},
        ),
    }[path]
    full = path.format(folio=folio)
    assert hotel.post(full, first).status_code == 201
    before = state(hotel)

    answer = hotel.post(full, {**first, **other})

    assert_refused(answer, 409, GENERAL + "ID_CONFLICT")
    assert state(hotel) == before


@pytest.mark.req("API-9")
def test_refuses_an_id_that_is_taken_when_its_answer_is_long_forgotten(hotel: Hotel) -> None:
    """After 30 days only the row itself knows the id."""
    body = charge(id=new_id("chg"))
    folio = hotel.open_folio()
    hotel.post(f"/folios/{folio}/charges", body)
    hotel.rows("DELETE FROM {s}.idempotency_keys")
    before = state(hotel)

    answer = hotel.post(f"/folios/{folio}/charges", body)

    assert_refused(answer, 409, GENERAL + "ID_CONFLICT")
    assert state(hotel) == before


@pytest.mark.req("API-9")
@pytest.mark.parametrize("wrong", ["chg_1", "fol_01K9ZQ0M8Y0000000000000000", "8" * 30, ""])
def test_takes_only_ids_of_the_right_kind(hotel: Hotel, wrong: str) -> None:
    answer = hotel.post(f"/folios/{hotel.open_folio()}/charges", charge(id=wrong))

    assert_refused(answer, 400, GENERAL + "VALIDATION_FAILED")
    assert answer.json["errors"][0]["pointer"] == "/id"


@pytest.mark.req("API-9")
def test_creates_once_when_the_same_id_comes_from_two_desktops_at_once(hotel: Hotel) -> None:
    path = f"/folios/{hotel.open_folio()}/charges"
    body = charge(id=new_id("chg"))

    answers = at_once([partial(hotel.post, path, body)] * 4)

    done = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.data for answer in done}) == 1
    for answer in answers:
        if answer not in done:
            assert_refused(answer, 409, GENERAL + "IDEMPOTENCY_IN_PROGRESS")
    assert _charges(hotel) == 1
