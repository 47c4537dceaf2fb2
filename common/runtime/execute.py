"""The runner: every use case runs here, and nothing else begins or ends a transaction for it.

A command is claimed by its key, run, and committed together with its effect, its ledger entries,
its events, its audit entries and its answer. So whatever happens, there are only two states:
nothing has happened, or everything has, and then the same key answers the same again.

- A serialisation failure, a deadlock, or somebody who was faster at the same unique thing: run
  again, at most three times.
- The connection broke during the commit: nobody knows whether it took effect. With a key it is run
  again, because the stored answer tells; without one it is given up. - Several concurrent commands
  of one tenant may share a transaction. One that is refused leaves nothing behind; if the shared
  commit fails, each is run alone.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from typing import Any, Final
from uuid import UUID

from common.domain.dataclass import dataclass
from common.domain.refusal import Refusal
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.ports.transactions import (
    Allowance,
    Caller,
    CommandInProgress,
    DatabaseAway,
    Key,
    Limit,
    Opened,
    Opening,
    OutcomeUnknown,
    StepUpReplayed,
    StoredAnswer,
    Transactions,
    TryAgain,
)

ATTEMPTS_MAX: Final = 3


class TooManyRequests(Refusal):
    area = "GENERAL"
    code = "RATE_LIMITED"
    title = "Too many requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One command: the use case, what it is asked, by whom, and the keys that make it itself.

    `keys` are tried in order. `answer` turns the outcome into what is stored and sent. `perform` is
    what has to happen outside (a signature, a link, a PDF): it gets what the use case found and
    runs between two transactions, never in one; `record` then writes down what it came to. One that
    `intends` writes down in the first of them that it will be performed, and commits that: whatever
    dies then, it is known that it may have been. Its key is answered by the last phase only, and
    what was performed is recorded whoever was answered first: as often as it is told, it is one.
    A version that was expected is compared by the first phase that reads it, and not again by a
    later one, nor for a retry of what was intended.
    What `serves_recovery` writes also while the database only reads for all others.
    `locks` is the id of what it locks: calls that go together lock in the order of their ids.
    `after_refusal` runs in a transaction of its own when the command was refused for that reason.
    `took` hears what the limits granted, also when the command is then refused.
    """

    use_case: Callable[[Any, Transaction], Any]
    request: Any
    caller: Caller
    tenant_id: UUID
    answer: Callable[[Any], StoredAnswer]
    keys: tuple[Key, ...] = ()
    limits: tuple[Limit, ...] = ()
    took: Callable[[tuple[Allowance, ...]], None] = lambda allowances: None
    reads_only: bool = False
    serves_recovery: bool = False
    intends: bool = False
    locks: str = ""
    perform: Callable[[Any, Powers], Any] | None = None
    record: Callable[[Any, Transaction], Any] | None = None
    after_refusal: dict[type[Refusal], Callable[..., Any]] = field(default_factory=dict)

    @property
    def intentions(self) -> tuple[Key, ...]:
        """By what it is known again that it was intended, where it matters that it was."""
        matters = self.intends and self.caller.expects is not None
        return tuple(key.of_intention for key in self.keys) if matters else ()


@dataclass(frozen=True, slots=True)
class Result:
    """What a call came to. `outcome` is None for a replay; `caller` who called, and what version
    they still expect."""

    answer: StoredAnswer
    replayed: bool = False
    outcome: Any = None
    caller: Caller | None = None


class Runner:
    """Runs calls on the transactions it is given."""

    def __init__(self, transactions: Transactions, powers: Powers) -> None:
        self._transactions = transactions
        self._powers = powers

    def run(self, call: Call) -> Result:
        """Run one call to its answer.

        Raises the refusal of the use case, CommandInProgress, KeyReused, TooManyRequests,
        OutcomeUnknown, TryAgain (when the attempts are used up), DatabaseUnavailable,
        TenantUnknown.
        """
        if call.perform is not None:
            return self._in_phases(call, call.perform)
        try:
            result = self._settled([call])[0]
        except Refusal as refusal:
            self._follow_up(call, refusal)
            raise
        if isinstance(result, Refusal):
            self._follow_up(call, result)
            raise result
        return result

    def run_together(self, calls: Sequence[Call]) -> list[Result | Exception]:
        """Run calls of one tenant in one transaction, each to its own answer or refusal.

        They lock in the order of what they lock, and in that of their coming where it is the same:
        two crowds, on two instances, would otherwise wait for one another.
        """
        places = sorted(range(len(calls)), key=lambda place: calls[place].locks)
        told = dict(zip(places, self._together([calls[place] for place in places]), strict=True))
        return [told[place] for place in range(len(calls))]

    def _together(self, calls: Sequence[Call]) -> list[Result | Exception]:
        try:
            results = self._settled(calls)
        except DatabaseAway as away:
            return [DatabaseAway(*away.args) for _ in calls]
        except Exception:  # noqa: BLE001 - whatever it is, each call gets its own try and error
            return self._one_by_one(calls)
        return [self._followed(*pair) for pair in zip(calls, results, strict=True)]

    def _one_by_one(self, calls: Sequence[Call]) -> list[Result | Exception]:
        """Run each alone. Where there is no database for one, those behind it do not wait in turn:
        25 of them would wait 25 times as long as each of them alone."""
        told: list[Result | Exception] = []
        for call in calls:
            is_away = told and isinstance(told[-1], DatabaseAway)
            told.append(DatabaseAway() if is_away else self._alone(call))
        return told

    def _in_phases(self, call: Call, perform: Callable[[Any, Powers], Any]) -> Result:
        """Find out in one transaction, perform outside, record in another one."""
        finding = replace(call, perform=None, record=None, answer=_unstored)
        found = self.run(replace(finding, reads_only=not call.intends))
        if found.replayed or found.outcome is None:
            return found if found.replayed else Result(call.answer(None))
        try:
            performed = perform(found.outcome, self._powers)
        except Refusal as refusal:
            self._follow_up(call, refusal)
            raise
        if call.record is None:
            return Result(call.answer(performed), outcome=performed)
        recording = replace(
            call,
            perform=None,
            intends=False,
            use_case=call.record,
            request=performed,
            caller=found.caller or call.caller,
            limits=(),
        )
        recorded = self.run(recording)
        if recorded.replayed and call.intends:
            # A retry beside this call was answered, and may have heard nothing.
            self.run(replace(recording, keys=()))
        return recorded

    def _alone(self, call: Call) -> Result | Exception:
        try:
            return self.run(call)
        except Exception as error:  # noqa: BLE001 - handed to the caller who waits for it
            return error

    def _followed(self, call: Call, result: Result | Refusal) -> Result | Exception:
        """The result, when what a refusal brings about has been done."""
        if isinstance(result, Result):
            return result
        try:
            self._follow_up(call, result)
        except Exception as error:  # noqa: BLE001 - handed to the caller whose refusal it was
            return error
        return result

    def _settled(self, calls: Sequence[Call]) -> list[Result | Refusal]:
        uncounted = list(calls[0].limits)
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                return self._once(calls, uncounted)
            except TryAgain:
                if attempt == ATTEMPTS_MAX:
                    raise
            except OutcomeUnknown:
                if attempt == ATTEMPTS_MAX or not all(call.keys for call in calls):
                    raise
        raise TryAgain  # never reached: the last attempt returns or raises

    def _once(self, calls: Sequence[Call], uncounted: list[Limit]) -> list[Result | Refusal]:
        """Try once. What was counted is struck off, so that it is counted once in all attempts."""
        opening = Opening(
            tenant_id=calls[0].tenant_id,
            reads_only=all(call.reads_only for call in calls),
            serves_recovery=all(call.serves_recovery for call in calls),
            keys=tuple(
                dict.fromkeys(k.hash for call in calls for k in (*call.keys, *call.intentions))
            ),
            limits=tuple(uncounted),
            step_ups=tuple(call.caller.step_up for call in calls if call.caller.step_up),
        )
        with self._transactions.open(opening) as opened:
            uncounted.clear()
            calls[0].took(opened.allowances)
            _within_limits(opening.limits, opened.allowances)
            claimed: set[bytes] = set()
            results = [self._command(call, opened, claimed) for call in calls]
            if not opening.reads_only and _wrote(results):
                opened.commit()
        return results

    def _command(self, call: Call, opened: Opened, claimed: set[bytes]) -> Result | Refusal:
        try:
            stored = _stored(call, opened, claimed)
            if stored is not None:
                return Result(stored, replayed=True)
            if call.caller.step_up and call.caller.step_up.token_id in opened.used:
                raise StepUpReplayed()
            command = opened.command(_caller(call, opened))
            outcome = call.use_case(call.request, command)
            _refuse_withheld(call, opened)
            answer = call.answer(outcome)
            if not call.reads_only:
                for key in call.intentions if call.intends else call.keys:
                    if key.hash not in opened.answers:
                        command.remember(key, answer)
                command.finish()
        except Refusal as refusal:
            return refusal
        claimed.update(key.hash for key in call.keys)
        return Result(answer, outcome=outcome, caller=command.caller)

    def _follow_up(self, call: Call, refusal: Refusal) -> None:
        """Let the refusal have its own consequence, in a transaction of its own."""
        follow_up = call.after_refusal.get(type(refusal))
        if follow_up is None:
            return
        following = Call(
            use_case=lambda request, tx: follow_up(request, tx, refusal),
            request=call.request,
            caller=Caller(actor=call.caller.actor, traceparent=call.caller.traceparent),
            tenant_id=call.tenant_id,
            answer=_unstored,
        )
        self._settled([following])


def _unstored(_: Any) -> StoredAnswer:
    """What a finding phase answers: nothing that is kept."""
    return StoredAnswer(b"", 0, {}, "")


def _wrote(results: Sequence[Result | Refusal]) -> bool:
    return any(isinstance(result, Result) and not result.replayed for result in results)


def _within_limits(limits: tuple[Limit, ...], allowances: tuple[Allowance, ...]) -> None:
    for limit, allowance in zip(limits, allowances, strict=True):
        if allowance.granted < 1:
            raise TooManyRequests(
                limit=limit.quota, retryAfterSeconds=math.ceil(allowance.resets_in_seconds)
            )


def _stored(call: Call, opened: Opened, claimed: set[bytes]) -> StoredAnswer | None:
    """The answer that was stored under one of the call's keys.

    Refuses: CommandInProgress, KeyReused or the conflict that the key stands for.
    """
    for key in call.keys:
        if key.hash in opened.busy or key.hash in claimed:
            raise CommandInProgress()
        stored = opened.answers.get(key.hash)
        if stored is None or _is_withheld(call, stored):
            continue
        if stored.fingerprint != key.fingerprint:
            raise key.conflict()
        return stored
    return None


def _caller(call: Call, opened: Opened) -> Caller:
    """Who calls; of what this very command was intended with already it expects no version again,
    as the first attempt itself has moved that on."""
    for key in call.intentions:
        intended = opened.answers.get(key.hash)
        if intended is not None and intended.fingerprint == key.fingerprint:
            return replace(call.caller, expects=None)
    return call.caller


def _is_withheld(call: Call, stored: StoredAnswer) -> bool:
    """Whether the caller does not work where the answer is about, or does no more."""
    return not all(map(call.caller.actor.holds, stored.property_ids))


def _refuse_withheld(call: Call, opened: Opened) -> None:
    """Who may not hear an answer hears what the use case refuses, as if there were none. Where it
    refuses nothing, the key is taken all the same. Refuses: KeyReused, or what the key stands for.
    """
    for key in call.keys:
        stored = opened.answers.get(key.hash)
        if stored is not None and _is_withheld(call, stored):
            raise key.conflict()
