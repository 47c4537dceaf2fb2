"""Every code that a caller can be answered with, and which function can answer which (API-3).

Refusals stand beside the rules that raise them, and a function declares those of its use case. What
the edge itself refuses follows from the declaration: a function with a scope can answer every
refusal of a token, one with a body those of parsing, and so on. Nothing is listed a second time.
"""

import inspect
from collections.abc import Iterable, Iterator
from typing import Any, Final

from common.domain.card_data import CardDataFound
from common.domain.dataclass import dataclass
from common.domain.money import AmountNotInMinorUnits, AmountOutOfRange, CurrencyUnknown
from common.domain.refusal import Refusal
from common.ports.transactions import (
    CommandInProgress,
    IdConflict,
    KeyReused,
    StepUpReplayed,
    VersionStale,
)
from common.runtime.authentication import Unauthenticated
from common.runtime.declaration import HttpDeclaration
from common.runtime.execute import TooManyRequests
from common.runtime.problems import (
    BodyTooLarge,
    ContentTypeUnsupported,
    CrossTenantReference,
    IdempotencyKeyInvalid,
    IdempotencyKeyRequired,
    MethodNotAllowed,
    NotAcceptable,
    PathUnknown,
    RequestInvalid,
    ScopeMissing,
    TemporarilyUnavailable,
    TenantNotServed,
    Unexpected,
    WebhookSignatureInvalid,
    full_code,
    status_of,
)
from common.runtime.step_up import StepUpRefused

CURRENCY_FORM: Final = "^[A-Z]{3}$"
OURS: Final = ("common.", "functions.", "jobs.")
NO_EDGE: Final = ("common.local.", "common.cli.")


@dataclass(frozen=True, slots=True)
class Problem:
    """A code with its status, its title, and what it means where that says more."""

    code: str
    status: int
    title: str
    meaning: str

    @property
    def name(self) -> str:
        """The last part of the code."""
        return self.code.rsplit(".", 1)[-1]


def known_problems() -> dict[str, Problem]:
    """Every code of the modules that are loaded, in the order of the codes.

    Raises ValueError for a code that stands for two statuses: a client could not act on it.
    """
    found: dict[str, Problem] = {}
    for refusal in _subclasses(Refusal):
        if not refusal.__module__.startswith(OURS) or refusal.__module__.startswith(NO_EDGE):
            continue
        if "code" in vars(refusal):
            problem = problem_of(refusal)
            if found.setdefault(problem.code, problem).status != problem.status:
                raise ValueError(f"{problem.code} stands for two statuses")
    return dict(sorted(found.items()))


def problem_of(refusal: type[Refusal]) -> Problem:
    """How a refusal reads in the catalogue."""
    words = vars(refusal).get("__doc__") or ""
    meaning = " ".join(inspect.cleandoc(words).split("\n\n", 1)[0].split())
    return Problem(full_code(refusal), status_of(refusal), refusal.title, meaning)


def refusals_of(declaration: HttpDeclaration, schemas: Any) -> list[type[Refusal]]:
    """What a function can answer instead of its outcome; `schemas` are those of its request."""
    answers = {*declaration.refusals, *_edge(declaration), *_parsing(declaration, str(schemas))}
    return sorted(answers, key=lambda refusal: (status_of(refusal), full_code(refusal)))


def _edge(declaration: HttpDeclaration) -> Iterator[type[Refusal]]:
    yield Unexpected
    if declaration.without_transaction:
        return
    yield TemporarilyUnavailable
    if declaration.limits:
        yield TooManyRequests
    if declaration.scope is not None:
        yield from _leaves(Unauthenticated)
        yield from (ScopeMissing, CrossTenantReference, TenantNotServed)
    elif declaration.signed_by is not None:
        yield WebhookSignatureInvalid
    elif declaration.when_tenant_unknown is None:
        yield TenantNotServed
    if declaration.step_up:
        yield from (*_leaves(StepUpRefused), StepUpReplayed)
    if declaration.changes_state:
        yield from (IdempotencyKeyInvalid, CommandInProgress, KeyReused)
    if declaration.moves_money:
        yield IdempotencyKeyRequired
    if declaration.creates:
        yield IdConflict
    if declaration.etag:
        yield VersionStale
    if declaration.pages:
        yield NotAcceptable


def _parsing(declaration: HttpDeclaration, schema: str) -> Iterator[type[Refusal]]:
    if declaration.without_transaction:
        return
    yield RequestInvalid
    if declaration.method != "GET":
        yield from (BodyTooLarge, ContentTypeUnsupported)
        if not declaration.is_raw:
            yield CardDataFound
    if "Money" in schema:
        yield from (AmountOutOfRange, AmountNotInMinorUnits)
    if CURRENCY_FORM in schema:
        yield CurrencyUnknown


def gateway_refusals() -> tuple[type[Refusal], ...]:
    """What is answered before any function is found."""
    return (PathUnknown, MethodNotAllowed)


def _leaves(kind: type[Refusal]) -> Iterable[type[Refusal]]:
    """What is really raised of a family of refusals: those below its head."""
    return [each for each in _subclasses(kind) if "code" in vars(each)]


def _subclasses(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for each in sorted(kind.__subclasses__(), key=lambda found: found.__qualname__):
        yield each
        yield from _subclasses(each)
