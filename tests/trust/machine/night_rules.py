"""The night's rules: days end, and who sleeps in the house is charged for it."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.trust.machine import checks
from tests.trust.machine.office import Group
from tests.trust.machine.stage import Stage

DAYS_MAX = 3
"""As many days are audited at once: after forty days of nothing there would be hundreds."""


class NightRules(Stage):
    """What the clock does at night."""

    @rule(again=st.booleans())
    def audit_the_nights(self, again: bool) -> None:
        """Charge and end the days that are over; a second audit finds nothing to do."""
        now = self.world.clock.moment
        begun = [
            on
            for group in self.groups
            for house in group.houses
            if (on := group.next_day(house, now, now.date())) is not None
        ]
        until = min(begun, default=now.date()) + timedelta(days=DAYS_MAX - 1)
        done = [len(group.audit_nights(now, until)) for group in self.groups]
        for expected in (sum(done), 0) if again else (sum(done),):
            progress = self.world.run_job("run_night_audit", as_of=until)
            checks.same((progress.done, progress.failed), (expected, 0), "what the night came to")
        self.count("nights audited", sum(done))
        for tenant, group in enumerate(self.groups):
            self.take_over_days(tenant, group)
            self.take_over_folios(tenant)
            for folio in group.folios:
                if folio["stay"]:
                    self.look(tenant, folio)
        self.listen()

    def take_over_days(self, tenant: int, group: Group) -> None:
        """The ids of days that have ended, and what is written of them."""
        if all(day["id"] for day in group.days.values()):
            return
        for said in self.get(tenant, "/night-audits", limit="200")["items"]:
            checks.same_day(group, said)
