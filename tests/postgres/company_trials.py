"""What the database refuses of company accounts; see `trials`."""

from typing import Final

from tests.postgres.trials import Trial
from tests.trust.invariants.companies import NOT_INVOICED, ON_HOLD

NEW: Final = {"id": "cac_x"}
NEW_CREDIT: Final = {"id": "rcp_x", "processor_payment_id": None}
NOTED: Final = "kind = 'credit_note'"
NEW_WRITE_OFF: Final = {"id": "wof_x", "step_up_token_id": "another"}
NEW_ENTRY: Final = {"source": "rcp_x"}
OWING, SETTLED = "status = 'active'", "status = 'closed'"
BY_TRANSFER, BY_CARD, IN_CASH = "kind = 'bank_transfer'", "kind = 'card'", "kind = 'cash'"
GIVEN, TAKEN_BACK = "reverses IS NULL", "reverses IS NOT NULL"
WENT: Final = "kind = 'refunded_there'"
LEFT: Final = "company_account_id IS NOT NULL"


def account(constraint: str, which: str = OWING, **changes: object) -> Trial:
    """A copy of an account."""
    return Trial(constraint, "company_accounts", {**NEW, **changes}, which)


def credit(constraint: str, which: str = BY_TRANSFER, **changes: object) -> Trial:
    """A copy of what came to an account's credit."""
    return Trial(constraint, "account_credits", {**NEW_CREDIT, **changes}, which)


def allocation(constraint: str, which: str = GIVEN, **changes: object) -> Trial:
    """A copy of an allocation."""
    return Trial(constraint, "receivable_allocations", {"id": "alc_x", **changes}, which)


def write_off(constraint: str, which: str = GIVEN, **changes: object) -> Trial:
    """A copy of a write-off."""
    return Trial(constraint, "write_offs", {**NEW_WRITE_OFF, **changes}, which)


COMPANIES: Final = [
    Trial("company_accounts_pkey", "company_accounts", {}, OWING),
    account("company_account_status_is_known", status="lost"),
    account("credit_is_given_on_terms", terms_days=-1),
    account("company_account_has_no_negative_part", open_micro=-1),
    account("closed_company_account_is_settled", SETTLED, open_micro=1),
    Trial("invoice_is_owed_once", "receivables", {}),
    Trial("receivable_is_of_an_account", "receivables", {"account_id": "cac_none"}),
    Trial("receivable_is_of_an_invoice", "receivables", {"invoice_id": "inv_none"}),
    Trial(
        "receivable_is_of_a_folio",
        "receivables",
        {"folio_id": "fol_none", "account_id": ON_HOLD},
    ),
    Trial("receivable_is_positive", "receivables", {"amount_micro": 0, "open_micro": 0}),
    Trial("settled_stays_within_the_receivable", "receivables", {"open_micro": -1}),
    Trial("receivable_is_due_no_earlier_than_issued", "receivables", {"due_on": "2001-01-01"}),
    Trial("settlement_is_invoiced_once", "receivable_parts", {}),
    Trial("part_is_a_settlement", "receivable_parts", {"payment_id": "pay_none"}),
    Trial(
        "part_is_of_a_receivable",
        "receivable_parts",
        {"payment_id": NOT_INVOICED, "invoice_id": "inv_none"},
    ),
    Trial(
        "receivable_part_is_positive",
        "receivable_parts",
        {"payment_id": NOT_INVOICED, "amount_micro": 0},
    ),
    Trial("account_credits_pkey", "account_credits", {"processor_payment_id": None}, BY_TRANSFER),
    Trial("company_card_payment_is_recorded_once", "account_credits", {"id": "rcp_x"}, BY_CARD),
    Trial("set_offs_of_a_note_follow_one_another", "account_credits", {"id": "sof_x"}, NOTED),
    credit("only_a_set_off_has_others_before", set_off_before_micro=1),
    credit("credit_note_that_is_set_off_exists", NOTED, credit_note_id="cn_none"),
    credit("set_off_names_its_credit_note", NOTED, credit_note_id=None),
    credit("credit_is_of_an_account", account_id="cac_none"),
    credit("company_cash_lies_in_a_session", IN_CASH, cash_session_id="cds_none"),
    credit("only_what_is_taken_back_is_negative", amount_micro=0),
    credit("what_is_taken_back_names_its_payment", takes_back="rcp_none"),
    credit("payment_that_is_taken_back_exists", WENT, takes_back="rcp_none", cause="re_x"),
    credit("company_money_is_taken_back_once", WENT),
    credit("account_credit_kind_is_known", kind="shells"),
    credit("company_cash_names_its_session", IN_CASH, cash_session_id=None),
    credit("company_card_names_its_payment", BY_CARD, processor_payment_id=None),
    Trial("receivable_allocations_pkey", "receivable_allocations", {}, GIVEN),
    allocation("allocation_is_reversed_once", TAKEN_BACK),
    allocation("allocation_is_for_a_receivable", invoice_id="inv_none"),
    allocation("allocation_is_out_of_a_credit", credit_id="rcp_none"),
    allocation("reversal_is_of_an_allocation", TAKEN_BACK, reverses="alc_none"),
    allocation("only_a_reversal_takes_back", amount_micro=-1),
    allocation("reversal_says_why", reason="because"),
    Trial("write_offs_pkey", "write_offs", {"step_up_token_id": "another"}, GIVEN),
    Trial("write_off_is_confirmed_on_its_own", "write_offs", {"id": "wof_x"}, GIVEN),
    write_off("write_off_is_of_a_receivable", invoice_id="inv_none"),
    write_off("write_off_is_taken_back_once", TAKEN_BACK),
    write_off("what_is_taken_back_is_a_write_off", TAKEN_BACK, reverses="wof_none"),
    write_off("write_off_is_negative_where_it_takes_one_back", amount_micro=0),
    Trial(
        "city_ledger_payment_names_its_account",
        "payments",
        {"id": "pay_x", "company_account_id": None},
        LEFT,
    ),
    Trial(
        "payment_is_owed_by_a_company_account",
        "payments",
        {"id": "pay_x", "company_account_id": "cac_none"},
        LEFT,
    ),
    Trial(
        "debt_is_of_the_account_it_names",
        "ledger_entries",
        {**NEW_ENTRY, "company_account_id": None},
        LEFT,
    ),
    Trial(
        "debt_entry_is_of_a_company_account",
        "ledger_entries",
        {
            **NEW_ENTRY,
            "company_account_id": "cac_none",
            "debit_account": "city_ledger:cac_none",
            "credit_account": "guest_ledger",
        },
        f"{LEFT} AND cash_session_id IS NULL",
    ),
]
