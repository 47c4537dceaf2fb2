"""A hotel in which something odd was pointed out, and what must be noticed of its signals."""

from tests.hotel import Hotel, House
from tests.signals import a_signal
from tests.trust.invariants.plant import plant

LEFT = "an_aggregate_stands_where_its_trail_ended"
DIGESTED = "a_signal_is_what_its_trail_digested"


def hotel_with_signals(house: House) -> Hotel:
    """Signals about two persons, of which one was reviewed, and about a folio."""
    hotel = house.new_hotel()
    told = {"folioId": hotel.open_folio(), "pattern": "folio_anomaly", "scorePpm": 1}
    answer = hotel.deliver("on_signal_raised", {**told, "source": "orchestrator"})
    assert answer.status_code == 204
    a_signal(hotel, "zahra")
    signal = a_signal(hotel, "karim")
    body = {"verdict": "dismissed", "note": "The coin counter was broken"}
    answer = hotel.post(f"/ai-signals/{signal}/review", body, token=hotel.token(sub="farid"))
    assert answer.status_code == 200, answer.text
    return hotel


SIGNALS = (
    plant(LEFT, "UPDATE ai_signals SET version = version + 1 WHERE actor = 'karim'"),
    plant(DIGESTED, "UPDATE ai_signals SET actor = 'nadia' WHERE actor = 'zahra'"),
    plant(DIGESTED, "UPDATE ai_signals SET subject = 'pay_x' WHERE subject IS NOT NULL"),
    plant(DIGESTED, "UPDATE ai_signals SET verdict = 'confirmed' WHERE verdict IS NOT NULL"),
    plant(LEFT, "DELETE FROM ai_signals WHERE actor = 'zahra'"),
    plant(
        "what_may_happen_once_is_guarded",
        "ALTER TABLE ai_signals DROP CONSTRAINT signal_is_raised_once",
    ),
    plant(
        "what_may_happen_once_is_guarded",
        "DROP INDEX signal_about_a_thing_is_raised_once",
    ),
)
