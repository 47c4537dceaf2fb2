"""What the database refuses of prepaid credits; see `trials`."""

from typing import Final

from tests.hotel import Hotel, usd
from tests.postgres.trials import Trial
from tests.prepaying import (
    bought,
    capture,
    claw_back,
    deduct,
    granted,
    held,
    reverse,
    transfer,
    waive,
)
from tests.redeeming import owing, redeemed
from tests.refunding import refund

ACCOUNT: Final = {"id": "cra_x", "name": "x"}
LOT: Final = {"id": "clt_x", "root_id": "clt_x", "source_key": "x"}
MOVED: Final = {"id": "clt_x", "account_id": "cra_none", "source_key": None}
HOLD: Final = {"id": "hld_x"}
ENTRY: Final = {"id": "crl_x", "sequence": 999}
IN_CREDITS: Final = "method = 'credits'"
ROOT, PIECE = "id = root_id", "id <> root_id"
NONE: Final = "clt_none"


def account(constraint: str, **changes: object) -> Trial:
    """A copy of an account."""
    return Trial(constraint, "credit_accounts", {**ACCOUNT, **changes}, "name = 'main'")


def lot(constraint: str, **changes: object) -> Trial:
    """A copy of a lot that was granted."""
    return Trial(constraint, "credit_lots", {**LOT, **changes}, ROOT)


def hold(constraint: str, which: str = "status = 'open'", **changes: object) -> Trial:
    """A copy of a hold."""
    return Trial(constraint, "credit_holds", {**HOLD, **changes}, which)


def entry(constraint: str, of: str, **changes: object) -> Trial:
    """A copy of an entry."""
    return Trial(constraint, "credit_ledger_entries", {**ENTRY, **changes}, f"kind = '{of}'")


def paid(constraint: str, **changes: object) -> Trial:
    """A copy of a payment in credits."""
    return Trial(constraint, "payments", {"id": "pay_x", **changes}, IN_CREDITS)


AS_ITS_KIND: Final = "credit_entry_moves_as_its_kind"
CREDITS: Final = [
    Trial("credit_accounts_pkey", "credit_accounts", {"name": "x"}),
    Trial("credit_account_is_opened_once", "credit_accounts", {"id": "cra_x"}),
    account("credit_balance_is_not_negative", balance_micro=-1, held_micro=-1),
    account("held_credits_are_there", balance_micro=1, held_micro=2),
    account("credit_debt_is_not_negative", debt_micro=-1),
    Trial(
        "credit_lots_pkey",
        "credit_lots",
        {"source_key": "x", "account_id": "cra_none"},
        ROOT,
    ),
    Trial("credits_are_granted_once", "credit_lots", {"id": "clt_x", "root_id": "clt_x"}, ROOT),
    Trial("credits_of_a_grant_are_one_lot", "credit_lots", {"id": "clt_x"}, PIECE),
    lot("lot_is_in_an_account", account_id="cra_none"),
    Trial("lot_is_of_a_grant", "credit_lots", {"id": "clt_x", "root_id": NONE}, PIECE),
    lot("lot_source_is_known", source="gift"),
    lot("lot_is_granted_or_moved", source_key=None),
    lot("lot_is_never_negative", left_micro=-1, held_micro=0),
    lot("lot_holds_what_it_has", left_micro=1, held_micro=2),
    Trial("credit_holds_pkey", "credit_holds", {}),
    hold("hold_is_on_an_account", account_id="cra_none"),
    hold("hold_status_is_known", "status = 'released'", status="lost"),
    hold("open_hold_has_not_ended", "status = 'released'", ended_at=None),
    hold("capture_stays_within_the_hold", "status = 'captured'", captured_micro=10**12),
    Trial("credit_ledger_entries_pkey", "credit_ledger_entries", {"sequence": 999}),
    Trial("credit_entries_are_consecutive", "credit_ledger_entries", {"id": "crl_x"}),
    entry("credit_entry_is_on_an_account", "grant", account_id="cra_none"),
    entry("credit_entry_is_of_a_hold", "hold", hold_id="hld_none"),
    entry("transfer_names_the_other_account", "transfer_in", counterpart="cra_none"),
    entry("credit_entry_leaves_something_or_nothing", "grant", balance_micro=-1),
    entry("credit_entry_says_what_it_is_about", "transfer_in", counterpart=None),
    entry(AS_ITS_KIND, "grant", amount_micro=-1),
    entry("redeemed_credits_name_what_they_pay", "redeem", reference=None),
    entry("credits_pay_once_and_come_back_once", "redeem"),
    paid("credits_payment_names_its_account", credit_account_id=None),
    paid("credits_pay_at_a_whole_rate", credits_micro=1_000_000_001),
    paid("payment_is_redeemed_of_a_credit_account", credit_account_id="cra_none"),
    Trial("entry_names_a_lot_once", "credit_entry_lots", {}),
    Trial("lot_was_moved_by_an_entry", "credit_entry_lots", {"entry_id": "crl_none"}),
    Trial("moved_lot_exists", "credit_entry_lots", {"lot_id": NONE}),
    Trial(
        "entry_moves_something_of_a_lot",
        "credit_entry_lots",
        {"lot_id": NONE, "amount_micro": 0, "held_micro": 0},
    ),
    Trial("credits_are_booked_once", "credit_book_entries", {}),
    Trial("booked_credits_moved", "credit_book_entries", {"entry_id": "crl_none"}),
    Trial("booked_credits_are_positive", "credit_book_entries", {"part": 9, "amount_micro": 0}),
    Trial(
        "booked_credits_name_two_accounts",
        "credit_book_entries",
        {"part": 9, "debit_account": "one", "credit_account": "one"},
    ),
    Trial("credits_are_taken_back_once", "credit_claw_backs", {}),
    Trial(
        "taken_back_credits_were_granted",
        "credit_claw_backs",
        {"source_key": "x", "lot_id": NONE},
    ),
    Trial(
        "what_is_taken_back_was_asked_for",
        "credit_claw_backs",
        {"source_key": "x", "taken_micro": 10**12},
    ),
    Trial("claw_back_is_reversed_once", "credit_claw_back_reversals", {}),
    Trial("reversed_claw_back_exists", "credit_claw_back_reversals", {"source_key": "x"}),
    Trial(
        "reversal_gives_and_takes_nothing",
        "credit_claw_back_reversals",
        {"source_key": "x", "returned_micro": -1},
    ),
    Trial("expiry_is_warned_of_once", "credit_expiry_warnings", {}),
    Trial("warned_of_lot_exists", "credit_expiry_warnings", {"lot_id": NONE}),
    Trial("warning_is_given_in_time", "credit_expiry_warnings", {"days_before": 3}),
]
MOVES_OTHERWISE: Final = [
    entry(AS_ITS_KIND, "grant", held_micro=1),
    entry(AS_ITS_KIND, "grant", debt_micro=1),
    entry(AS_ITS_KIND, "transfer_in", amount_micro=0),
    entry(AS_ITS_KIND, "transfer_out", amount_micro=1),
    entry(AS_ITS_KIND, "spend", amount_micro=1),
    entry(AS_ITS_KIND, "spend", metered_micro=0),
    entry(AS_ITS_KIND, "hold", amount_micro=-1),
    entry(AS_ITS_KIND, "hold", held_micro=-1),
    entry(AS_ITS_KIND, "capture", held_micro=0),
    entry(AS_ITS_KIND, "capture", amount_micro=1),
    entry(AS_ITS_KIND, "release", held_micro=1),
    entry(AS_ITS_KIND, "claw_back", amount_micro=1),
    entry(AS_ITS_KIND, "claw_back", debt_micro=-1),
    entry(AS_ITS_KIND, "give_back", amount_micro=-1),
    entry(AS_ITS_KIND, "give_back", debt_micro=1),
    entry(AS_ITS_KIND, "debt_paid", debt_micro=0),
    entry(AS_ITS_KIND, "debt_waived", debt_micro=1),
    entry(AS_ITS_KIND, "redeem", amount_micro=1, reference="pay_x"),
    entry(AS_ITS_KIND, "redeem", metered_micro=1, reference="pay_x"),
    entry(AS_ITS_KIND, "restore", amount_micro=-1, reference="rfd_x"),
    entry(AS_ITS_KIND, "restore", metered_micro=1, reference="rfd_x"),
    entry(AS_ITS_KIND, "grant", kind="gift"),
]
"""The one constraint that says of every kind what it may move: each of its branches."""


def credits_of_every_kind(hotel: Hotel) -> None:
    """Granted, spent, moved, held in every way, taken back, owed, paid, waived, and warned of; and
    in a bill of 110.00, of which 30.00 came back."""
    key = bought(hotel, 10)
    deduct(hotel, 8)
    assert claw_back(hotel, key, 10).status_code == 201
    assert waive(hotel, 1).status_code == 201
    disputed = bought(hotel, 20)
    assert claw_back(hotel, disputed, 3, "dispute:dp_1").status_code == 201
    assert reverse(hotel, "dispute:dp_1").status_code == 201
    granted(hotel, 20)
    assert transfer(hotel, 5, "spa").status_code == 201
    assert capture(hotel, held(hotel, 2), 1).status_code == 200
    hotel.post(f"/credits/holds/{held(hotel, 2)}/release", {})
    held(hotel, 2)
    granted(hotel, 11_000)
    folio = owing(hotel)
    payment = redeemed(hotel, folio, 110)
    assert refund(hotel, folio, payment, usd(3_000), reference=None).status_code == 201
    hotel.rows(
        "INSERT INTO {s}.credit_expiry_warnings (tenant_id, lot_id, days_before, told_at)"
        " SELECT tenant_id, id, 7, now() FROM {s}.credit_lots LIMIT 1"
    )
