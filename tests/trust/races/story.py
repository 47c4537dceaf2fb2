"""A trace as a story: who did what, in order, and what everybody heard in the end."""

from itertools import groupby

from tests.trust.races.schedule import Written
from tests.trust.races.stage import Play


def told(race: str, play: Play, schedule: Written) -> str:
    """A play in lines that a person can follow."""
    width = max(len(name) for name in play.names)
    switches, faults = len(schedule.switches), len(schedule.faults)
    lines = [f"{race}: {switches} switches, {faults} faults"]
    lines += [f"  {_said(name, steps, width)}" for name, steps in _turns(play)]
    heard = zip(play.names, play.answers, strict=True)
    lines += [f"  {name:<{width}}  {answer}" for name, answer in heard]
    lines += [f"  WRONG: {wrong}" for wrong in play.wrong]
    return "\n".join(lines)


def _turns(play: Play) -> list[tuple[str, list[str]]]:
    """What each did without another between: its turns."""
    return [
        (play.names[worker], [event.what for event in events])
        for worker, events in groupby(play.trace, key=lambda event: event.worker)
    ]


def _said(name: str, steps: list[str], width: int) -> str:
    said = []
    for step, alike in groupby(steps):
        times = len(list(alike))
        said.append(step if times == 1 else f"{step} x{times}")
    return f"{name:<{width}}  {'; '.join(said)}"
