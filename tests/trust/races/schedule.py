"""Who goes on when, and what strikes whom: drawn from a seed, or written down to be played again.

Left alone, the one who works goes on until it ends or has to wait, and then the first in line who
can: that is a schedule of no switches. Everything else is a switch: at its nth point a worker
stands still, and another one goes on. So a schedule is a list of switches and faults, each of which
can be left out without disturbing the others. What was drawn from a seed is written down in the
same form: it can be played again, and made shorter.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tests.trust.races.stepping import Fault

Place = tuple[int, int]
"""A worker and the number of the point at which it stands; (-1, 0) is the beginning."""
BEGINNING: Place = (-1, 0)
FAULTS_MAX = 2


class Schedule(Protocol):
    """Decides, when it is asked."""

    def next(self, place: Place, usual: int, ready: Sequence[int]) -> int:
        """Which of those who are ready goes on, where the `usual` one would."""

    def fault(self, place: Place) -> Fault | None:
        """What strikes a worker at this point."""


@dataclass(frozen=True)
class Written:
    """A schedule as a list: where somebody else goes on, and where something strikes."""

    switches: dict[Place, int] = field(default_factory=dict)
    faults: dict[Place, Fault] = field(default_factory=dict)

    def next(self, place: Place, usual: int, ready: Sequence[int]) -> int:
        other = self.switches.get(place, usual)
        return other if other in ready else usual

    def fault(self, place: Place) -> Fault | None:
        return self.faults.get(place)


class Drawn:
    """A schedule drawn from a seed, and written down while it is played.

    Some seeds change hands at every point, others let a worker run for long: races hide in both.
    `deadly` faults are drawn where the seed says so, at most two a play.
    """

    def __init__(self, seed: int, *, faults: bool = True) -> None:
        self._dice = random.Random(seed)
        self._stays = self._dice.choice((0.0, 0.3, 0.6, 0.85))
        self._strikes = self._dice.choice((0.0, 0.0, 0.03, 0.08)) if faults else 0.0
        self.switches: dict[Place, int] = {}
        self.faults: dict[Place, Fault] = {}

    def next(self, place: Place, usual: int, ready: Sequence[int]) -> int:
        if self._dice.random() < self._stays:
            return usual
        chosen = self._dice.choice(ready)
        if chosen != usual:
            self.switches[place] = chosen
        return chosen

    def fault(self, place: Place) -> Fault | None:
        if len(self.faults) == FAULTS_MAX or self._dice.random() >= self._strikes:
            return None
        fault = self._dice.choice(list(Fault))
        self.faults[place] = fault
        return fault

    def written(self) -> Written:
        """What was drawn."""
        return Written(dict(self.switches), dict(self.faults))
