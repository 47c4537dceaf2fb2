"""The accounts' rules: money goes back to guests, and charges move between their folios."""

from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.hotel import new_id
from tests.trust.machine import folio as folios
from tests.trust.machine.desk_rules import price_of
from tests.trust.machine.folio import Folio
from tests.trust.machine.office_rules import ids
from tests.trust.machine.stage import NOBODY, Stage, actors, keys, tenants, ways, which

PROCESSORS: Final = ["pi-0", "pi-1", "sandbox_declined_2", "sandbox_lost_3", "sandbox_lost_4"]


def _are_alike(one: Folio, other: Folio) -> bool:
    """Whether charges can move from one to the other."""
    alike = one["house"] == other["house"] and one["currency"] == other["currency"]
    return one is not other and alike


class AccountRules(Stage):
    """What an accountant does."""

    def paid_folio(self, tenant: int, number: int) -> Folio:
        """One of a group's folios; an open one if there is one, mostly one that was paid for."""
        folios = self.groups[tenant].folios
        usual = [each for each in folios if each["open"]] or folios
        paid = [each for each in usual if each["paid"]] or usual
        found = folios if number == 0 else paid
        return found[number % len(found)]

    @rule(tenant=tenants, number=which, processor=st.sampled_from(PROCESSORS), way=ways)
    def pay_by_card(self, tenant: int, number: int, processor: str, way: str) -> None:
        """More than is owed, so that something can go back."""
        folio = self.folio(tenant, number)
        body = {
            "method": "card",
            "amount": price_of(max(folios.balance(folio), 0) + 40, folio["currency"]),
            "paymentId": processor,
            "allowCredit": True,
        }
        path = f"/folios/{folio['id']}/payments"
        self.command(tenant, "record_payment", path, body, way=way)

    @rule(
        tenant=tenants,
        number=which,
        payment=which,
        amount=st.integers(0, 30) | st.just("all") | st.just("more"),
        by_hand=st.sampled_from([True] * 5 + [False]),
        currency=st.sampled_from([None] * 9 + ["EUR"]),
        actor=actors,
        key=keys,
        way=ways,
    )
    def refund(
        self,
        tenant: int,
        number: int,
        payment: int,
        amount: int | str,
        by_hand: bool,
        currency: str | None,
        actor: str,
        key: str,
        way: str,
    ) -> None:
        folio = self.paid_folio(tenant, number)
        if not folio["paid"] and folio["open"]:
            self.pay_by_card(tenant, number, PROCESSORS[payment % len(PROCESSORS)], "plain")
        paid = folio["paid"][payment % len(folio["paid"])] if folio["paid"] else None
        if isinstance(amount, str):
            left = paid["amount"] - paid["back"] if paid else 0
            amount = left + (amount == "more")
        currency = currency or (paid["currency"] if paid else folio["currency"])
        body = {
            "id": new_id("rfd"),
            "paymentId": folio["lines"][paid["line"]]["id"] if paid else "pay" + NOBODY[3:],
            "amount": price_of(amount, currency),
            "reason": "The guest left early",
            **({"reference": "Transfer 4711"} if by_hand else {}),
        }
        path = f"/folios/{folio['id']}/refunds"
        self.command(tenant, "refund_payment", path, body, actor=actor, key=key, way=way)

    @rule()
    def ask_for_the_refunds_that_wait(self) -> None:
        """The job asks for what is due, a tenant after the other, the longest waiting first."""
        now = self.world.clock.moment
        due = [(group, each) for group in self.groups for each in group.waiting(now)]
        for group, (folio, refund) in due:
            group.ask_processor(folio, refund, now)
        self.count("refunds asked for again", len(due))
        self.world.run_job("retry_refunds")
        self.take_over_reversals()

    @rule(tenant=tenants, number=which, refund=which, failed=st.booleans(), event=ids, nobody=ids)
    def hear_of_a_refund(
        self, tenant: int, number: int, refund: int, failed: bool, event: int, nobody: int
    ) -> None:
        """The processor tells what became of a refund, early, late, or the other way round."""
        refunded = [each for each in self.groups[tenant].folios if each["refunds"]]
        if not refunded:
            return
        folio = refunded[number % len(refunded)]
        known = folio["refunds"][refund % len(folio["refunds"])]["id"]
        data = {"refundId": "rfd" + NOBODY[3:] if nobody == 0 else known, "folioId": folio["id"]}
        consumer = "on_refund_failed" if failed else "on_refund_succeeded"
        more = {"failureCode": "card_declined"} if failed else {}
        self.deliver(tenant, consumer, {**data, **more}, event)
        self.look(tenant, folio)

    def take_over_reversals(self) -> None:
        """The ids of lines that no answer has told, and a look at everything."""
        for tenant, group in enumerate(self.groups):
            self.take_over_folios(tenant)
            for folio in group.folios:
                if folio["refunds"]:
                    self.look(tenant, folio)
        self.listen()

    # transfers

    @rule(
        tenant=tenants,
        number=which,
        to=which,
        charges=st.lists(which, min_size=1, max_size=2),
        share=st.sampled_from(["", "", "amount", "ppm"]),
        much=st.integers(0, 20),
        where=st.sampled_from(["beside"] * 5 + ["anywhere", "abroad"]),
        actor=actors,
        key=keys,
        way=ways,
    )
    def transfer(
        self,
        tenant: int,
        number: int,
        to: int,
        charges: list[int],
        share: str,
        much: int,
        where: str,
        actor: str,
        key: str,
        way: str,
    ) -> None:
        """Charges, or a part of them, to another folio, or to the other group's."""
        folio = self.folio(tenant, number, charged=True)
        if folio["open"] and not folio["charges"]:
            path, price = f"/folios/{folio['id']}/charges", price_of(17, folio["currency"])
            room = {"kind": "room", "description": "Night", "unitAmount": price}
            self.command(tenant, "post_charge", path, room)
        target = self.target(tenant, folio, to, where)
        body: dict[str, Any] = {
            "toFolioId": target["id"],
            "chargeIds": [self.charge_id(folio, each) for each in charges],
            "reason": "He pays for her",
        }
        if share == "amount":
            body["amount"] = price_of(much, folio["currency"])
        if share == "ppm":
            body["sharePpm"] = 1 + much * 49_999
        path = f"/folios/{folio['id']}/transfers"
        self.command(tenant, "transfer_lines", path, body, actor=actor, key=key, way=way)
        self.look(1 - tenant if where == "abroad" else tenant, target)

    def target(self, tenant: int, folio: Folio, number: int, where: str) -> Folio:
        """Another folio of the house, which is opened if need be; any; or the other group's."""
        if where != "beside":
            return self.folio(1 - tenant if where == "abroad" else tenant, number)
        folios = self.groups[tenant].folios
        likely = [each for each in folios if each["open"] and _are_alike(folio, each)]
        if not likely:
            house, currency = folio["house"]["id"], folio["currency"]
            body = {"propertyId": house, "guest": {"name": "B. Guest"}, "currency": currency}
            self.command(tenant, "open_folio", "/folios", body)
            likely = folios[-1:]
        return likely[number % len(likely)]
