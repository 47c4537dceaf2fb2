"""The long run: a storm for as long as one has, and its figures for the report."""

import time
from pathlib import Path

from tests.trust.chaos.episode import Plan, play
from tests.trust.chaos.figures import tally_of
from tests.trust.chaos.storm import LONG_DECK
from tests.trust.tally import Tally

SETTLING_SECONDS = 30.0
"""About how long starting, settling and judging take beside the storm."""


def run(seconds: float, seed: int, folder: Path) -> Tally:
    """A storm on a server of its own; its history and its logs are left in the folder."""
    started = time.monotonic()
    storm_seconds = max(seconds - SETTLING_SECONDS, 0)
    tally = tally_of(play(Plan(seed=seed, deck=LONG_DECK, seconds=storm_seconds), folder))
    tally.seconds = time.monotonic() - started
    return tally
