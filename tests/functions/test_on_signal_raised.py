"""What the orchestrator points out is kept, shown with the refund, and stops nothing."""

from functools import partial
from typing import Any

import pytest

from tests.hotel import Hotel, House, new_id, usd
from tests.proofs import assert_books_are_right, trail
from tests.refunding import refund
from tests.together import at_once
from tests.trust.books import broken

CONSUMER = "on_signal_raised"


@pytest.fixture
def paid(hotel: Hotel) -> tuple[str, str]:
    """A folio, and a payment on it."""
    folio = hotel.open_folio()
    return folio, hotel.paid(folio, usd(10_000), allowCredit=True)


def told(folio: str, **more: Any) -> dict[str, Any]:
    """Something odd, as the orchestrator tells it."""
    seen = {"pattern": "refund_fraud", "scorePpm": 870_000, "source": "orchestrator"}
    return {"folioId": folio, **seen, "figures": {"refundsOfGuest": 4}, **more}


@pytest.mark.req("REF-2", "AI-1")
def test_a_refund_shows_what_was_pointed_out_and_is_made(
    hotel: Hotel, paid: tuple[str, str]
) -> None:
    """Of the folio and of its payment before the refund; of the refund itself after it."""
    folio, payment = paid
    assert hotel.deliver(CONSUMER, told(folio, pattern="folio_anomaly")).status_code == 204
    assert hotel.deliver(CONSUMER, told(folio, paymentId=payment)).status_code == 204

    answer = refund(hotel, folio, payment, usd(4_000))

    assert answer.status_code == 201, answer.text
    shown = answer.json["refund"]
    assert [(each["pattern"], each["scorePpm"]) for each in shown["signals"]] == [
        ("folio_anomaly", 870_000),
        ("refund_fraud", 870_000),
    ]
    itself = told(folio, refundId=shown["refundId"], paymentId=payment)
    assert hotel.deliver(CONSUMER, itself).status_code == 204
    (later,) = hotel.get(f"/folios/{folio}").json["refunds"]
    assert len(later["signals"]) == 3
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("REF-2")
def test_a_refund_of_which_nothing_was_said_shows_nothing(
    hotel: Hotel, paid: tuple[str, str]
) -> None:
    folio, payment = paid
    other = hotel.open_folio()
    hotel.deliver(CONSUMER, told(other))

    assert refund(hotel, folio, payment, usd(4_000)).json["refund"]["signals"] == []


@pytest.mark.req("AI-1", "REF-2")
def test_it_is_listed_reviewed_and_shown_with_its_verdict(
    hotel: Hotel, paid: tuple[str, str]
) -> None:
    folio, payment = paid
    hotel.deliver(CONSUMER, told(folio, paymentId=payment))
    (listed,) = hotel.get("/ai-signals", pattern="refund_fraud").json["items"]
    assert (listed["actor"], listed["subject"]) == (None, payment)
    assert (listed["source"], listed["figures"]) == ("orchestrator", {"refundsOfGuest": 4})
    body = {"verdict": "dismissed", "note": "A regular guest"}
    review = f"/ai-signals/{listed['signalId']}/review"

    assert hotel.post(review, body, token=hotel.token(sub="farid")).status_code == 200

    shown = refund(hotel, folio, payment, usd(4_000)).json["refund"]["signals"]
    assert [each["verdict"] for each in shown] == ["dismissed"]
    assert broken(hotel) == []


@pytest.mark.req("AI-1", "EVT-5")
def test_the_same_is_kept_once(hotel: Hotel, paid: tuple[str, str]) -> None:
    """Sent twice, told twice, and by two at once."""
    folio, payment = paid
    said = told(folio, paymentId=payment)

    for event in ("evt-1", "evt-1", "evt-2"):
        assert hotel.deliver(CONSUMER, said, event_id=event).status_code == 204
    at_once([partial(hotel.deliver, CONSUMER, told(folio), event_id=f"e-{n}") for n in range(4)])
    for n in range(4):  # who lost at once is told again
        assert hotel.deliver(CONSUMER, told(folio), event_id=f"e-{n}").status_code == 204

    subjects = hotel.rows("SELECT subject FROM {s}.ai_signals ORDER BY 1")
    assert subjects == [[folio], [payment]]
    assert len(trail(hotel, "ai_signal.raised")) == 2


@pytest.mark.req("AI-1")
@pytest.mark.parametrize(
    "wrong",
    [
        {"scorePpm": 1_000_001},
        {"scorePpm": -1},
        {"pattern": "sorcery"},
        {"figures": {"share": 0.5}},
        {"paymentId": "chg_01J0000000000000000000000Z"},
    ],
    ids=["score_too_high", "score_below_nothing", "pattern", "figures", "payment"],
)
def test_a_lying_orchestrator_changes_nothing(
    hotel: Hotel, paid: tuple[str, str], wrong: dict[str, Any]
) -> None:
    folio, payment = paid

    hotel.deliver(CONSUMER, told(folio, **wrong))

    assert hotel.rows("SELECT count(*) FROM {s}.ai_signals") == [[0]]
    assert refund(hotel, folio, payment, usd(4_000)).status_code == 201


@pytest.mark.req("AI-1", "SEC-3")
def test_of_a_folio_that_is_not_ours_nothing_is_kept(hotel: Hotel, house: House) -> None:
    foreign = house.new_hotel().open_folio()

    for folio in (foreign, new_id("fol")):
        hotel.deliver(CONSUMER, told(folio))

    assert hotel.rows("SELECT count(*) FROM {s}.ai_signals") == [[0]]
