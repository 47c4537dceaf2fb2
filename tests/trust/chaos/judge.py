"""Judges what a history and the books say of one another (REL-4).

Every acknowledged command is there once, whole, with the amount that was sent. Every refused one is
not there. Every other one is wholly there or wholly not. The same key was given the same answer.
Nothing is there that nobody asked for. What was told arrived, in the order of its aggregate.
"""

from collections import Counter
from collections.abc import Iterator

from tests.trust.chaos.effects import (
    Found,
    follow_ups,
    found,
    is_begun,
    key_hashes,
    owed,
    payment_of,
)
from tests.trust.chaos.evidence import Books
from tests.trust.chaos.history import WEBHOOK, Answered, Command, Story

OF_BILLING = "MELMASTOON.BILLING"
BALANCE_DUE = "MELMASTOON.BILLING.BALANCE_DUE"
TOO_FEW, TOO_MANY = (
    f"MELMASTOON.BILLING.{code}" for code in ("INSUFFICIENT_CREDITS", "CREDIT_BALANCE_LIMIT")
)
_OVER = frozenset({f"{OF_BILLING}.OVERPAYMENT", f"{OF_BILLING}.FOLIO_CLOSED"})
EXPECTED_REFUSALS = {
    "open_folio": frozenset[str](),
    "post_charge": frozenset({"MELMASTOON.BILLING.FOLIO_CLOSED"}),
    "void_charge": frozenset({"MELMASTOON.BILLING.FOLIO_CLOSED"}),
    "record_payment": frozenset(
        {"MELMASTOON.BILLING.FOLIO_CLOSED", "MELMASTOON.BILLING.OVERPAYMENT", TOO_FEW}
    ),
    "refund_payment": frozenset({"MELMASTOON.BILLING.FOLIO_CLOSED"}),
    "transfer_lines": frozenset({"MELMASTOON.BILLING.FOLIO_CLOSED"}),
    "close_folio": frozenset({"MELMASTOON.BILLING.FOLIO_CLOSED", BALANCE_DUE}),
    "grant_credits": frozenset({TOO_MANY}),
    "transfer_credits": frozenset({"MELMASTOON.BILLING.CREDIT_ACCOUNT_UNKNOWN", TOO_FEW, TOO_MANY}),
    "deduct_credits": frozenset({TOO_FEW}),
    "create_payment_intent": _OVER,
    "confirm_payment": _OVER | {f"{OF_BILLING}.PAYMENT_UNDER_WAY"},
    WEBHOOK: frozenset[str](),
}
"""What may rightly be said to a client of this load; anything else is a fault of the service."""


def judge(story: Story, books: Books) -> list[str]:
    """What is wrong, at any moment at which nothing is under way."""
    wrong: list[str] = []
    accounted: set[str] = set()
    for command in story.commands.values():
        here = found(command, story, books)
        accounted |= here.rows
        wrong += _command(command, here, story)
        wrong += _answers(command, story, books)
        if command.function == "close_folio":
            wrong += _refused_closes(command, story, books, accounted)
    wrong += [f"{row} belongs to no command" for row in sorted(books.rows() - accounted)]
    wrong += _closed_by_nobody(story, books)
    wrong += _shared_commits(story, books)
    wrong += _series(books)
    return wrong


def judge_at_rest(story: Story, books: Books) -> list[str]:
    """What is wrong after all: the above, every command settled, every event arrived."""
    wrong = judge(story, books)
    wrong += [f"{key} was never answered" for key in story.commands if story.is_open(key)]
    wrong += _arrivals(story, books)
    wrong += collected(story, books)
    return wrong


def judge_settlement(story: Story, before: dict[str, bool]) -> list[str]:
    """Commands that were open, and whether they were there: a retry has told their clients so."""
    wrong = []
    for key, was_there in before.items():
        done = story.acknowledged(key)
        if was_there and not (done and done[0].replayed):
            wrong.append(f"{key} had taken effect, and its retry did not answer it again")
        if not was_there and done and done[0].replayed:
            wrong.append(f"{key} had taken no effect, and its retry answered an older answer")
    return wrong


def open_commands(story: Story, books: Books) -> dict[str, bool]:
    """The commands that nobody knows about, and whether they are there."""
    return {
        key: _is_done(command, found(command, story, books))
        for key, command in story.commands.items()
        if story.is_open(key)
    }


def _is_done(command: Command, here: Found) -> bool:
    """Whether there is what its retry answers again; the processor is asked after by a retry, and
    is itself answered anew."""
    if command.function == WEBHOOK:
        return False
    if command.function == "confirm_payment":
        return here.pieces["stored_answers"] > 0
    return not here.nothing


def committed(story: Story, books: Books) -> list[tuple[str, bool]]:
    """The commits of which nobody heard: how each was lost, and whether it had taken effect."""
    written = _written(books)
    return [(lost.how, lost.audits[0] in written) for lost in story.lost]


def _command(command: Command, here: Found, story: Story) -> Iterator[str]:
    name = f"{command.key} ({command.function})"
    whole, pieces = owed(command), {n: much for n, much in here.pieces.items() if much}
    if command.function == "confirm_payment":
        yield from _card_payment(name, command, whole, pieces, story)
    elif story.acknowledged(command.key):
        if here.nothing:
            yield f"{name} was acknowledged and is lost"
        elif pieces != whole:
            yield f"{name} was acknowledged, and {_difference(whole, pieces)}"
    elif story.refused(command.key):
        if not here.nothing:
            yield f"{name} was refused, and yet there is {pieces}"
    elif not here.nothing and pieces != whole:
        yield f"{name} was not acknowledged and is there in part: {_difference(whole, pieces)}"


def _card_payment(
    name: str, command: Command, whole: dict[str, int], pieces: dict[str, int], story: Story
) -> Iterator[str]:
    """Nothing, what is written down before the processor is asked, or all of it: and all of it,
    where the answer said so. What the processor told first is there without an answer."""
    done = story.acknowledged(command.key)
    if story.refused(command.key) and not done:
        if pieces:
            yield f"{name} was refused, and yet there is {pieces}"
        return
    is_whole = pieces == whole or (not done and pieces | {"stored_answers": 1} == whole)
    says_so = bool(done) and '"status":"succeeded"' in done[0].body.replace(" ", "")
    if not is_whole and (says_so or (pieces and not is_begun(pieces)) or (done and not pieces)):
        yield f"{name} is there in part: {_difference(whole, pieces)}"


def collected(story: Story, books: Books) -> Iterator[str]:
    """What the processor has taken stands on a folio, once; and a folio that was closed has
    collected what it came to, by whatever it was paid."""
    for place in sorted({*books.taken, *books.carded}):
        took, has = books.taken.get(place), books.carded.get(place)
        if took != has:
            yield f"the processor has taken {took} as {place[1]}, and {has} stands on its folio"
    confirms = {payment_of(c) for c in story.commands.values() if c.function == "confirm_payment"}
    for _, payment in sorted(books.taken):
        if payment not in confirms:
            yield f"{payment} was taken, and nobody has asked for it"
    for place in sorted(books.closed):
        owed_micro, paid_micro = books.came_to[place], books.paid_on[place]
        if owed_micro != paid_micro:
            yield f"folio {place[1]} came to {owed_micro}, and {paid_micro} was collected for it"


def _difference(whole: dict[str, int], pieces: dict[str, int]) -> str:
    names = [n for n in sorted({*whole, *pieces}) if whole.get(n, 0) != pieces.get(n, 0)]
    return ", ".join(f"{n} is {pieces.get(n, 0)}, not {whole.get(n, 0)}" for n in names)


def _answers(command: Command, story: Story, books: Books) -> Iterator[str]:
    """One answer for a key, given for the first time once, and stored as it was given."""
    name = f"{command.key} ({command.function})"
    done, refused = story.acknowledged(command.key), story.refused(command.key)
    if command.function == WEBHOOK:
        for answer in refused:
            yield f"{name} was answered {answer.status} {answer.code or repr(answer.body[:80])}"
        return
    if len({(answer.status, answer.body) for answer in done}) > 1:
        yield f"{name} was answered with different bytes"
    if sum(not answer.replayed for answer in done) > 1:
        yield f"{name} was executed twice: two of its answers are no replays"
    if done and refused:
        yield f"{name} was acknowledged and refused"
    for answer in refused:
        if answer.code not in EXPECTED_REFUSALS[command.function]:
            yield f"{name} was answered {answer.status} {answer.code or repr(answer.body[:80])}"
    yield from _stored(name, command, done, books)


def _stored(name: str, command: Command, done: list[Answered], books: Books) -> Iterator[str]:
    for key_hash in key_hashes(command):
        stored = books.stored.get(key_hash)
        if stored is None or not done:
            continue
        if (stored.function, stored.status) != (command.function, done[0].status):
            yield f"{name} is stored as {stored.function} {stored.status}"
        if stored.body != done[0].body:
            yield f"{name} was answered with other bytes than are stored"


def _refused_closes(
    command: Command, story: Story, books: Books, accounted: set[str]
) -> Iterator[str]:
    """Each close that was refused for a balance has told the house so, once."""
    told = {a.attempt for a in story.answers[command.key] if a.code == BALANCE_DUE}
    for sent in story.sent[command.key]:
        audits, events = follow_ups([sent.trace], books)
        accounted |= {f"audit {each.id}" for each in audits}
        accounted |= {f"event {each.id}" for each in events}
        if len(audits) != len(events) or len(audits) > 1:
            yield f"{command.key} told of its balance {len(audits)} and {len(events)} times"
        elif sent.attempt in told and not audits:
            yield f"{command.key} was refused for its balance, and nobody was told"


def _closed_by_nobody(story: Story, books: Books) -> Iterator[str]:
    closes = [c for c in story.commands.values() if c.function == "close_folio"]
    closed_by = Counter(
        (close.tenant, close.folio)
        for close in closes
        if found(close, story, books).pieces["closed"]
    )
    for place in sorted(books.closed | set(closed_by)):
        if closed_by[place] != 1:
            yield f"folio {place[1]} is closed by {closed_by[place]} commands"


def _shared_commits(story: Story, books: Books) -> Iterator[str]:
    """What was sent in one commit is there together or not at all."""
    written = _written(books)
    for lost in story.lost:
        there = sum(audit in written for audit in lost.audits)
        if there not in (0, len(lost.audits)):
            yield f"of a commit with {len(lost.audits)} audit entries, {there} are there"


def _written(books: Books) -> set[str]:
    return {audit.id for audits in books.audits.values() for audit in audits}


def _series(books: Books) -> Iterator[str]:
    for name, last, numbers in books.series:
        if numbers != list(range(1, last + 1)):
            yield f"series {name} gave {last} numbers, and its documents bear {numbers}"


def _arrivals(story: Story, books: Books) -> Iterator[str]:
    """Each event came at least once; the events of an aggregate came first in their order."""
    came: dict[str, list[int]] = {}
    arrived = set()
    for arrival in story.arrived:
        numbers = came.setdefault(arrival.ordering_key, [])
        if arrival.sequence not in numbers:
            numbers.append(arrival.sequence)
        arrived.add(arrival.event_id)
    told = books.told()
    for event in told:
        if event.id not in arrived:
            yield f"{event.fact} of {event.ordering_key} never arrived"
        if not event.published:
            yield f"{event.fact} of {event.ordering_key} still waits"
    for event_id in sorted(arrived - {event.id for event in told}):
        yield f"{event_id} arrived and is not in the books"
    for key, numbers in came.items():
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"the events of {key} arrived first in the order {numbers}"
