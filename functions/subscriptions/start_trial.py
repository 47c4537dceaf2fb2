"""Begin a trial: some days of a plan, once, for any account with a verified address (SUB-10).

No role or scope is asked for: a verified address is enough. Who was here is known again by HMACs
alone (account, mailbox, device, card), under each key of the platform, and not told as whom.
"""

from dataclasses import field

from pydantic import Field

from common.contracts.fields import ZoneName
from common.contracts.plans import PlanName
from common.contracts.references import StoredMethodRef, SubscriptionRef
from common.contracts.shapes import Request
from common.contracts.subscriptions import Device, Seats, SubscriptionAnswer
from common.domain.business_date import TimeZoneUnknown
from common.domain.customer import EmailInvalid
from common.domain.dataclass import dataclass
from common.domain.identifiers import StoredMethodId, SubscriptionId
from common.domain.period import Interval
from common.domain.plan import PlanFeeMissing, PlanUnknown, SeatsExceedPlan
from common.domain.prepaid_account import CreditBalanceLimit
from common.domain.stored_method import (
    PaymentMethodForStays,
    PaymentMethodRemoved,
    PaymentMethodUnknown,
)
from common.domain.subscription_terms import Terms
from common.domain.trial import Traces, TrialNotOffered, TrialUsed, begin_trial
from common.domain.trial_keys import Marks, TrialsUnavailable
from common.ports.identity import VERIFIED_ACCOUNT
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.procedures.subscribing import begin_to_collect, settle
from common.procedures.trialing import grant_for_trial
from common.runtime.declaration import RateLimit, http_function


class StartTrial(Request):
    """What is tried, and on which device. `device` is what the client calls it: long enough to be
    no other's. With a payment method of the hotel's, the trial is followed by the first period."""

    id: SubscriptionRef | None = None
    plan: PlanName = "pro"
    seats: Seats = 1
    interval: Interval = Interval.MONTH
    time_zone: ZoneName = Field(default="UTC", examples=["Asia/Kabul"])
    device: Device
    payment_method_id: StoredMethodRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A trial that is asked for, and by what the one who asks is known again."""

    id: SubscriptionId
    terms: Terms
    days: int
    time_zone: str
    payment_method_id: StoredMethodId | None
    traces: Traces = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """The same, with the marks in the place of what they are of: some for each key."""

    asked: Asked
    marks: tuple[Marks, ...]


def mark(asked: Asked, powers: Powers) -> Marked:
    """Put HMACs in the place of what somebody is known again by. Refuses: EmailInvalid."""
    return Marked(asked=asked, marks=powers.trial_marks.of(asked.traces))


def begin(marked: Marked, tx: Transaction) -> SubscriptionAnswer:
    """Begin the trial, unless there was one. Refuses what `start_trial` says."""
    asked = marked.asked
    tx.trials.foresee_keys()
    if tx.subscriptions.find() is not None:
        raise TrialUsed()
    created, trial = begin_trial(asked.id, asked.terms, asked.time_zone, tx.now, days=asked.days)
    known = tx.trials.kept_keys().recognise(marked.marks)
    tx.trials.begin(trial, known)
    begin_to_collect(asked.id, asked.payment_method_id, tx)
    settle(created, tx)
    grant_for_trial(created.subject, known.account, tx)
    return SubscriptionAnswer.of(created.subject)


@http_function(
    "POST",
    "/trials",
    scope=VERIFIED_ACCOUNT,
    status=201,
    moves_money=True,
    creates=True,
    etag="subscription",
    limits=(
        RateLimit(quota=5, window_seconds=86_400, per="address"),
        RateLimit(quota=5, window_seconds=86_400),
        RateLimit(quota=5, window_seconds=86_400, per="device"),
    ),
    perform=mark,
    record=begin,
    needs=("database", "trials"),
    refusals=(
        TrialUsed,
        TrialNotOffered,
        TrialsUnavailable,
        EmailInvalid,
        PlanUnknown,
        PlanFeeMissing,
        SeatsExceedPlan,
        TimeZoneUnknown,
        PaymentMethodUnknown,
        PaymentMethodRemoved,
        PaymentMethodForStays,
        CreditBalanceLimit,
    ),
)
def start_trial(request: StartTrial, tx: Transaction) -> Asked:
    """Begin a trial, and answer the subscription that it is.

    Refuses: TrialUsed, TrialNotOffered, TrialsUnavailable, EmailInvalid, PlanUnknown,
    PlanFeeMissing, SeatsExceedPlan, TimeZoneUnknown, PaymentMethodUnknown, PaymentMethodRemoved,
    PaymentMethodForStays, CreditBalanceLimit.
    """
    version = tx.plans.get(request.plan)
    card = _card(request.payment_method_id, tx)
    return Asked(
        id=request.id or tx.new_id(SubscriptionId),
        terms=Terms.of(version, request.seats, request.interval, None),
        days=version.trial_days,
        time_zone=request.time_zone,
        payment_method_id=request.payment_method_id,
        traces=Traces(
            account=tx.actor.sub, email=tx.actor.email or "", device=request.device, card=card
        ),
    )


def _card(method_id: StoredMethodId | None, tx: Transaction) -> str | None:
    """What the processor calls the card. Refuses: PaymentMethodUnknown, PaymentMethodRemoved."""
    if method_id is None:
        return None
    method = tx.stored_methods.get(method_id)
    method.must_be_there()
    return method.details.fingerprint
