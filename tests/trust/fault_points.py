"""The crash matrix: everything that changes something dies at every point that it reaches (REL-1).

    matrix = Matrix(Scene.build(house))
    matrix.places("post_charge")                              # where it can die
    matrix.wrong("post_charge", ("after_audit", 1))           # what is not as it should be

After the death somebody sends the same again, to an instance that has just started. Then answer,
rows, files and events must be those of a run that nobody disturbed, and the books must be right.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Final

from common.postgres.schemas import FUNCTION_LOGIN, JOB_LOGIN
from tests.hotel import Hotel, House
from tests.trust.books import broken
from tests.trust.faults.doomed import POINTS, Doomed, Place, running
from tests.trust.faults.examples import EXAMPLES, Act
from tests.trust.faults.scene import Scene
from tests.trust.tally import Tally

JOBS: Final = (
    "drain_outbox",
    "render_invoice_backlog",
    "retry_refunds",
    "run_night_audit",
    "detect_cash_patterns",
    "check_books",
    "reconcile_nightly",
    "expire_credits",
    "reconcile_credits",
    "link_customers",
    "settle_payments",
    "rewrap_data_keys",
    "settle_credit_purchases",
    "top_up_credits",
    "collect_subscriptions",
    "settle_subscription_payments",
    "expire_reviews",
    "forget_webhook_bodies",
    "forget_quarantined_webhooks",
    "forget_answers",
    "forget_published_events",
)


@dataclass(frozen=True)
class Undisturbed:
    """What a run came to that nobody disturbed."""

    heard: str
    left: list[str]
    reached: Counter[str]


@dataclass
class Matrix:
    """Functions by places; `died` counts the deaths at each point."""

    scene: Scene
    died: Counter[str] = field(default_factory=Counter)
    _known: dict[str, Undisturbed] = field(default_factory=dict)

    def undisturbed(self, name: str) -> Undisturbed:
        """The run that others are held against; it is made once."""
        if name not in self._known:
            self.scene.wipe()
            act, doomed = EXAMPLES[name](self.scene), self._doomed(name, None)
            heard = self._run(name, act, doomed)
            assert heard is not None
            self._known[name] = Undisturbed(heard, self.scene.left(), doomed.reached)
        return self._known[name]

    def places(self, name: str, *, of_each: int | None = None) -> list[Place]:
        """Where it can die; of what it comes to often, the first time, the last, some between."""
        reached = self.undisturbed(name).reached.items()
        return [(point, nth) for point, times in reached for nth in _spread(times, of_each)]

    def wrong(self, name: str, place: Place) -> list[str]:
        """Let it die there and be done again; what is not as if nothing had happened."""
        expected = self.undisturbed(name)
        self.scene.wipe()
        act, doomed = EXAMPLES[name](self.scene), self._doomed(name, place)
        heard = self._run(name, act, doomed)
        if heard is not None or not doomed.dead:
            return [f"{name} did not die at {place}: {heard}"]
        self.died[place[0]] += 1
        self.scene.let_it_be_gone(doomed)
        again = self._run(name, act, self._doomed(name, None))
        wrong = [] if again == expected.heard else [f"heard {again}, and not {expected.heard}"]
        left = self.scene.left()
        wrong += [f"too much: {row}" for row in sorted(Counter(left) - Counter(expected.left))]
        wrong += [f"missing: {row}" for row in sorted(Counter(expected.left) - Counter(left))]
        wrong += self.scene.out_of_order()
        wrong += [each for hotel in (self.scene.hotel, self.scene.annex) for each in broken(hotel)]
        return [f"{name} died at {place[0]} ({place[1]}): {each}" for each in wrong]

    def _doomed(self, name: str, place: Place | None) -> Doomed:
        return Doomed(place, consumes=name.startswith("on_"))

    def _run(self, name: str, act: Act, doomed: Doomed) -> str | None:
        """What is heard of a call at an instance that has just started; None if it died."""
        at: Hotel = self.scene.starts(doomed, JOB_LOGIN if name in JOBS else FUNCTION_LOGIN)
        heard = None
        try:
            with running(doomed):
                heard = act(at)
        finally:
            at.house.close()
        return heard


def _spread(times: int, at_most: int | None) -> list[int]:
    """The numbers from 1 to `times`, or so many of them from end to end; the last, if only one."""
    if at_most is None or times <= at_most:
        return list(range(1, times + 1))
    if at_most == 1:
        return [times]
    return [1 + (times - 1) * step // (at_most - 1) for step in range(at_most)]


def run(house: House, seconds: float, seed: int) -> Tally:
    """Go through the whole matrix in an order that the seed draws, again and again."""
    started, tally, chance = time.monotonic(), Tally("fault points"), Random(seed)
    matrix = Matrix(Scene.build(house))
    cells = [(name, place) for name in EXAMPLES for place in matrix.places(name)]
    rounds = 0.0
    while not tally.commands or time.monotonic() - started < seconds:
        for name, place in chance.sample(cells, len(cells)):
            tally.violations += [f"seed {seed}: {wrong}" for wrong in matrix.wrong(name, place)]
            tally.commands += 2
            rounds += 1 / len(cells)
            if time.monotonic() - started >= seconds:
                break
    reached: Counter[str] = sum((matrix.undisturbed(n).reached for n in EXAMPLES), Counter())
    tally.faults = matrix.died
    tally.violations += [f"nothing reaches {point}" for point in POINTS if not reached[point]]
    tally.figures = {
        "functions, consumers and jobs": str(len(EXAMPLES)),
        "named points": str(len(POINTS)),
        "places to die at": f"{len(cells)}, gone through {rounds:.1f} times",
    }
    matrix.scene.close()
    tally.seconds = time.monotonic() - started
    return tally
