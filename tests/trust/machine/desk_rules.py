"""The desk's rules: clerks open, charge, correct, take money, close; twice, too late, too much."""

from dataclasses import replace
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.trust.machine import folio as folios
from tests.trust.machine.expected import MICRO, Expected
from tests.trust.machine.folio import Folio
from tests.trust.machine.hotels import EURO_MICRO, HOTELS
from tests.trust.machine.stage import BOTH, Stage, actors, keys, tenants, ways, which

small = st.integers(1, 30)  # where a fraction of a minor unit is often one or none
prices = small | small | st.integers(1, 10**6) | st.sampled_from([0, -5])
rarely = st.sampled_from([False] * 9 + [True])
charges = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["room"] * 4 + ["minibar"] * 3 + ["transport"]),
        "price": prices,
        "half": rarely,
        "quantity": st.sampled_from([None, None, "2", "0.5", "3"]),
        "nights": st.integers(0, 3),
        "currency": st.sampled_from([None] * 9 + ["EUR"]),
        "window": st.sampled_from([None] * 6 + ["guest", "company"]),
        "id": st.none() | st.none() | st.integers(0, 2),
        "reference": st.none() | st.none() | st.integers(0, 2),
        "source": st.sampled_from(["pos", "manual"]),
        "amount": st.sampled_from(["", "", "", "right", "wrong"]),
    }
)
trifles = st.lists(st.tuples(st.sampled_from(["room", "minibar"]), small), min_size=1, max_size=4)
METHODS: Final = ["bank_transfer"] * 3 + ["card", "card", "voucher", "mobile_money", "cash"]


def minted(prefix: str, number: int) -> str:
    """An id that a desktop has made up; both groups make up the same ones."""
    return f"{prefix}_01ARZ3NDEKTSV4RRFFQ69G5{number:03d}"


def price_of(minor: int, currency: str) -> dict[str, Any]:
    return {"amountMicro": minor * MICRO[currency], "currency": currency}


def charge_body(folio: Folio, given: dict[str, Any]) -> dict[str, Any]:
    """A charge as it is sent."""
    currency = given["currency"] or folio["currency"]
    unit = given["price"] * MICRO[currency] + (MICRO[currency] // 2 if given["half"] else 0)
    body: dict[str, Any] = {
        "kind": given["kind"],
        "description": "As consumed",
        "unitAmount": {"amountMicro": unit, "currency": currency},
        "nights": given["nights"],
        "source": given["source"],
        "quantity": given["quantity"],
        "window": given["window"],
        "id": None if given["id"] is None else minted("chg", given["id"]),
        "externalReference": None if given["reference"] is None else f"check-{given['reference']}",
    }
    if given["amount"]:
        exact = folios.half_away(folios.Fraction(unit) * folios.Fraction(given["quantity"] or 1)
                                 / MICRO[currency])  # fmt: skip
        body["amount"] = price_of(exact + (given["amount"] == "wrong"), currency)
    return {name: value for name, value in body.items() if value is not None}


class DeskRules(Stage):
    """What a clerk does."""

    def path(self, folio: Folio, rest: str) -> str:
        return f"/folios/{folio['id']}/{rest}"

    @rule(
        tenant=tenants,
        actor=actors,
        house=st.integers(0, 1),
        reservation=st.sampled_from([None, None, "R-1", "R-2"]),
        window=st.sampled_from([None, None, "company"]),
        own_id=st.none() | st.integers(0, 2),
        euros=rarely,
        key=keys | st.none(),
        way=ways,
    )
    def open_a_folio(
        self,
        tenant: int,
        actor: str,
        house: int,
        reservation: str | None,
        window: str | None,
        own_id: int | None,
        euros: bool,
        key: str | None,
        way: str,
    ) -> None:
        body = {
            "propertyId": HOTELS[tenant][house]["id"],
            "guest": {"name": "A. Guest"},
            "reservationId": reservation,
            "window": window,
            "windows": ["company"] if own_id == 0 else None,
            "id": None if own_id is None else minted("fol", own_id),
            "currency": "EUR" if euros else None,
        }
        body = {name: value for name, value in body.items() if value is not None}
        self.command(tenant, "open_folio", "/folios", body, actor=actor, key=key, way=way)

    @rule(tenant=tenants, number=which, given=charges, actor=actors, key=keys, way=ways)
    def charge(
        self, tenant: int, number: int, given: dict[str, Any], actor: str, key: str, way: str
    ) -> None:
        folio = self.folio(tenant, number)
        body, path = charge_body(folio, given), self.path(folio, "charges")
        self.command(tenant, "post_charge", path, body, actor=actor, key=key, way=way)

    @rule(tenant=tenants, number=which, given=trifles)
    def charge_trifles(self, tenant: int, number: int, given: list[tuple[str, int]]) -> None:
        """Good charges, so that there is something to correct, to pay and to round."""
        folio = self.folio(tenant, number)
        bodies = [
            {"kind": kind, "description": "Tea", "unitAmount": price_of(price, folio["currency"])}
            for kind, price in given
        ]
        if len(bodies) == 1:
            self.command(tenant, "post_charge", self.path(folio, "charges"), bodies[0])
        else:
            path = self.path(folio, "charges/batch")
            self.command(tenant, "post_charge_batch", path, {"charges": bodies})

    @rule(
        tenant=tenants,
        number=which,
        given=st.lists(charges, min_size=1, max_size=3),
        key=keys,
        way=ways,
    )
    def charge_many(
        self, tenant: int, number: int, given: list[dict[str, Any]], key: str, way: str
    ) -> None:
        folio = self.folio(tenant, number)
        body = {"charges": [charge_body(folio, each) for each in given]}
        path = self.path(folio, "charges/batch")
        self.command(tenant, "post_charge_batch", path, body, key=key, way=way)

    @rule(
        tenant=tenants,
        number=which,
        charge=which,
        amount=st.integers(-30, 30) | st.just("all"),
        euros=rarely,
        key=keys,
        way=ways,
    )
    def adjust(
        self,
        tenant: int,
        number: int,
        charge: int,
        amount: int | str,
        euros: bool,
        key: str,
        way: str,
    ) -> None:
        folio = self.folio(tenant, number, charged=True)
        if amount == "all":
            posted = folio["charges"]
            amount = -folios.price(posted[charge % len(posted)]) if posted else -1
        currency = "EUR" if euros else folio["currency"]
        body = {
            "chargeId": self.charge_id(folio, charge),
            "amount": price_of(int(amount), currency),
            "description": "Noise",
            "reason": "The lift was loud",
        }
        path = self.path(folio, "adjustments")
        self.command(tenant, "post_adjustment", path, body, key=key, way=way)

    @rule(tenant=tenants, number=which, charge=which, key=keys, way=ways)
    def void(self, tenant: int, number: int, charge: int, key: str, way: str) -> None:
        folio = self.folio(tenant, number, charged=True)
        path = self.path(folio, f"charges/{self.charge_id(folio, charge)}/void")
        self.command(tenant, "void_charge", path, {"reason": "A mistake"}, key=key, way=way)

    @rule(
        tenant=tenants,
        number=which,
        amount=st.integers(-1, 60),
        currency=st.sampled_from([None, None, None, "EUR", "EUR", "KWD"]),
        method=st.sampled_from(METHODS),
        processor=st.none() | st.integers(0, 2),
        own_id=st.none() | st.none() | st.integers(0, 2),
        credit=st.booleans(),
        actor=actors,
        key=keys,
        way=ways,
    )
    def pay(
        self,
        tenant: int,
        number: int,
        amount: int,
        currency: str | None,
        method: str,
        processor: int | None,
        own_id: int | None,
        credit: bool,
        actor: str,
        key: str,
        way: str,
    ) -> None:
        folio = self.folio(tenant, number)
        body = {
            "method": method,
            "amount": price_of(amount, currency or folio["currency"]),
            "paymentId": None if processor is None else f"pi-{processor}",
            "id": None if own_id is None else minted("pay", own_id),
            "allowCredit": credit or None,
        }
        body = {name: value for name, value in body.items() if value is not None}
        path = self.path(folio, "payments")
        self.command(tenant, "record_payment", path, body, actor=actor, key=key, way=way)

    @rule(tenant=tenants, number=which, off=st.integers(-1, 1), euros=st.booleans(), way=ways)
    def settle(self, tenant: int, number: int, off: int, euros: bool, way: str) -> None:
        """Pay all that is owed, or a little beside it."""
        folio = self.folio(tenant, number, charged=True)
        owed, currency = folios.balance(folio), folio["currency"]
        if euros and folio["euro"]:
            worth = folio["euro"] * EURO_MICRO / folios.Fraction(folio["micro"])
            owed, currency = folios.half_away(owed / worth), "EUR"
        body = {"method": "bank_transfer", "amount": price_of(owed + off, currency)}
        self.command(tenant, "record_payment", self.path(folio, "payments"), body, way=way)

    @rule(tenant=tenants, number=which, actor=actors, key=keys, way=ways)
    def close(self, tenant: int, number: int, actor: str, key: str, way: str) -> None:
        path = self.path(self.folio(tenant, number, charged=True), "close")
        self.command(tenant, "close_folio", path, {}, actor=actor, key=key, way=way)

    @rule(tenant=tenants, number=which, euros=st.booleans(), way=ways)
    def check_out(self, tenant: int, number: int, euros: bool, way: str) -> None:
        """Pay what is owed and close at once."""
        self.settle(tenant, number, 0, euros, "plain")
        path = self.path(self.folio(tenant, number, charged=True), "close")
        self.command(tenant, "close_folio", path, {}, way=way)

    # the same again

    @rule(number=which, way=ways)
    def send_again(self, number: int, way: str) -> None:
        """A command that was sent lately, with its key: the same answer, and no second effect."""
        if self.sent:
            asked = self.sent[-1 - number % len(self.sent)]
            self.count("fault: sent again")
            self.play(asked, way)

    @rule(number=which)
    def use_a_key_again(self, number: int) -> None:
        """The key of a command that was sent lately, for something else."""
        keyed = [each for each in self.sent if each.key and each.body]
        if keyed:
            asked = keyed[-1 - number % len(keyed)]
            words = {"guest": {"name": "B. Guest"}, "description": "Else", "reason": "Else"}
            changed = {name: words[name] for name in words.keys() & asked.body.keys()}
            if "amount" in asked.body and not changed:
                more = asked.body["amount"]["amountMicro"] + MICRO[asked.body["amount"]["currency"]]
                changed = {"amount": {**asked.body["amount"], "amountMicro": more}}
            if changed:
                self.count("fault: a key used again")
                self.play(replace(asked, body={**asked.body, **changed}))

    @rule(tenant=tenants, number=which, rest=st.sampled_from(["close", "charges", "payments"]))
    def reach_into_another_group(self, tenant: int, number: int, rest: str) -> None:
        """A folio of the other group does not exist, and nothing of it moves."""
        other = self.folio(1 - tenant, number)
        if any(e["id"] == other["id"] for e in self.groups[tenant].folios):
            return
        bodies: dict[str, tuple[str, dict[str, Any]]] = {
            "close": ("close_folio", {}),
            "charges": ("post_charge", {"kind": "room", "description": "-",
                                        "unitAmount": price_of(5, other["currency"])}),
            "payments": ("record_payment", {"method": "voucher",
                                            "amount": price_of(5, other["currency"])}),
        }  # fmt: skip
        function, body = bodies[rest]
        self.count("fault: another group's folio")
        self.command(tenant, function, self.path(other, rest), body)
        self.look(1 - tenant, other)

    @rule(tenant=tenants, number=which)
    def name_another_group(self, tenant: int, number: int) -> None:
        """Whoever names another group than their token's is refused, whatever else they ask."""
        folio = self.folio(tenant, number)
        answer = self.world.call(
            tenant,
            BOTH,
            self.houses(tenant, BOTH),
            "POST",
            self.path(folio, "close"),
            {},
            key=self.key("fresh"),
            headers={"X-Tenant-Id": str(self.world.tenants[1 - tenant].tenant_id)},
        )
        self.count("commands")
        self.count("fault: another group named")
        self.same_answer(Expected(403, "CROSS_TENANT_REFERENCE"), answer)
        self.look(tenant, folio)
        self.listen()
