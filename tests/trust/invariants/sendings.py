"""A hotel that has sent documents, and what must be noticed of its sendings."""

from tests.hotel import Hotel, House
from tests.trust.invariants.plant import GUARDED, plant

MADE = "a_sending_is_what_its_document_told"
BOUND = "a_sending_binds_its_addresses"


def hotel_with_sendings(house: House) -> Hotel:
    """An invoice was sent to two, and again to one whose address is erased by now."""
    hotel = house.new_hotel()
    _, invoice = hotel.closed_folio()
    assert hotel.render(invoice).status_code == 204
    for recipients in (["a@example.com", "ö@example.com"], ["b@example.com"]):
        answer = hotel.post(f"/invoices/{invoice}/send", {"recipients": recipients})
        assert answer.status_code == 202, answer.text
    hotel.rows(
        "UPDATE {s}.sending_recipients SET salt = NULL, addresses = NULL, erased_at = now()"
        " WHERE addresses ? 'b@example.com'"
    )
    return hotel


SENDINGS = (
    plant(MADE, "UPDATE sendings SET language = 'fr'"),
    plant(MADE, "UPDATE sendings SET sent_by = 'karim'"),
    plant(MADE, "UPDATE sendings SET recipient_count = 3", also=(BOUND,)),
    plant(
        MADE,
        "DELETE FROM sending_recipients WHERE erased_at IS NOT NULL",
        "DELETE FROM sendings WHERE recipient_count = 1",
        also=("an_invoice_is_what_its_trail_digested",),
    ),
    plant(BOUND, "DELETE FROM sending_recipients"),
    plant(BOUND, "UPDATE sending_recipients SET addresses = '[\"c@x.com\"]' WHERE salt <> ''"),
    plant(
        GUARDED,
        "ALTER TABLE sending_recipients DROP CONSTRAINT recipients_of_a_sending_stand_once",
    ),
)
