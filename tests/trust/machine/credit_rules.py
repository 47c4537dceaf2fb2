"""The rules of prepaid credits and of cards: what is bought, spent and moved, and pays bills."""

from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.buying import refunded
from tests.hotel import new_id
from tests.paying import a_card, a_customer, acted
from tests.trust.machine import checks, prepaid
from tests.trust.machine import folio as folios
from tests.trust.machine.desk_rules import price_of, rarely
from tests.trust.machine.expected import MICRO
from tests.trust.machine.folio import Folio
from tests.trust.machine.hotels import CREDITS, EURO_MICRO
from tests.trust.machine.prepaid import CREDIT, MAIN, OF_THE_HOTEL, of_the_hotel
from tests.trust.machine.stage import NOBODY, Stage, actors, keys, tenants, ways, which
from tests.webhooks import Webhook

accounts = st.sampled_from([MAIN, MAIN, MAIN, "spa"])
credits = st.integers(1, 900).map(lambda each: each * CREDIT // 10)
WAYS_TO_USE: Final = ["deduct", "deduct", "transfer", "transfer", "hold", "capture", "release"]
CARDS: Final = ["sandbox_visa"] * 3 + ["sandbox_declined", "sandbox_3ds", "sandbox_3ds"]


class CreditRules(Stage):
    """What services, buyers and guests do with credits, and with cards."""

    # credits

    @rule(
        tenant=tenants,
        account=accounts,
        amount=st.sampled_from([500, 500, 777, 1_234, 499, 100_001]) | st.none(),
        micro=credits,
        unlucky=rarely,
        key=keys,
        way=ways,
    )
    def fill(
        self,
        tenant: int,
        account: str,
        amount: int | None,
        micro: int,
        unlucky: bool,
        key: str,
        way: str,
    ) -> None:
        """Bought, from a card that may decline it; or given, now and then as much as may be."""
        if amount is not None:
            self.buy(tenant, account, amount, key, declined=unlucky)
            return
        body = {
            "id": new_id("clt"),
            "account": account,
            "creditsMicro": prepaid.ROOM - micro if unlucky else micro,
            "reason": "Thank you for waiting",
        }
        self.command(tenant, "grant_credits", "/credits/grants", body, key=key, way=way)

    def buy(
        self, tenant: int, account: str, amount: int, key: str = "fresh", *, declined: bool = False
    ) -> None:
        kind = "sandbox_declined" if declined else "sandbox_visa"
        card = self.card(tenant, kind, OF_THE_HOTEL)
        body = {
            "id": new_id("pin"),
            "account": account,
            "creditsMicro": amount * CREDIT,
            "paymentMethodId": card,
        }
        self.command(tenant, "purchase_credits", "/credits/purchase", body, key=key)

    @rule(tenant=tenants, number=which, cents=st.integers(1, 400) | st.just("all"))
    def money_goes_back(self, tenant: int, number: int, cents: int | str) -> None:
        """Somebody gives money of a purchase back at the processor's, a part or what is left."""
        group = self.groups[tenant]
        if not group.purchases:
            self.buy(tenant, MAIN, 500)
        bought = [each for each in group.purchases if each["back"] < each["cost"]]
        paid = [each for each in bought if each["status"] == "succeeded"]
        if not paid:
            return
        purchase = paid[number % len(paid)]
        unit = MICRO[group.money]
        left = (purchase["cost"] - purchase["back"]) // unit
        minor = left if cents == "all" else min(int(cents), left)
        told = refunded(purchase["id"], minor, currency=group.money.lower())
        group.goes_back(purchase, minor * unit, self.world.clock.moment)
        answer = Webhook(self.world.tenants[tenant]).send(told)
        assert (answer.status_code, answer.json["outcome"]) == (200, "applied"), answer.text
        self.count("commands")
        self.count("purchases taken back")
        self.look_at_credits(tenant, list(group.accounts.values()))
        self.listen()

    @rule(
        tenant=tenants,
        account=accounts,
        what=st.sampled_from(WAYS_TO_USE),
        to=st.sampled_from(["spa", "spa", MAIN]),
        number=which,
        micro=credits,
        poor=rarely,
        key=keys,
        way=ways,
    )
    def use(
        self,
        tenant: int,
        account: str,
        what: str,
        to: str,
        number: int,
        micro: int,
        poor: bool,
        key: str,
        way: str,
    ) -> None:
        """Spend, move, or set aside, and then spend or not; mostly there is enough."""
        if what in ("capture", "release"):
            self.end_a_hold(tenant, number, micro if what == "capture" else None, key, way)
            return
        if not poor:
            self.provide(tenant, account, micro)
        body: dict[str, Any] = {"account": account, "creditsMicro": micro, "service": "concierge"}
        function, path = "deduct_credits", "/credits/deduct"
        if what == "hold":
            function, path = "hold_credits", "/credits/holds"
            body |= {"id": new_id("hld"), "lastsSeconds": 3_600}
        if what == "transfer":
            function, path = "transfer_credits", "/credits/transfer"
            body = {"fromAccount": account, "toAccount": to, "creditsMicro": micro}
        self.command(tenant, function, path, body, key=key, way=way)

    def end_a_hold(self, tenant: int, number: int, micro: int | None, key: str, way: str) -> None:
        """What it came to is spent, or nothing is; mostly there is a hold, and it holds as much."""
        holds = self.groups[tenant].holds
        if number and not any(hold["open"] for _, hold in holds.values()):
            enough = max(micro or 0, CREDIT)
            self.use(tenant, MAIN, "hold", MAIN, 0, enough, False, "fresh", "plain")
        known = list(holds) if number % 2 else list(holds)[-1:]
        hold = known[number % len(known)] if known else "hld" + NOBODY[3:]
        path, body = f"/credits/holds/{hold}", {} if micro is None else {"creditsMicro": micro}
        function = "release_credits" if micro is None else "capture_credits"
        last = "release" if micro is None else "capture"
        self.command(tenant, function, f"{path}/{last}", body, key=key, way=way)

    @rule(
        tenant=tenants,
        number=which,
        account=accounts,
        amount=st.integers(1, 60) | st.just("all") | st.just("all"),
        poor=rarely,
        abroad=rarely,
        ahead=st.booleans(),
        back=st.sampled_from([0, 0, 1, 7, 10**9]),
        key=keys,
        way=ways,
    )
    def pay_by_credits(
        self,
        tenant: int,
        number: int,
        account: str,
        amount: int | str,
        poor: bool,
        abroad: bool,
        ahead: bool,
        back: int,
        key: str,
        way: str,
    ) -> None:
        """All that is owed, or something beside it; mostly there is enough to pay it with, and now
        and then some of it comes back at once."""
        folio, group = self.owing(tenant, number), self.groups[tenant]
        currency = "KWD" if abroad else group.money
        if isinstance(amount, str):
            amount = max(folios.balance(folio), 0)
            if currency == "EUR" and folio["euro"]:
                worth = folio["euro"] * EURO_MICRO / folios.Fraction(folio["micro"])
                amount = folios.half_away(amount / worth)
        price = price_of(amount, currency)
        needed = price["amountMicro"] * CREDITS[tenant]["perCurrencyUnit"]
        if not poor and 0 < needed < prepaid.ROOM // 2:
            self.provide(tenant, account, needed)
        body = {"method": "credits", "amount": price, "creditAccount": account}
        path = f"/folios/{folio['id']}/payments"
        before = len(folio["paid"])
        self.command(
            tenant, "record_payment", path, {**body, "allowCredit": ahead}, key=key, way=way
        )
        self.count("credit payments", len(folio["paid"]) - before)
        if back and len(folio["paid"]) > before:
            self.give_back(tenant, folio, min(back, amount), way)

    def give_back(self, tenant: int, folio: Folio, amount: int, way: str) -> None:
        """Some of what was paid last."""
        paid = folio["paid"][-1]
        body = {
            "id": new_id("rfd"),
            "paymentId": folio["lines"][paid["line"]]["id"],
            "amount": price_of(amount, paid["currency"]),
            "reason": "The guest left early",
        }
        path = f"/folios/{folio['id']}/refunds"
        self.command(tenant, "refund_payment", path, body, way=way)
        self.count("credits given back", folio["paid"][-1]["back"] > 0)

    def provide(self, tenant: int, account: str, micro: int) -> None:
        """See to it that there is so much."""
        found = self.groups[tenant].account(account)
        there = prepaid.available(found, self.world.clock.moment) if found else 0
        if there < micro:
            self.grant_plainly(tenant, account, micro - there)

    def owing(self, tenant: int, number: int) -> Folio:
        """A folio, mostly an open one that owes something by now."""
        found = self.groups[tenant].folios
        usual = [each for each in found if each["open"]] or found
        folio = found[0] if number == 0 else usual[number % len(usual)]
        if number and folio["open"] and folios.balance(folio) <= 0:
            price = price_of(40 - folios.balance(folio), folio["currency"])
            body = {"kind": "room", "description": "Night", "unitAmount": price}
            self.command(tenant, "post_charge", f"/folios/{folio['id']}/charges", body)
        return folio

    def grant_plainly(self, tenant: int, account: str, micro: int) -> None:
        body = {"id": new_id("clt"), "account": account, "creditsMicro": micro, "reason": "A gift"}
        self.command(tenant, "grant_credits", "/credits/grants", body)

    # cards

    def card(self, tenant: int, kind: str, purpose: str = "this_stay") -> str:
        """A card of the group's only customer that behaves so, left for this; both are there once
        wanted."""
        group, hotel = self.groups[tenant], self.world.tenants[tenant]
        if "customer" not in group.cards:
            group.cards["customer"] = a_customer(hotel)
        name = kind if purpose == "this_stay" else of_the_hotel(kind)
        if name not in group.cards:
            group.cards[name] = a_card(hotel, group.cards["customer"], kind, purpose)
        return group.cards[name]

    @rule(
        tenant=tenants,
        number=which,
        amount=st.integers(1, 60) | st.just("all") | st.just("all"),
        ahead=st.booleans(),
        kind=st.sampled_from(CARDS),
        actor=actors,
        key=keys,
    )
    def take_from_a_card(
        self,
        tenant: int,
        number: int,
        amount: int | str,
        ahead: bool,
        kind: str,
        actor: str,
        key: str,
    ) -> None:
        """Written down, and confirmed at once."""
        folio, method = self.owing(tenant, number), self.card(tenant, kind)
        if isinstance(amount, str):
            amount = max(folios.balance(folio), 0)
        if folio["currency"] == "KWD" and number % 2:
            amount -= amount % 10
        body = {
            "id": new_id("pin"),
            "folioId": folio["id"],
            "customerId": self.groups[tenant].cards["customer"],
            "amount": price_of(amount, folio["currency"]),
            "allowCredit": ahead,
        }
        self.command(tenant, "create_payment_intent", "/payments/intent", body, actor=actor)
        confirms = {"paymentIntentId": body["id"], "paymentMethodId": method}
        before = len(folio["paid"])
        self.command(tenant, "confirm_payment", "/payments/confirm", confirms, key=key)
        self.count("card payments", len(folio["paid"]) - before)

    @rule(
        tenant=tenants,
        number=which,
        how=st.sampled_from(["cancel", "cancel", "confirm", "act", "act"]),
        key=keys,
    )
    def go_on_with_a_card(self, tenant: int, number: int, how: str, key: str) -> None:
        """Canceled, asked for once more, or confirmed to the bank by its guest."""
        intents = self.groups[tenant].intents
        waiting = [each for each in intents if each["status"].startswith("requires")] or intents
        if not waiting:
            return
        intent = waiting[number % len(waiting)]
        if how == "cancel":
            path = f"/payments/{intent['id']}/cancel"
            self.command(tenant, "cancel_payment", path, {}, key=key)
            return
        if how == "act" and self.is_welcome(intent):
            intent["confirmed"] = True
            acted(self.world.tenants[tenant], intent["id"])
        card = intent["card"] or "sandbox_visa"
        confirms = {"paymentIntentId": intent["id"], "paymentMethodId": self.card(tenant, card)}
        before = len(intent["folio"]["paid"])
        self.command(tenant, "confirm_payment", "/payments/confirm", confirms, key=key)
        self.count("card payments", len(intent["folio"]["paid"]) - before)

    def is_welcome(self, intent: dict[str, Any]) -> bool:
        """Whether its guest may confirm it: what would go back by itself is not in this model."""
        folio, waits = intent["folio"], intent["status"] == "requires_action"
        owed = intent["amount"] <= folios.balance(folio)
        return waits and not intent["confirmed"] and folio["open"] and (owed or intent["credit"])

    # what is compared besides

    def teardown(self) -> None:
        for tenant, group in enumerate(getattr(self, "groups", [])):
            self.look_at_credits(tenant, list(group.accounts.values()))
            hotel = self.world.tenants[tenant]
            for table, known in (
                ("payment_intents", group.intents),
                ("credit_purchases", group.purchases),
            ):
                stands = hotel.rows(f"SELECT id, status FROM {{s}}.{table} ORDER BY id")
                expected = sorted([each["id"], each["status"]] for each in known)
                checks.same(stands, expected, table)
        super().teardown()
