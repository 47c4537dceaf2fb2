"""Playing races under many seeds, and what to do with a red one."""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count, cycle, repeat
from pathlib import Path

from tests.hotel import House
from tests.trust.races.plays import RACES
from tests.trust.races.schedule import Drawn, Written
from tests.trust.races.shrink import shrunk
from tests.trust.races.stage import Play, Theatre, perform
from tests.trust.races.story import told
from tests.trust.tally import Tally

RED_TOLD_MAX = 3
MANY = "credits_come_and_go_in_five_ways"
MANY_SEEDS = 1_000
"""What the long run plays of it, in turn with all others, if there is time."""
SEEDS_APART = 1_000_000
"""Runs of different seeds play different schedules."""


@dataclass
class Found:
    """What came of a race under many seeds."""

    plays: int = 0
    commands: int = 0
    points: int = 0
    red: list[int] = field(default_factory=list)
    stories: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)


def seeds_of(count: int) -> Sequence[int]:
    """The seeds of the gate: as many as TRUST_SEEDS says, else `count`."""
    return range(int(os.environ.get("TRUST_SEEDS", count)))


def find(theatre: Theatre, name: str, seeds: Iterable[int]) -> Found:
    """Play a race under each seed; red ones are told as the shortest story that is still red."""
    found = Found()
    for seed in seeds:
        drawn = Drawn(seed)
        play = perform(theatre, RACES[name], drawn)
        found.plays += 1
        found.commands += play.commands
        found.points += len(play.trace)
        found.faults.update(play.faults)
        if play.wrong:
            found.red.append(seed)
            if len(found.stories) < RED_TOLD_MAX:
                found.stories.append(story(theatre, name, seed, drawn.written(), play))
    return found


def story(theatre: Theatre, name: str, seed: int, red: Written, play: Play) -> str:
    """The shortest red play of a race that a red schedule leads to, told; if it is red only once,
    that one as it came."""

    def is_red(schedule: Written) -> bool:
        return bool(perform(theatre, RACES[name], schedule).wrong)

    if not is_red(red):
        return told(f"{name}, seed {seed}, red once and not again", play, red)
    shortest = shrunk(red, is_red)
    return told(f"{name}, seed {seed}", perform(theatre, RACES[name], shortest), shortest)


def in_turn() -> Iterator[str]:
    """All races, again and again; every second play is of `MANY`, until it has had its seeds."""
    pairs = zip(repeat(MANY, MANY_SEEDS), cycle(RACES))
    return chain(chain.from_iterable(pairs), cycle(RACES))


def run(house: House, seconds: float, seed: int) -> Tally:
    """Play all races in turn, each under one seed after the other, until the time is used up."""
    tally = Tally("races under the scheduler")
    started = time.monotonic()
    plays: Counter[str] = Counter()
    points = 0
    with tempfile.TemporaryDirectory() as folder:
        theatre = Theatre.build(house, Path(folder))
        try:
            for name, drawn in zip(in_turn(), count(seed * SEEDS_APART)):
                if time.monotonic() - started >= seconds:
                    break
                found = find(theatre, name, [drawn])
                plays[name] += 1
                points += found.points
                tally.commands += found.commands
                tally.faults.update(found.faults)
                tally.violations += found.stories
        finally:
            theatre.close()
    tally.seconds = time.monotonic() - started
    tally.figures = {
        "races": str(len(RACES)),
        "seeds, each race": f"{min(plays.values(), default=0)} to {max(plays.values(), default=0)}",
        f"seeds of {MANY}": f"{plays[MANY]:,}",
        "plays": f"{plays.total():,}",
        "points at which another could go on": f"{points:,}",
    }
    return tally
