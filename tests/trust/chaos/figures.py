"""The figures of an episode, counted from its history."""

from collections import Counter
from statistics import median

from tests.trust.chaos.episode import Verdict
from tests.trust.chaos.history import Story, Struck
from tests.trust.chaos.storm import DATABASE_CRASHES, PROCESS_KILLS, Fault
from tests.trust.chaos.wire import AUDITS_OF_A_COMMAND
from tests.trust.tally import Tally

PART = "chaos"


def tally_of(verdict: Verdict) -> Tally:
    """Count what happened."""
    story = verdict.story
    tally = Tally(PART, violations=verdict.wrong)
    tally.commands = sum(bool(story.acknowledged(key)) for key in story.commands)
    tally.faults.update(struck.kind for struck in story.struck)
    tally.faults.update(f"connection cut {cut.place}" for cut in story.cuts)
    there = sum(verdict.before.values())
    tally.figures = {
        "acknowledged commands": f"{tally.commands}",
        "attempts": f"{sum(map(len, story.sent.values()))}",
        "process kills": f"{struck_by(story, PROCESS_KILLS)}",
        "database crashes": f"{struck_by(story, DATABASE_CRASHES)}",
        "connections cut": f"{len(story.cuts)}",
        "commits whose reply was lost": _share(verdict.lost),
        "open when all went dark": f"{len(verdict.before)}, {there} of them in the books",
        "database back at work, seconds": _median_and_max(database_recoveries(story)),
        "process back at work, seconds": _median_and_max([each.seconds for each in story.risen]),
        "events arrived": f"{len(story.arrived)}, "
        f"{len({each.event_id for each in story.arrived})} of them for the first time",
    }
    shared = sum(len(lost.audits) > AUDITS_OF_A_COMMAND for lost in story.lost)
    tally.figures["replies lost to several commands at once"] = f"{shared}"
    for how, count in sorted(Counter(how for how, _ in verdict.lost).items()):
        taken = sum(there for way, there in verdict.lost if way == how)
        tally.figures[f"replies lost {how}"] = f"{count}, {taken} committed"
    return tally


def struck_by(story: Story, kinds: set[Fault]) -> int:
    """How many faults of these kinds there were."""
    return sum(struck.kind in {kind.value for kind in kinds} for struck in story.struck)


def database_recoveries(story: Story) -> list[float]:
    """From each crash to the first acknowledgement of what was sent after it."""
    sent_at = {(s.key, s.attempt): s.at for sent in story.sent.values() for s in sent}
    done = sorted(
        (answer.at, sent_at[answer.key, answer.attempt])
        for answers in story.answers.values()
        for answer in answers
        if answer.acknowledges
    )
    crashes = [each for each in story.struck if Fault(each.kind) in DATABASE_CRASHES]
    return [_first_after(crash, done) for crash in crashes]


def _first_after(crash: Struck, done: list[tuple[float, float]]) -> float:
    return next((at - crash.at for at, sent in done if sent > crash.at), float("inf"))


def _share(lost: list[tuple[str, bool]]) -> str:
    taken = sum(there for _, there in lost)
    percent = round(100 * taken / len(lost)) if lost else 0
    return f"{len(lost)}, {taken} ({percent} %) had committed"


def _median_and_max(seconds: list[float]) -> str:
    return f"median {median(seconds):.1f}, max {max(seconds):.1f}" if seconds else "none"
