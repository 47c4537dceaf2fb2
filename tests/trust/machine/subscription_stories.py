"""Stories of subscribers: deeds that mean something one after the other, between all others.

By chance alone a credit is seldom left and seldom used, and hardly anybody is suspended and served
again. Each story begins with whatever there is, and is compared deed by deed as any other.
"""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.trust.machine.plans import ZONES
from tests.trust.machine.stage import tenants
from tests.trust.machine.subscription_rules import SECONDS, SubscriptionRules

good_cards = st.sampled_from(["sandbox_visa", "sandbox_visa", "sandbox_lost"])
a_while = st.sampled_from(SECONDS[:5])


class SubscriptionStories(SubscriptionRules):
    """See the module."""

    @rule(tenant=tenants, seats=st.integers(1, 9), seconds=a_while, card=good_cards)
    def grow_and_shrink(self, tenant: int, seats: int, seconds: int, card: str) -> None:
        """To more for a while, and to less: what is given back pays what comes next."""
        self.pay_all(tenant, card)
        interval = self.platforms[tenant].subs[-1]["terms"][2]
        self.change(tenant, ("large", 1, interval), "now", 60, "plain")
        self.world.move_clock(seconds)
        self.change(tenant, ("small", seats, interval), None, 0, "plain")
        self.end_the_period(tenant)

    @rule(tenant=tenants, seconds=a_while, card=good_cards)
    def rest_and_go_on(self, tenant: int, seconds: int, card: str) -> None:
        """The clock is stopped, and goes on with what was left; the next period follows that."""
        self.pay_all(tenant, card)
        self.act(tenant, "clock", "plain")
        self.world.move_clock(seconds)
        self.act(tenant, "clock", "plain")
        self.end_the_period(tenant)

    @rule(tenant=tenants, quantity=st.integers(1, 900), days=st.integers(0, 40))
    def use_and_leave(self, tenant: int, quantity: int, days: int) -> None:
        """What was used is on the last bill, and what is told then on one behind it; who comes back
        has the credits of the time that is not over already."""
        self.pay_all(tenant, "sandbox_visa")
        self.use(tenant, "ai_tokens", self.fresh, quantity, 0)
        self.world.move_clock(1)
        self.act(tenant, "cancel at once", "plain")
        self.use(tenant, "ai_tokens", self.fresh + 1, quantity, -2)
        self.world.move_clock(days * 86_400)
        self.run("bill_late_usage")
        chosen = ("large", 1, "month")
        self.subscribe(tenant, chosen, ZONES[days % 4], False, "sandbox_visa", "", "plain")
        self.use(tenant, "ai_tokens", self.fresh, quantity, 0)
        self.end_the_period(tenant)
        self.use(tenant, "ai_tokens", self.fresh, quantity, 1)
        self.end_the_period(tenant)

    @rule(
        tenant=tenants,
        card=st.sampled_from(["sandbox_declined", "sandbox_expired", "sandbox_3ds"]),
        late=st.sampled_from([0, 86_400, 40 * 86_400]),
        how=st.sampled_from(["reactivate", "pay", "bank"]),
    )
    def fall_behind(self, tenant: int, card: str, late: int, how: str) -> None:
        """Nobody pays for ten days; then they do, or somebody is kind, in the same period or long
        behind it."""
        self.pay_all(tenant, "sandbox_visa")
        self.choose_a_card(tenant, card, "plain")
        self.end_the_period(tenant)
        self.live_on(tenant, 7)
        self.world.move_clock(late)
        if how == "reactivate":
            self.act(tenant, "reactivate", "plain")
            self.run_the_jobs(again=False)
        if how == "bank":
            self.answer_the_bank(tenant, confirms=True)
        self.choose_a_card(tenant, "sandbox_visa", "plain")
        self.run_the_jobs(again=True)

    @rule(
        tenant=tenants,
        card=st.sampled_from(
            ["sandbox_declined", "sandbox_expired", "sandbox_3ds", "sandbox_3ds", "sandbox_lost"]
        )
        | good_cards,
        is_asked=st.booleans(),
        quoted=st.sampled_from([None, "now", "before"]),
        seconds=st.sampled_from([0, 86_400, 2 * 86_400]),
        bank=st.sampled_from([None, "before", "behind", "behind"]),
    )
    def owe_and_shrink(
        self,
        tenant: int,
        card: str,
        is_asked: bool,
        quoted: str | None,
        seconds: int,
        bank: str | None,
    ) -> None:
        """Who goes to less while a bill is open, charged, or at the bank owes less of it; and has
        the credit again where the bank was faster. A quote of before is stale by then."""
        self.pay_all(tenant, "sandbox_visa")
        interval = self.platforms[tenant].subs[-1]["terms"][2]
        self.change(tenant, ("large", 1, interval), None, 0, "plain")
        self.choose_a_card(tenant, card, "plain")
        self.pass_time_until(tenant, "end", off=False)
        for job in ("cycle", "collect", "settle")[: 2 + is_asked]:
            self.run(job)
        self.world.move_clock(seconds)
        less = ("small", 1, interval)
        self.quote(tenant, less)
        if bank == "before":
            self.answer_the_bank(tenant, confirms=True)
        if quoted == "before":
            self.run("settle")
        self.change(tenant, less, quoted, 60, "plain")
        if bank == "behind":
            self.answer_the_bank(tenant, confirms=True)
        for minutes in (0, 15, 1):
            self.world.move_clock(minutes * 60)
            self.run_the_jobs(again=False)

    # words

    def pay_all(self, tenant: int, card: str) -> None:
        """A subscription that runs and owes nothing, mostly."""
        self.provide(tenant, 1)
        self.choose_a_card(tenant, card, "plain")
        self.run_the_jobs(again=False)
        self.world.move_clock(60)
        self.run_the_jobs(again=False)

    def end_the_period(self, tenant: int) -> None:
        self.pass_time_until(tenant, "end", off=False)
        self.run_the_jobs(again=False)
