"""Attempts to pay are counted and weighed before anybody is asked for them (FRD-1)."""

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest

from tests.hotel import Hotel, House, usd
from tests.paying import a_card, an_intent, charges, clerk, confirm, intents
from tests.proofs import assert_books_are_right, assert_refused, told, trail
from tests.together import at_once
from tests.weighing import Buyer, at_most, checks, rules

pytestmark = pytest.mark.req("FRD-1")

Clock = Callable[[str], None]


@pytest.fixture
def buyer(hotel: Hotel) -> Buyer:
    return Buyer.at(hotel, hotel.open_folio())


def test_what_is_usual_passes_and_is_counted(hotel: Hotel, buyer: Buyer) -> None:
    """Nobody set any rules: the usual ones hold."""
    answer = buyer.pays()

    assert (answer.json["status"], answer.json["reviewId"]) == ("succeeded", None)
    assert checks(hotel) == [["made", "pass", 0, []], ["confirmed", "pass", 0, []]]
    assert_books_are_right(hotel)


def test_the_bank_is_asked_from_the_score_of_a_challenge(hotel: Hotel, buyer: Buyer) -> None:
    """The second payment by the card has 30 + 15 points: 45, which is 40 or more."""
    rules(hotel, at_most("card", 1), at_most("buyer", 1, points=15))

    first, second = buyer.pays(), buyer.pays()

    assert [each.json["status"] for each in (first, second)] == ["succeeded", "requires_action"]
    assert checks(hotel)[-1] == ["confirmed", "challenge", 45, ["card_often", "buyer_often"]]
    assert len(charges(hotel)) == 1
    assert_books_are_right(hotel)


def test_a_person_is_asked_from_the_score_of_a_review(hotel: Hotel, buyer: Buyer) -> None:
    rules(hotel, at_most("card", 0, points=80))

    answer = buyer.pays()

    assert answer.json["status"] == "requires_payment_method"
    assert answer.json["paymentMethodId"] == buyer.card
    assert answer.json["reviewId"].startswith("rvw_")
    assert (charges(hotel), intents(hotel)) == ([], [["requires_payment_method", False, False]])
    assert "review.opened" in told(hotel)
    (held,) = trail(hotel, "payment_intent.held")
    assert held["aggregate_id"] == answer.json["paymentIntentId"]
    again = confirm(hotel, answer.json["paymentIntentId"], buyer.card)
    assert again.json == answer.json
    assert len(checks(hotel)) == 2
    assert_books_are_right(hotel)


def test_refuses_without_a_word_of_why_and_remembers_it(hotel: Hotel, buyer: Buyer) -> None:
    """Neither the rule nor its figures leave the house; the attempt counts for nothing."""
    rules(hotel, at_most("card", 1, course="refuse"))
    buyer.pays()
    intent = buyer.intends()

    refused = confirm(hotel, intent, buyer.card)

    assert_refused(refused, 403, "PAYMENT_REFUSED")
    assert "card_often" not in refused.text
    assert set(refused.json) <= {"type", "title", "status", "detail", "instance", "code", "traceId"}
    assert checks(hotel)[-1] == ["confirmed", "refuse", 30, ["card_often"]]
    assert intents(hotel)[-1] == ["requires_payment_method", False, False]
    (entry,) = trail(hotel, "security.attempt_refused")
    assert entry["reason"] == "MELMASTOON.BILLING.PAYMENT_REFUSED"
    other = a_card(hotel, buyer.customer)
    assert confirm(hotel, intent, other).json["status"] == "succeeded"
    assert len(charges(hotel)) == 2
    assert_books_are_right(hotel)


def test_what_was_refused_does_not_count_nor_what_is_an_hour_old(
    hotel: Hotel, buyer: Buyer, clock: Clock
) -> None:
    """One an hour: 10:00 passes, 10:30 and 10:59 do not, and 11:01 does."""
    rules(hotel, at_most("buyer", 1, course="refuse"))
    body = {"folioId": buyer.folio, "customerId": buyer.customer, "amount": usd(1_000)}

    def made(at: str) -> int:
        clock(f"2026-03-01T{at}:00+00:00")
        token = clerk(hotel)
        return hotel.post(
            "/payments/intent", {**body, "allowCredit": True}, token=token
        ).status_code

    tried = [made(at) for at in ("10:00", "10:30", "10:59", "11:01", "11:02")]

    assert tried == [201, 403, 403, 201, 403]


def test_refuses_as_it_is_made_what_is_made_too_often(hotel: Hotel, buyer: Buyer) -> None:
    rules(hotel, at_most("buyer", 1, course="refuse"))
    buyer.intends()
    body = {"folioId": buyer.folio, "customerId": buyer.customer, "amount": usd(1_000)}

    refused = hotel.post("/payments/intent", {**body, "allowCredit": True})

    assert_refused(refused, 403, "PAYMENT_REFUSED")
    assert len(intents(hotel)) == 1
    assert checks(hotel)[-1] == ["made", "refuse", 30, ["buyer_often"]]
    assert_books_are_right(hotel)


def test_an_address_is_known_again_and_not_written_down(hotel: Hotel, house: House) -> None:
    """IPv6 counts by its first 64 bits; the same address is another one at another hotel."""
    hotels = [hotel, house.new_hotel()]
    buyers = [Buyer.at(each, each.open_folio()) for each in hotels]
    waiting = [[buyer.intends() for _ in range(3)] for buyer in buyers]
    for each in hotels:
        rules(each, at_most("address", 1, course="refuse"))

    def pays(place: int, address: str) -> int:
        headers = {"X-Forwarded-For": f"{address}, 10.0.0.9"}
        intent = waiting[place].pop()
        return confirm(hotels[place], intent, buyers[place].card, headers=headers).status_code

    assert [pays(0, "2001:db8:1:2::1"), pays(1, "2001:db8:1:2::1")] == [200, 200]
    assert [pays(0, "2001:db8:1:2:ffff::2"), pays(0, "2001:db8:1:3::1")] == [403, 200]
    (origin,), (foreign,) = (
        each.rows(
            "SELECT origin FROM {s}.risk_checks WHERE stage = 'confirmed' ORDER BY id LIMIT 1"
        )
        for each in hotels
    )
    assert (len(origin[0]), origin != foreign) == (32, True)
    assert "2001" not in str(hotel.rows("SELECT * FROM {s}.risk_checks"))


def test_an_address_is_known_again_while_its_key_is_changed(
    hotel: Hotel, house: House, buyer: Buyer
) -> None:
    """Behind the old one, before it, without it: what was counted under the old one is counted as
    long as that is there, and what the new one hides is known where it only stands behind."""
    old, new, address = 64 * "a", 64 * "b", {"X-Forwarded-For": "203.0.113.9, 10.0.0.9"}
    changing = [house.beside(origin_keys=keys) for keys in ((old,), (old, new), (new, old), (new,))]
    before, behind, first, after = (replace(hotel, house=each) for each in changing)
    waiting = [buyer.intends() for _ in range(6)]
    rules(hotel, at_most("address", 1, course="refuse"))

    def pays(where: Hotel) -> int:
        return confirm(where, waiting.pop(), buyer.card, headers=address).status_code

    assert [pays(each) for each in (before, behind, first, after)] == [200, 403, 403, 200]
    hotel.rows("DELETE FROM {s}.risk_checks WHERE stage = 'confirmed' AND course = 'pass'")
    assert [pays(each) for each in (first, behind)] == [200, 403]
    for each in changing:
        each.close()


def test_a_sum_is_held_against_its_limit_in_one_currency(hotel: Hotel, buyer: Buyer) -> None:
    """At 1.10, 10.00 EUR are 11.00 USD: with 8.99 USD before them 19.99, with 9.01 20.01."""
    euros = {"amountMicro": 10_000_000, "currency": "EUR"}
    limit = at_most("buyer", sumMax=usd(2_000), course="review")
    rules(hotel, limit)
    buyer.pays(usd(899))
    other = Buyer.at(hotel, buyer.folio)
    other.pays(usd(901))

    assert buyer.pays(euros).json["reviewId"] is None
    assert other.pays(euros).json["reviewId"] is not None

    hotel.write_settings(fxRates=[], riskRules={"rules": [{**limit, "course": "refuse"}]})
    assert other.pays(usd(100)).json["reviewId"] is not None, "no rate, so a person is asked"
    (reasons,) = hotel.rows("SELECT reasons FROM {s}.reviews ORDER BY id")[0]
    assert (reasons[0]["found"], reasons[0]["limit"]) == (20_010_000, 20_000_000)


def test_rules_come_into_force_by_the_tenants_settings(hotel: Hotel, buyer: Buyer) -> None:
    told = hotel.settings(riskRules={"rules": [at_most("tenant", 0, course="review")]})
    del told["taxRules"]

    assert hotel.deliver("on_tenant_settings_updated", told).status_code == 204

    assert buyer.pays().json["reviewId"] is not None


@pytest.mark.req("AI-1")
def test_the_ai_raises_a_score_and_refuses_nobody(hotel: Hotel, buyer: Buyer) -> None:
    """60 points are a challenge, 100 a review; what a person has dismissed is no reason."""

    def advised(score_ppm: int, about: str = "") -> str:
        """A payment about which the AI says so, or about its folio."""
        folio = hotel.open_folio()
        intent = an_intent(hotel, folio, usd(1_000), buyer.customer)
        odd = {"folioId": folio, "pattern": "payment_risk", "source": "orchestrator"}
        named = {about: intent} if about else {}
        hotel.deliver("on_signal_raised", {**odd, **named, "scorePpm": score_ppm})
        return intent

    challenged = advised(600_000, "paymentIntentId")
    held, dismissed = advised(1_000_000), advised(999_999)
    signal = hotel.get("/ai-signals").json["items"][-1]["signalId"]
    verdict = {"verdict": "dismissed", "note": "A regular guest"}
    hotel.post(f"/ai-signals/{signal}/review", verdict)

    assert confirm(hotel, challenged, buyer.card).json["status"] == "requires_action"
    assert confirm(hotel, held, buyer.card).json["reviewId"] is not None
    assert confirm(hotel, dismissed, buyer.card).json["status"] == "succeeded"
    (reasons,) = hotel.rows("SELECT reasons FROM {s}.reviews")[0]
    assert [(each["name"], each["points"]) for each in reasons] == [("advised_by_ai", 100)]


def test_two_at_once_by_one_card_do_not_both_slip_under_a_limit(hotel: Hotel, buyer: Buyer) -> None:
    """Two are usual; of five at once, each on a folio of its own, two are taken."""
    rules(hotel, at_most("card", 2, course="refuse", exact=True))
    waiting = [an_intent(hotel, hotel.open_folio(), usd(1_000), buyer.customer) for _ in range(5)]

    answers = at_once([lambda pin=pin: confirm(hotel, pin, buyer.card) for pin in waiting])

    assert sorted(each.status_code for each in answers) == [200, 200, 403, 403, 403]
    assert len(charges(hotel)) == 2
    assert_books_are_right(hotel)


@pytest.mark.req("API-4", "GW-5")
def test_what_is_confirmed_again_is_no_further_attempt(hotel: Hotel, buyer: Buyer) -> None:
    rules(hotel, at_most("card", 1, course="refuse"))
    intent, key, by = buyer.intends(), str(uuid4()), clerk(hotel)

    first = confirm(hotel, intent, buyer.card, key=key, token=by)
    again = confirm(hotel, intent, buyer.card, key=key, token=by)

    assert (first.status_code, again.data) == (200, first.data)
    assert confirm(hotel, intent, buyer.card).json == first.json
    assert [each[0] for each in checks(hotel)] == ["made", "confirmed"]
