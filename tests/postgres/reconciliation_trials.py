"""What the database refuses of reconciliations; see `trials`."""

from typing import Final

from tests.postgres.trials import Trial

NEW: Final = {"id": "rec_x", "business_date": "2001-01-01"}
MATCHED, MISMATCH = "status = 'matched'", "status = 'mismatch'"


def found(constraint: str, which: str = MISMATCH, **changes: object) -> Trial:
    """A copy of a reconciliation, of another date."""
    return Trial(constraint, "reconciliations", {**NEW, **changes}, which)


RECONCILIATIONS: Final = [
    Trial("reconciliations_pkey", "reconciliations", {"business_date": "2001-01-01"}),
    Trial("day_is_reconciled_once", "reconciliations", {"id": "rec_x"}),
    found("reconciliation_status_is_known", MATCHED, status="seen"),
    found("mismatch_holds_its_differences", differences=[]),
    found("answered_reconciliation_is_not_unknown", MATCHED, status="unknown"),
    found("resolution_is_signed", resolved_by="laila"),
    found(
        "runs_of_a_reconciliation_follow_one_another",
        last_run_at="2001-01-01T00:00:00+00:00",
    ),
]
