"""What must be noticed of balances, lines, ledger, payments and taxes."""

from tests.trust.invariants.plant import (
    AHEAD,
    BOOKED,
    DIGESTED,
    EMPTY,
    GUARDED,
    OPEN,
    WORTH,
    plant,
)

MONEY = (
    plant(
        "balance_is_the_sum_of_the_lines",
        f"UPDATE folios SET balance_micro = balance_micro + 10000 WHERE id = {OPEN}",
        also=("balance_is_what_the_ledger_says", AHEAD, DIGESTED),
    ),
    plant(
        "balance_is_what_the_ledger_says",
        f"DELETE FROM ledger_entries WHERE folio_id = {OPEN} AND starts_with(source, 'chg_')",
        also=(AHEAD, BOOKED),
    ),
    plant(
        BOOKED,
        "UPDATE ledger_entries SET credit_account = 'revenue:spa'"
        " WHERE credit_account = 'revenue:minibar'",
    ),
    plant(
        BOOKED,
        "INSERT INTO ledger_entries SELECT tenant_id, 'chg_none', 0, NULL, property_id,"
        " 'revenue:spa', 'revenue:room', 5, currency, business_date, occurred_at, recorded_at"
        " FROM ledger_entries LIMIT 1",
    ),
    plant(
        "payments_are_booked_as_they_were_taken",
        "UPDATE ledger_entries SET debit_account = 'card_clearing'"
        " WHERE debit_account = 'bank_clearing'",
    ),
    plant(
        "payments_are_booked_as_they_were_taken",
        "DELETE FROM ledger_entries WHERE credit_account = 'fx_clearing'",
    ),
    plant(
        "payment_takes_off_what_it_is_worth",
        """UPDATE payments SET fx = jsonb_set(fx, '{{rate}}', '"1.2"') WHERE fx IS NOT NULL""",
    ),
    plant(
        "payment_takes_off_what_it_is_worth",
        f"DELETE FROM payments WHERE folio_id = {OPEN}",
        also=("payments_are_booked_as_they_were_taken",),
    ),
    plant(
        "refunds_stay_within_the_payment",
        "ALTER TABLE payments DROP CONSTRAINT refunds_stay_within_the_payment",
        "UPDATE payments SET refunded_micro = amount_micro + 1",
        also=("no_money_is_given_back_and_moved",),
    ),
    plant(
        "lines_are_numbered_without_a_gap",
        f"UPDATE folio_lines SET sequence = 99 WHERE folio_id = {OPEN} AND sequence = 2",
        also=("every_line_is_told_once",),
    ),
    plant("a_folio_keeps_one_currency", "UPDATE settlements SET currency = 'EUR'"),
    plant(
        "states_and_kinds_are_known",
        f"UPDATE folio_lines SET source = 'hearsay' WHERE folio_id = {OPEN}",
    ),
    plant(
        "states_and_kinds_are_known",
        f"UPDATE folios SET windows = '[\"company\"]' WHERE id = {OPEN}",
    ),
    plant(
        "a_correction_stays_on_its_charge",
        "UPDATE folio_lines SET corrects = NULL WHERE type = 'adjustment'",
    ),
    plant(
        "a_correction_stays_on_its_charge",
        f"UPDATE folio_lines SET corrects = charge_id WHERE folio_id = {OPEN} AND sequence = 1",
    ),
    plant(
        "a_charge_goes_on_night_after_night",
        f"UPDATE folio_lines SET charge_id = (SELECT id FROM folio_lines WHERE folio_id = {OPEN}"
        " AND sequence = 1) WHERE kind = 'minibar'",
    ),
    plant(
        "a_void_reverses_its_whole_charge",
        "UPDATE folio_lines SET charge_id = room.id, corrects = room.id"
        f" FROM (SELECT id FROM folio_lines WHERE folio_id = {OPEN} AND sequence = 1) AS room"
        " WHERE type = 'tax' AND amount_micro = -30000",
        also=("a_void_mirrors_the_line_it_corrects",),
    ),
    plant(
        "a_void_mirrors_the_line_it_corrects",
        "UPDATE folio_lines SET kind = 'laundry' WHERE type = 'void' AND tax IS NOT NULL",
    ),
    plant(
        "a_void_mirrors_the_line_it_corrects",
        """UPDATE folio_lines SET tax = jsonb_set(tax, '{{exactMicro}}', '-1')
        WHERE type = 'void' AND tax IS NOT NULL""",
        also=("tax_sums_are_those_of_the_tax_lines",),
    ),
    plant(
        "a_charge_never_comes_to_less_than_nothing",
        "UPDATE folio_lines SET charge_id = small.id, corrects = small.id"
        " FROM (SELECT id FROM folio_lines WHERE kind = 'minibar' AND type = 'charge') AS small"
        " WHERE type = 'adjustment' AND amount_micro = -10000000",
    ),
    plant(
        "tax_sums_are_those_of_the_tax_lines",
        f"UPDATE folios SET tax_sums = '{{}}' WHERE id = {OPEN}".replace("{}", "{{}}"),
    ),
    plant(
        "tax_sums_are_those_of_the_tax_lines",
        """UPDATE folios SET tax_sums = '{{"VAT|100000|S": [0, 0]}}' WHERE status = 'closed'""",
    ),
    plant(
        "a_line_names_settings_that_there_were",
        f"UPDATE folio_lines SET settings_version = 99 WHERE folio_id = {OPEN}",
    ),
    plant(
        "a_line_names_settings_that_there_were",
        "UPDATE settings_versions SET version = 3 WHERE version = 2",
    ),
    plant(
        "balance_is_the_sum_of_the_lines",
        f"UPDATE folios SET balance_micro = 10000 WHERE id = {EMPTY}",
        also=("balance_is_what_the_ledger_says", AHEAD, DIGESTED),
    ),
    plant(
        BOOKED,
        "ALTER TABLE ledger_entries DROP CONSTRAINT movement_is_booked_once",
        "INSERT INTO ledger_entries SELECT * FROM ledger_entries WHERE starts_with(source, 'chg_')",
        also=("balance_is_what_the_ledger_says", AHEAD, GUARDED),
    ),
    plant(
        "payments_are_booked_as_they_were_taken",
        "ALTER TABLE ledger_entries DROP CONSTRAINT movement_is_booked_once",
        "INSERT INTO ledger_entries SELECT * FROM ledger_entries WHERE starts_with(source, 'pay_')",
        also=("balance_is_what_the_ledger_says", AHEAD, GUARDED),
    ),
    plant(
        "payments_are_booked_as_they_were_taken",
        "ALTER TABLE payments DROP CONSTRAINT payment_method_is_known",
        "UPDATE payments SET method = 'barter'",
        also=("states_and_kinds_are_known", WORTH),
    ),
    plant(WORTH, "UPDATE payments SET fx = '{{}}' WHERE fx IS NULL"),
    plant(
        WORTH,
        "UPDATE payments SET paid_amount_micro = paid_amount_micro + 1 WHERE fx IS NULL",
        also=("payments_are_booked_as_they_were_taken",),
    ),
    plant(
        WORTH,
        "UPDATE payments SET paid_currency = 'GBP' WHERE fx IS NOT NULL",
        also=("payments_are_booked_as_they_were_taken",),
    ),
    plant(
        "lines_are_numbered_without_a_gap",
        f"UPDATE folios SET last_line = 1 WHERE id = {EMPTY}",
        also=(DIGESTED,),
    ),
    plant(
        "lines_are_numbered_without_a_gap",
        "ALTER TABLE folio_lines DROP CONSTRAINT folio_lines_are_consecutive",
        f"UPDATE folio_lines SET sequence = 2 WHERE folio_id = {OPEN} AND sequence = 3",
        also=("every_line_is_told_once", GUARDED),
    ),
    plant(
        "a_correction_stays_on_its_charge",
        "UPDATE folio_lines SET charge_id = 'chg_none' WHERE type = 'tax' AND kind = 'minibar'",
    ),
    plant(
        "a_correction_stays_on_its_charge",
        "UPDATE folio_lines SET charge_id = room.id"
        f" FROM (SELECT id FROM folio_lines WHERE folio_id = {OPEN} AND sequence = 1) AS room"
        " WHERE type = 'charge' AND kind = 'minibar'",
        also=("a_charge_goes_on_night_after_night",),
    ),
    plant(
        "a_void_reverses_its_whole_charge",
        "DROP INDEX line_is_voided_once",
        "UPDATE folio_lines SET corrects = charge_id WHERE type = 'void'",
        also=("a_void_mirrors_the_line_it_corrects", GUARDED),
    ),
    plant(
        "a_void_mirrors_the_line_it_corrects",
        "UPDATE folio_lines SET corrects = 'chg_none'"
        " WHERE type = 'void' AND tax IS NULL AND amount_micro < 0",
    ),
    plant(
        "a_void_mirrors_the_line_it_corrects",
        "UPDATE folio_lines SET corrects = other.id FROM (SELECT id FROM folio_lines"
        " WHERE type = 'void' AND tax IS NULL AND amount_micro > 0) AS other"
        " WHERE type = 'void' AND tax IS NULL AND amount_micro < 0",
    ),
)
