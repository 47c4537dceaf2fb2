"""What each rule that the database guards means to the caller who breaks it, by its name.

Apart from the way errors are read, and loaded with the first one: what is refused comes from all
over the house, and most processes end without a single violation (PERF-1).
"""

from typing import Final

from common.domain.cash_drawer import DrawerAlreadyOpen
from common.domain.charge import ChargeAlreadyPosted, ChargeAlreadyVoided
from common.domain.credit_note import CreditExceedsInvoice
from common.domain.customer import CustomerEmailTaken
from common.domain.payment import PaymentAlreadyRecorded, PaymentUnderWay
from common.domain.payout import PayoutSamePerson
from common.domain.payout_account import PayoutAccountTaken
from common.domain.platform_incident import PlatformIncidentOn
from common.domain.receivable import (
    AllocationAlreadyReversed,
    CreditNoteAlreadySetOff,
    ReceivableExceeded,
    WriteOffTakenBackAlready,
)
from common.domain.refund import RefundExceedsPayment
from common.domain.refusal import Refusal
from common.domain.review import ReviewSamePerson
from common.domain.settlement import RefundPending
from common.domain.stored_method import PaymentMethodKnown
from common.domain.trial import TrialNotOffered, TrialUsed
from common.domain.trial_keys import TrialsUnavailable
from common.ports.transactions import EventTakenAlready, IdConflict, StepUpReplayed

REFUSALS: Final[dict[str, type[Refusal]]] = {
    "line_is_voided_once": ChargeAlreadyVoided,
    "external_reference_is_posted_once": ChargeAlreadyPosted,
    "processor_payment_is_recorded_once": PaymentAlreadyRecorded,
    "card_payment_is_listed_once": PaymentAlreadyRecorded,
    "refunds_stay_within_the_payment": RefundExceedsPayment,
    "refunds_stay_within_what_was_paid": RefundExceedsPayment,
    "closed_folio_awaits_no_refund": RefundPending,
    "step_up_token_is_used_once": StepUpReplayed,
    "event_takes_effect_once": EventTakenAlready,
    "one_open_session_per_drawer": DrawerAlreadyOpen,
    "cash_drawers_pkey": IdConflict,
    "cash_sessions_pkey": IdConflict,
    "cash_movements_pkey": IdConflict,
    "folios_pkey": IdConflict,
    "line_id_is_used_once": IdConflict,
    "payments_pkey": IdConflict,
    "credits_stay_within_the_line": CreditExceedsInvoice,
    "credits_stay_within_the_invoice": CreditExceedsInvoice,
    "refunds_pkey": IdConflict,
    "company_card_payment_is_recorded_once": PaymentAlreadyRecorded,
    "settled_stays_within_the_receivable": ReceivableExceeded,
    "allocation_is_reversed_once": AllocationAlreadyReversed,
    "set_offs_of_a_note_follow_one_another": CreditNoteAlreadySetOff,
    "company_accounts_pkey": IdConflict,
    "account_credits_pkey": IdConflict,
    "write_off_is_taken_back_once": WriteOffTakenBackAlready,
    "write_offs_pkey": IdConflict,
    "credit_lots_pkey": IdConflict,
    "credit_holds_pkey": IdConflict,
    "subscriptions_pkey": IdConflict,
    "plan_versions_pkey": IdConflict,
    "platform_tax_rules_pkey": IdConflict,
    "platform_incidents_pkey": IdConflict,
    "subscription_refunds_pkey": IdConflict,
    "one_platform_incident_at_a_time": PlatformIncidentOn,
    "reviewer_is_another_person": ReviewSamePerson,
    "one_customer_per_email": CustomerEmailTaken,
    "payment_method_is_kept_once": PaymentMethodKnown,
    "customers_pkey": IdConflict,
    "payment_methods_pkey": IdConflict,
    "payment_intents_pkey": IdConflict,
    "one_collection_of_a_debt_at_a_time": PaymentUnderWay,
    "payouts_pkey": IdConflict,
    "trial_key_stays_what_it_was": TrialsUnavailable,
    "one_trial_per_account": TrialUsed,
    "one_trial_per_tenant": TrialUsed,
    "one_trial_per_mailbox": TrialNotOffered,
    "one_trial_per_device": TrialNotOffered,
    "one_trial_per_card": TrialNotOffered,
    "payout_is_approved_by_another_person": PayoutSamePerson,
    "processor_account_is_of_one_tenant": PayoutAccountTaken,
}
