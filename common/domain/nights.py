"""Nights of a stay, and where they are cut: nights that are taxed alike stand together (FOL-12).

A stay over a rate change is taxed night by night. So a charge for several nights is cut where a
rule begins or ends, and where the cap of a rate is reached; a fixed amount counts its own nights
and needs no cut. Each stretch becomes a line of its own: a line of an invoice bears one rate of VAT
(EN 16931 BG-30), and a reader can hold it against the rates of its days.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from common.domain.dataclass import dataclass
from common.domain.tax import TaxRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupancy:
    """Who sleeps how often: what amounts a night and a person go by.

    `first_night` is the place of the first of the `nights` in the whole stay, from 1; `ages` are
    those of the `persons`, as far as they are known.
    """

    nights: int = 1
    persons: int = 1
    first_night: int = 1
    ages: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive nights from the day `on` that are taxed alike."""

    on: date
    occupancy: Occupancy


def stretches(
    on: date, occupancy: Occupancy, kind: str, jurisdiction: str, rules: Iterable[TaxRule]
) -> list[Stretch]:
    """Cut nights from the day `on` into as few stretches as are taxed alike, in their order."""
    concerned = [r for r in rules if r.jurisdiction == jurisdiction and kind in r.charge_kinds]
    starts = [0]
    for night in _possible_cuts(on, occupancy, concerned):
        before = _binding(on, starts[-1], occupancy, concerned)
        if _binding(on, night, occupancy, concerned) != before:
            starts.append(night)
    ends = [*starts[1:], occupancy.nights]
    return [
        Stretch(
            on + timedelta(days=start),
            replace(occupancy, nights=end - start, first_night=occupancy.first_night + start),
        )
        for start, end in zip(starts, ends, strict=True)
    ]


def _possible_cuts(on: date, occupancy: Occupancy, rules: Sequence[TaxRule]) -> list[int]:
    """Nights, counted from 0, before which the rules may change; the first is none of them."""
    days = {edge for rule in rules for edge in (rule.valid_from, rule.valid_to) if edge}
    nights = {(day - on).days for day in days}
    caps = [cap for rule in rules if (cap := _cap_of_a_rate(rule)) is not None]
    nights |= {cap + 1 - occupancy.first_night for cap in caps}
    return sorted(night for night in nights if 0 < night < occupancy.nights)


def _binding(on: date, night: int, occupancy: Occupancy, rules: Sequence[TaxRule]) -> list[TaxRule]:
    """The rules that tax that night."""
    day, place = on + timedelta(days=night), occupancy.first_night + night
    return [
        rule for rule in rules if rule.is_in_force(day) and place <= (_cap_of_a_rate(rule) or place)
    ]


def _cap_of_a_rate(rule: TaxRule) -> int | None:
    """The last night of a stay that a rate is for, if it ends; None for a fixed amount."""
    return rule.cap_nights if rule.rate_ppm is not None else None
