"""What a part of the trust run has done, counted: commands, faults, violations.

Every part (races, fault points, the state machine, chaos, tampering, defects) fills one of these;
`make trust` puts them together into the report, and the gate asserts that nothing was violated.
"""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """The figures of one part.

    `commands` were run against the service, `faults` were injected, by kind. `violations` are
    sentences, each with what is needed to see it again (a seed). `figures` are further rows of the
    part's table, in their order; `stories` is prose below it.
    """

    part: str
    commands: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)
    stories: list[str] = field(default_factory=list)
    seconds: float = 0.0
