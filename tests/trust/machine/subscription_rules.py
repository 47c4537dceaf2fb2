"""The rules of the platform's own bills: what its staff, a tenant, a bank and the clock do.

Months pass here, where at the desk there pass minutes: so these rules are a machine of their own,
on the same stage and in the same two hotels. The first one is taxed by nobody, the second one where
the platform sells.
"""

from datetime import timedelta
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from werkzeug.test import TestResponse

from tests.hotel import Hotel, new_id
from tests.metering import fates, send_all, used
from tests.paying import a_card, a_customer, acted
from tests.postgres.proxy import Cut
from tests.subscribing import SCOPE, WHY
from tests.trust.books import broken
from tests.trust.machine import checks, collecting, subscription_checks
from tests.trust.machine.bills import Platform
from tests.trust.machine.folio import Fraction
from tests.trust.machine.hotels import Settings
from tests.trust.machine.office import Group
from tests.trust.machine.plans import MONTHS, ZONES, name_of
from tests.trust.machine.prepaid import CREDIT, MAIN
from tests.trust.machine.staff import OFFICE, ROYA, asked, settle_in_anew
from tests.trust.machine.stage import CUTS, Stage, tenants

TAXES: Final = [("AF", Fraction(0)), ("DE", Fraction(19, 100))]
SECONDS: Final = [1, 60, 3_600, 86_400, 2 * 86_400, 10 * 86_400, 31 * 86_400]
JOBS: Final = {
    "cycle": "cycle_subscriptions",
    "collect": "collect_subscriptions",
    "settle": "settle_subscription_payments",
    "bill_late_usage": "bill_late_usage",
}
terms = st.tuples(
    st.sampled_from(["small", "small", "large", "large", "free"]),
    st.sampled_from([1, 1, 2, 7]),
    st.sampled_from(["month", "month", "month", "year"]),
).map(lambda each: ("free", 1, each[2]) if each[0] == "free" else each)
cards = st.sampled_from(
    [*collecting.CARDS, "sandbox_visa", "sandbox_declined", "sandbox_3ds", collecting.GUESTS]
)
ways = st.sampled_from(["plain"] * 5 + ["undone", "unheard", "again"])


class SubscriptionRules(Stage):
    """What becomes of the groups' subscriptions."""

    @initialize()
    def open_the_house(self) -> None:  # type: ignore[override] # nothing of it is drawn here
        Stage.open_the_house(self, Settings(), Settings())
        self.platforms = []
        for tenant, (country, rate) in enumerate(TAXES):
            settle_in_anew(self.world.tenants[tenant], country, tenant)
            group = self.groups[tenant]
            assert isinstance(group, Group)
            self.platforms.append(Platform(group, rate))
        self.quotes: list[dict[str, Any] | None] = [None, None]
        self.taken_before = [subscription_checks.taken(each) for each in self.world.tenants]

    # what the staff does

    @rule(
        tenant=tenants,
        terms=terms,
        zone=st.sampled_from(ZONES),
        committed=st.sampled_from([False, False, False, True]),
        card=cards | st.none(),
        anew=st.sampled_from(["", "", "left", "twice"]),
        way=ways,
    )
    def subscribe(
        self,
        tenant: int,
        terms: Any,
        zone: str,
        committed: bool,
        card: str | None,
        anew: str,
        way: str,
    ) -> None:
        """To a plan, for a year or for as long as one likes; a new one never in the same second.
        Who has one leaves it for another, tries to have two, or only gives another card."""
        if self.stands(tenant) and not anew:
            self.choose_a_card(tenant, card or "sandbox_visa", way)
            return
        if self.stands(tenant) and anew == "left":
            self.act(tenant, "cancel at once", "plain")
        self.world.move_clock(1)
        sub_id = new_id("sub")
        body = {
            "tenantId": str(self.world.tenants[tenant].tenant_id),
            "id": sub_id,
            **self.wanted(terms),
            "timeZone": zone,
            "committed": committed,
            "paymentMethodId": self.card_of(tenant, card) if card else None,
        }
        body = {name: value for name, value in body.items() if value is not None}
        code = self.platforms[tenant].subscribe(sub_id, terms, zone, committed, card, self.now)
        self.ask(tenant, "create", body, code, way)

    @rule(
        tenant=tenants,
        terms=terms,
        quoted=st.sampled_from([None, None, "now", "now", "before"]),
        later=st.sampled_from([0, 0, 1, 600, 899, 900]),
        way=ways,
    )
    def change(self, tenant: int, terms: Any, quoted: str | None, later: int, way: str) -> None:
        """To other terms: with a quote that binds, one of before, or none."""
        self.provide(tenant, later)
        if quoted == "now":
            self.quote(tenant, terms)
            self.world.move_clock(later)
        quote = self.quotes[tenant] if quoted else None
        if quote and quoted == "before":
            terms = quote["terms"]
        body = {**self.wanted(terms), "reason": WHY}
        if quote:
            body["quoteToken"] = quote["token"]
            self.count("changes by quote")
        code = self.platforms[tenant].change(terms, self.now, quote)
        self.ask(tenant, "change", body, code, way)

    def quote(self, tenant: int, terms: Any) -> None:
        """What a change would cost; nothing is changed by asking."""
        platform = self.platforms[tenant]
        sub = platform.last
        self.quotes[tenant] = None
        if sub is None or platform.stands_still(sub, self.now) or platform.keeps_from(sub, terms):
            return
        hotel = self.world.tenants[tenant]
        token = hotel.token(SCOPE, sub=ROYA, tenant_id=OFFICE)
        body = {**self.wanted(terms), "reason": WHY}
        path = f"/subscriptions/{hotel.tenant_id}"
        said = hotel.call("PUT", path, body, token=token, preview="true")
        assert said.status_code == 200, said.text
        bill, lines = said.json["bill"], platform.change_lines(sub, terms, self.now)
        told = [each["amount"]["amountMicro"] // 10_000 for each in bill["lines"]] if bill else []
        checks.same(told, [each["cents"] for each in lines], "what was quoted")
        off = subscription_checks.paid_by(bill) if bill else []
        checks.same(off, platform.foreseen(sub, lines), "what would be set off")
        token = said.json["quoteToken"]
        quote = {"token": token, "terms": terms, "at": self.now, "sub": sub, "off": off}
        self.quotes[tenant] = {**quote, "version": sub["version"]}

    @rule(
        tenant=tenants,
        deed=st.sampled_from(["cancel", "cancel at once", "clock", "clock", "reactivate"]),
        way=ways,
    )
    def act(self, tenant: int, deed: str, way: str) -> None:
        """Canceled, now or with its period; its clock stopped or started; served again."""
        if deed == "clock":
            sub = self.platforms[tenant].last
            deed = "resume" if sub and sub["status"] == "paused" else "pause"
        platform, body = self.platforms[tenant], {"reason": WHY}
        if deed.startswith("cancel"):
            code = platform.cancel(deed == "cancel at once", self.now)
            body["at"] = "now" if deed == "cancel at once" else "period_end"
        else:
            code = getattr(platform, deed)(self.now)
        self.ask(tenant, deed.split(" ")[0], body, code, way)
        self.count(f"deeds: {deed}", not code)

    @rule(tenant=tenants, force=st.booleans(), way=ways)
    def cycle_by_hand(self, tenant: int, force: bool, way: str) -> None:
        """Mostly when there is something to do."""
        if way != "plain":
            self.pass_time_until(tenant, "end", off=False)
        code = self.platforms[tenant].cycle_by_hand(self.now, force)
        self.ask(tenant, "cycle", {}, code, way, **({"force": "true"} if force else {}))

    @rule(tenant=tenants, card=cards, way=ways)
    def choose_a_card(self, tenant: int, card: str, way: str) -> None:
        body = {"paymentMethodId": self.card_of(tenant, card)}
        code = self.platforms[tenant].choose(card, self.now)
        self.ask(tenant, "payment_method", body, code, way)

    # what the tenant, its bank and time do

    @rule(tenant=tenants, confirms=st.sampled_from([True, True, False]))
    def answer_the_bank(self, tenant: int, confirms: bool) -> None:
        """Whoever is asked by the bank confirms a charge to it, or does not."""
        for sub in self.platforms[tenant].subs:
            charge = self.platforms[tenant].under_way(sub)
            if charge is None or charge["status"] != "requires_action" or charge["acted"]:
                continue
            failure = None if confirms else collecting.UNCONFIRMED
            charge["acted"] = ("succeeded" if confirms else "failed", failure)
            acted(self.world.tenants[tenant], charge["id"], confirms=confirms)
            self.count("answers to a bank")

    @rule(
        tenant=tenants,
        meter=st.sampled_from(["ai_tokens", "ai_tokens", "storage_mb"]),
        name=st.integers(0, 30),
        quantity=st.integers(0, 900),
        back=st.integers(-3, 35) | st.integers(0, 3),
    )
    def use(self, tenant: int, meter: str, name: int, quantity: int, back: int) -> None:
        """Told in time, late, too late, twice; or just when a period has ended."""
        self.provide(tenant, quantity)
        sub, now = self.platforms[tenant].subs[-1], self.now
        at = now - timedelta(days=max(back, -1))
        if back < -1:
            at = min(sub["end"], now)
        said = used(meter, quantity, at.isoformat(), f"event-{name}")
        answer = send_all(self.world.tenants[tenant], said)
        fate = self.platforms[tenant].use(meter, f"event-{name}", quantity, at, now)
        checks.same(fates(answer), [fate], f"{quantity} {meter} at {at}")
        if fate == "counted":
            self.platforms[tenant].told["usage.recorded"] += 1
        self.count(f"answers: usage {fate}")
        self.look_around(tenant)

    @rule(tenant=tenants, micro=st.integers(1, 90))
    def spend(self, tenant: int, micro: int) -> None:
        """Credits that came with a period are spent."""
        body = {"account": MAIN, "creditsMicro": micro * CREDIT, "service": "concierge"}
        self.command(tenant, "deduct_credits", "/credits/deduct", body)

    @rule(tenant=tenants, times=st.integers(1, 7))
    def live_on(self, tenant: int, times: int) -> None:
        """From one thing that is due to the next, as time does it by itself."""
        for _ in range(times):
            self.provide(tenant, 1)
            sub = self.platforms[tenant].subs[-1]
            due = [sub["end"], sub["collection"] and sub["collection"]["next"]]
            due += [each["next"] for each in sub["charges"]]
            coming = [at for at in due if at is not None and at > self.now]
            if coming:
                self.world.move_clock(int((min(coming) - self.now).total_seconds()))
                self.count("clock moves")
            self.run_the_jobs(again=False)

    @rule(seconds=st.sampled_from(SECONDS))
    def pass_time(self, seconds: int) -> None:
        self.world.move_clock(seconds)
        self.count("clock moves")

    @rule(tenant=tenants, to=st.sampled_from(["end", "end", "look", "charge"]), off=st.booleans())
    def pass_time_until(self, tenant: int, to: str, off: bool) -> None:
        """Until a period ends, or somebody looks at what is open; to the second, or one before."""
        self.provide(tenant, 1)
        sub = self.platforms[tenant].subs[-1]
        at = sub["end"]
        if to == "look":
            at = sub["collection"] and sub["collection"]["next"]
        if to == "charge":
            at = next((each["next"] for each in sub["charges"] if each["next"]), None)
        if at is not None and at > self.now:
            self.world.move_clock(int((at - self.now).total_seconds()) - off)
            self.count("clock moves")

    @rule(job=st.sampled_from(["cycle", "collect", "settle", "bill_late_usage"]))
    def run_a_job(self, job: str) -> None:
        self.run(job)

    @rule(again=st.booleans())
    def run_the_jobs(self, again: bool) -> None:
        """In their order; a second time there is nothing to do but to ask what has no answer."""
        for job in ("cycle", "collect", "settle") * (1 + again):
            self.run(job)

    def run(self, job: str) -> None:
        done = [getattr(each, job)(self.now) for each in self.platforms]
        progress = self.world.run_job(JOBS[job])
        checks.same((progress.done, progress.failed), (sum(done), 0), JOBS[job])
        self.count(f"jobs: {job}", sum(done))
        for tenant in (0, 1):
            if done[tenant]:
                self.look_around(tenant)

    # words

    def stands(self, tenant: int) -> bool:
        sub = self.platforms[tenant].last
        return sub is not None and sub["status"] != "canceled"

    def provide(self, tenant: int, number: int) -> None:
        """See to it that there is a subscription; of those that have left, most come back."""
        if self.platforms[tenant].last is None or (number % 3 and not self.stands(tenant)):
            card = list(collecting.CARDS)[number % len(collecting.CARDS)]
            chosen = ("large" if number % 2 else "small", 1, "month")
            self.subscribe(tenant, chosen, ZONES[number % 4], False, card, "", "plain")

    @property
    def now(self) -> Any:
        return self.world.clock.moment

    def wanted(self, terms: Any) -> dict[str, Any]:
        plan, seats, interval = terms
        assert interval in MONTHS
        return {"plan": name_of(plan, self.world.mark), "seats": seats, "interval": interval}

    def card_of(self, tenant: int, kind: str) -> str:
        """A card of the group that behaves so; it is left there once it is wanted."""
        group, hotel = self.groups[tenant], self.world.tenants[tenant]
        if "customer" not in group.cards:
            group.cards["customer"] = a_customer(hotel)
        if kind not in group.cards:
            purpose = "this_stay" if kind == collecting.GUESTS else "platform_bills"
            token = kind.split(" ")[0]
            group.cards[kind] = a_card(hotel, group.cards["customer"], token, purpose)
        return group.cards[kind]

    def ask(
        self, tenant: int, deed: str, body: dict[str, Any], code: str, way: str, **query: str
    ) -> None:
        """Have the staff do it, over a good line or a bad one; the model has done it already."""
        hotel, key = self.world.tenants[tenant], self.key("fresh")

        def send(at: Hotel) -> TestResponse:
            return asked(at, deed, body, key, **query)

        cut = Cut.NOWHERE if code else CUTS.get(way, Cut.NOWHERE)
        answer = send(hotel) if cut is Cut.NOWHERE else self.world.over_a_bad_line(hotel, cut, send)
        said = "" if answer.status_code < 300 else str(answer.json["code"]).rsplit(".", 1)[-1]
        checks.same(said, code, f"{deed} {body}: {answer.text[:300]}")
        self.count("commands")
        self.count(f"answers: {deed} {code or answer.status_code}")
        if cut is not Cut.NOWHERE:
            self.count(f"fault: a commit {way}")
        if way == "again" and not code:
            replayed = send(hotel)
            assert replayed.headers.get("Idempotency-Replayed") == "true", replayed.text
            assert replayed.data == answer.data
            self.count("fault: sent again")
        self.look_around(tenant)

    def look_around(self, tenant: int) -> None:
        """All that is shown of what the platform has with a group is as the model has it."""
        platform, hotel = self.platforms[tenant], self.world.tenants[tenant]
        subscription_checks.same_invoices(hotel, platform)
        subscription_checks.same_charges(hotel, platform)
        subscription_checks.same_collections(hotel, platform, self.groups[tenant].cards)
        subscription_checks.same_subscription(hotel, platform, self.world.mark)
        self.look_at_credits(tenant, list(self.groups[tenant].accounts.values()))
        self.listen()

    def listen(self) -> None:
        """So many facts of each kind were told as the model told."""
        told, self.last_told = checks.told_so_far(self.world, self.last_told)
        for tenant, group in enumerate(self.groups):
            own = [kind for number, (kind, _, _) in told if number == tenant]
            platform = self.platforms[tenant] if hasattr(self, "platforms") else None
            expected = platform.told if platform else type(self.counted)()
            expected.update(fact()[0] for fact in group.told[self.seen[tenant] :])
            checks.same(type(expected)(own), +expected, f"what was told of group {tenant}")
            expected.clear()
            self.seen[tenant] = len(group.told)

    def teardown(self) -> None:
        for tenant, platform in enumerate(getattr(self, "platforms", [])):
            hotel = self.world.tenants[tenant]
            self.look_around(tenant)
            checks.same(subscription_checks.accounts(hotel), platform.accounts(), "the books")
            taken = subscription_checks.taken(hotel) - self.taken_before[tenant]
            subscription_checks.same_taken(taken, platform)
            checks.same(broken(hotel), [], "the invariants")
            self.tally(platform)

    def tally(self, platform: Platform) -> None:
        self.count("bills", len(platform.invoices))
        for each in platform.invoices:
            self.count(f"bills: {each['purpose']}")
            self.count("bills lost", each["lost"])
            self.count("bills by credit", each["brought"] > 0)
            self.count("bills set off", each["off"] > 0)
        for sub in platform.subs:
            self.count(f"left {sub['status']}")
        charges = [charge for sub in platform.subs for charge in sub["charges"]]
        self.count("set off given back", sum(each["gave_back"] for each in charges))
        for status in ("succeeded", "failed", "canceled"):
            self.count(f"charges: {status}", sum(each["status"] == status for each in charges))
