"""One debt over all rails in whatever order and however late: it is collected once (BEY-4).

Two cards whose guests confirm late, a drawer, a terminal, a clerk who cancels and a lease that
runs out take turns by chance. What is left then the guest pays by transfer; what the house keeps is
the debt, to the cent, and the folio closes.
"""

import random
from collections.abc import Callable, Iterator

import pytest

from jobs.retry_refunds import retry_refunds
from jobs.settle_payments import settle_payments
from tests.hotel import Hotel, new_id, usd
from tests.paying import a_card, a_customer, acted, cancel, clerk, confirm, run_job
from tests.proofs import assert_books_are_right
from tests.till import Till

SEEDS = range(8)
DEBT = 11_000
OVER = (
    "UPDATE {s}.collection_leases SET taken_at = taken_at - interval '1 hour',"
    " expires_at = expires_at - interval '1 hour'"
)
KEPT = (
    "SELECT sum(amount_micro - refunded_micro)::bigint / 10000 FROM {s}.payments"
    " WHERE folio_id = :folio"
)
Step = Callable[[], None]


class Debt:
    """110.00 that a folio owes, and who tries to collect them."""

    def __init__(self, hotel: Hotel, till: Till, card: tuple[str, str]) -> None:
        self.hotel, self.till, self.card = hotel, till, card
        self.folio = hotel.open_folio()
        hotel.charged(self.folio)
        self.intents: list[str] = []

    def guest(self) -> Iterator[Step]:
        """A payment is made, confirmed at the desk, and to the bank some time later."""
        mine: list[str] = []
        customer, method = self.card

        def make() -> None:
            body = {"folioId": self.folio, "customerId": customer, "amount": usd(DEBT)}
            made = self.hotel.post("/payments/intent", body, token=clerk(self.hotel))
            assert made.status_code in (201, 422), made.text
            if made.status_code == 201:
                mine.append(made.json["paymentIntentId"])
                self.intents.append(mine[0])

        def ask() -> None:
            for intent in mine:
                asked = confirm(self.hotel, intent, method)
                assert asked.status_code in (200, 409, 422), asked.text
                if asked.json.get("paymentIntentId") != intent or asked.status_code != 200:
                    mine.clear()

        def act() -> None:
            for intent in mine:
                acted(self.hotel, intent)

        def hear() -> None:
            for intent in mine:
                assert confirm(self.hotel, intent).status_code in (200, 409)

        yield from (make, ask, act, hear)

    def desk(self) -> Iterator[Step]:
        """Cash is offered, twice."""

        def offer() -> None:
            body = {"method": "cash", "amount": usd(DEBT), "cashSessionId": self.till.session}
            path = f"/folios/{self.folio}/payments"
            taken = self.hotel.post(path, body, token=clerk(self.hotel))
            assert taken.status_code in (201, 409, 422), taken.text

        yield from (offer, offer)

    def terminal(self) -> Iterator[Step]:
        """A card was held to it: that is a fact."""

        def tell() -> None:
            data = {"paymentId": new_id("pay"), "folioId": self.folio, "amount": usd(DEBT)}
            assert self.hotel.deliver("on_payment_captured", data).status_code == 204

        yield tell

    def meddling(self) -> Iterator[Step]:
        """A clerk cancels, and a quarter of an hour passes."""

        def stop() -> None:
            for intent in self.intents[:1]:
                assert cancel(self.hotel, intent).status_code in (200, 409)

        def wait() -> None:
            self.hotel.rows(OVER)

        yield from (stop, wait)

    def played(self, chance: random.Random) -> None:
        """Everybody does their steps in order, and nobody waits for anybody."""
        rails = [self.guest(), self.guest(), self.desk(), self.meddling()]
        rails += [self.terminal()] if chance.random() < 0.5 else []
        while rails:
            rail = chance.choice(rails)
            step = next(rail, None)
            if step is None:
                rails.remove(rail)
            else:
                step()


def settled(hotel: Hotel) -> None:
    """What waits for the processor has been asked after."""
    hotel.rows("UPDATE {s}.payment_intent_queue SET next_attempt_at = '-infinity'")
    assert run_job(hotel, settle_payments).failed == 0
    hotel.rows("UPDATE {s}.refund_queue SET next_attempt_at = '-infinity'")
    assert run_job(hotel, retry_refunds).failed == 0


@pytest.mark.req("BEY-4")
def test_what_is_kept_is_the_debt_whatever_comes_when(hotel: Hotel) -> None:
    hotel.write_settings(riskRules={"rules": []})
    till, customer = Till.opened(hotel, usd(5_000)), a_customer(hotel)
    card = customer, a_card(hotel, customer, "sandbox_3ds")
    for seed in SEEDS:
        debt = Debt(hotel, till, card)
        debt.played(random.Random(seed))
        settled(hotel)
        hotel.rows(OVER)
        left = hotel.get(f"/folios/{debt.folio}").json["balance"]
        if left["amountMicro"]:
            hotel.paid(debt.folio, left)

        assert hotel.rows(KEPT, folio=debt.folio) == [[DEBT]], f"seed {seed}"
        assert hotel.post(f"/folios/{debt.folio}/close").status_code == 200, f"seed {seed}"
    came_late = hotel.rows("SELECT count(*) FROM {s}.refunds")[0][0]
    assert came_late > 2
    assert_books_are_right(hotel)
