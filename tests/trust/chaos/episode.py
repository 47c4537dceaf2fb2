"""One episode: a load, a storm, the lights go out, a verdict; then calm, and a verdict again.

The first verdict is on what a client can find after the worst: of an unacknowledged command all or
nothing. Then everything unanswered is sent again until it is answered, everything acknowledged is
sent once more, the outbox drains, and the second verdict is on the whole.
"""

import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.trust.books import broken
from tests.trust.chaos.cards import CardDesk, Processor
from tests.trust.chaos.clients import (
    PATIENCE_SECONDS,
    Banquet,
    Bar,
    Courier,
    Desk,
    Guests,
    Treasurer,
    over_http,
)
from tests.trust.chaos.deployment import Deployment, deployed
from tests.trust.chaos.evidence import Books
from tests.trust.chaos.history import History, Story, read
from tests.trust.chaos.judge import committed, judge, judge_at_rest, judge_settlement, open_commands
from tests.trust.chaos.storm import Fault, Storm
from tests.trust.chaos.wire import FAIR, Weather

HOTELS = 3
DESKS = 5
BARS = 3
CARD_DESKS = 2
SETTLED_AT_ONCE = 6
COMMANDS_BETWEEN = 20
COMMANDS_BETWEEN_BANQUETS = 250
COMMANDS_BETWEEN_GRANTS = 40
BY_CREDITS = 0.4
LOOK_SECONDS = 0.2
TELLS_EVERY_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much of it: a deck of faults, further ones for so long, and so much before it is calm."""

    seed: int
    deck: Sequence[Fault]
    seconds: float = 0.0
    commands_min: int = 0
    cuts_min: int = 0
    pooled: bool = False


@dataclass
class Verdict:
    """What came of it: the history, what was open in the dark and there, and what is wrong."""

    story: Story
    before: dict[str, bool]
    lost: list[tuple[str, bool]]
    wrong: list[str]


def play(plan: Plan, folder: Path) -> Verdict:
    """Play an episode and judge it; history and logs are left in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    history = History(folder / "history.jsonl")
    try:
        with deployed(folder, history, plan.seed, hotels=HOTELS, pooled=plan.pooled) as deployment:
            return _Episode(plan, deployment, history).play()
    finally:
        history.close()


@dataclass
class _Episode:
    plan: Plan
    deployment: Deployment
    history: History
    guests: Guests = field(default_factory=Guests)
    calm: threading.Event = field(default_factory=threading.Event)
    broken_off: threading.Event = field(default_factory=threading.Event)
    told: set[str] = field(default_factory=set)
    """The payments that the processor has told of."""
    before: set[str] = field(default_factory=set)
    """The rows that were there before it began."""

    def play(self) -> Verdict:
        self.before = self._look()[1].rows()
        self._load_and_storm()
        self.deployment.lights_out()
        story, books = self._look()
        before, lost = open_commands(story, books), committed(story, books)
        wrong = [f"in the dark: {sentence}" for sentence in judge(story, books)]
        self._settle(story)
        self._processor().tell()
        self.deployment.let_all_be_told()
        story, books = self._look()
        wrong += judge_at_rest(story, books) + judge_settlement(story, before)
        for hotel in self.deployment.hotels_now():
            wrong += broken(hotel)
        return Verdict(story, before, lost, [f"{each} (seed {self.plan.seed})" for each in wrong])

    def _load_and_storm(self) -> None:
        """All clients at work while the storm rages; each ends what it has begun, in the calm."""
        storm = Storm(self.deployment, self.history, self.plan.seed)
        ends_at = time.monotonic() + self.plan.seconds
        with ThreadPoolExecutor(DESKS + BARS + CARD_DESKS + 3) as threads:
            clients = [threads.submit(self._desk, number) for number in range(DESKS)]
            clients += [threads.submit(self._bar, number) for number in range(BARS)]
            clients += [threads.submit(self._card_desk, number) for number in range(CARD_DESKS)]
            clients += [threads.submit(self._banquet), threads.submit(self._treasurer)]
            clients += [threads.submit(self._tell)]
            self.deployment.wire.weather = Weather()
            try:
                storm.rage(self.plan.deck, COMMANDS_BETWEEN, lambda: time.monotonic() > ends_at)
                assert self.history.wait_for(
                    self.plan.commands_min, self.plan.cuts_min, PATIENCE_SECONDS
                ), "the load does not come forward"
            except BaseException:
                self.broken_off.set()
                raise
            finally:
                self.deployment.wire.weather = FAIR
                self.calm.set()
        for client in clients:
            client.result()

    def _desk(self, number: int) -> None:
        dice = random.Random(f"{self.plan.seed}/desk/{number}")
        desk = Desk(f"desk{number}", self._courier(dice), dice, self.guests, by_credits=BY_CREDITS)
        while not self.calm.is_set():
            desk.stay(dice.choice(self.deployment.hotels))

    def _card_desk(self, number: int) -> None:
        dice = random.Random(f"{self.plan.seed}/cards/{number}")
        desk = CardDesk(f"cards{number}", self._courier(dice), dice, self.guests,
                        wallets=self.deployment.wallets)  # fmt: skip
        while not self.calm.is_set():
            desk.stay(dice.choice(self.deployment.hotels))

    def _tell(self) -> None:
        """The processor tells of what it has taken, in bursts, and of the rest in the calm."""
        while not self.calm.wait(TELLS_EVERY_SECONDS):
            self._processor().tell()

    def _processor(self) -> Processor:
        dice = random.Random(f"{self.plan.seed}/processor/{len(self.told)}")
        by_tenant = {str(hotel.tenant_id): hotel for hotel in self.deployment.hotels}
        name = f"processor{len(self.told)}"
        where = {"folder": self.deployment.processor, "hotels": by_tenant, "told": self.told}
        return Processor(name, self._courier(dice), dice, self.guests, **where)

    def _bar(self, number: int) -> None:
        dice = random.Random(f"{self.plan.seed}/bar/{number}")
        bar = Bar(f"bar{number}", self._courier(dice), dice, self.guests)
        while not self.calm.is_set():
            bar.serve()

    def _banquet(self) -> None:
        """Now and then, when the others have done so much."""
        dice = random.Random(f"{self.plan.seed}/banquet")
        banquet = Banquet("banquet", self._courier(dice), dice, self.guests)
        while self._comes_to(COMMANDS_BETWEEN_BANQUETS):
            banquet.serve()

    def _treasurer(self) -> None:
        """Every hotel at once, and then one now and then."""
        dice = random.Random(f"{self.plan.seed}/treasurer")
        treasurer = Treasurer("treasurer", self._courier(dice), dice, self.guests)
        for hotel in self.deployment.hotels:
            treasurer.serve(hotel)
        while self._comes_to(COMMANDS_BETWEEN_GRANTS):
            treasurer.serve(dice.choice(self.deployment.hotels))

    def _comes_to(self, commands: int) -> bool:
        """Wait until the others have done so much; False once it is calm."""
        next_one = self.history.acknowledged + commands
        while not self.history.wait_for(next_one, 0, LOOK_SECONDS):
            if self.calm.is_set():
                return False
        return not self.calm.is_set()

    def _courier(self, dice: random.Random) -> Courier:
        ports = {name: each.port for name, each in self.deployment.functions.items() if each.port}
        post = over_http(ports, self.deployment.hotels)
        return Courier(post, self.history, dice, self.calm, self.broken_off)

    def _settle(self, story: Story) -> None:
        """Send everything again that was not refused: what is open, and what is done."""
        courier = self._courier(random.Random(self.plan.seed))
        again = [each for key, each in story.commands.items() if not story.refused(key)]
        with ThreadPoolExecutor(SETTLED_AT_ONCE) as threads:
            list(threads.map(lambda command: courier.deliver(command, first=False), again))

    def _look(self) -> tuple[Story, Books]:
        tenants = [hotel.tenant_id for hotel in self.deployment.hotels]
        query, processor = self.deployment.cluster.sql, self.deployment.processor
        books = Books.read(query, tenants, processor)
        books.before = self.before
        return Story.of(read(self.history.path)), books
