"""The long run: a storm for as long as one has, and its figures for the report."""

import time
from pathlib import Path

from tests.trust.chaos.episode import Plan, play
from tests.trust.chaos.figures import tally_of
from tests.trust.chaos.storm import LONG_DECK
from tests.trust.tally import Tally

STORM_SHARE = 0.75
"""The rest goes into starting, settling and judging."""


def run(seconds: float, seed: int, folder: Path) -> Tally:
    """A storm on a server of its own; its history and its logs are left in the folder."""
    started = time.monotonic()
    plan = Plan(seed=seed, deck=LONG_DECK, seconds=seconds * STORM_SHARE)
    tally = tally_of(play(plan, folder))
    tally.seconds = time.monotonic() - started
    return tally
