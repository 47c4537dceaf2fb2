"""What the database refuses of differences with the processor; see `trials`."""

from typing import Final

from tests.hotel import Hotel
from tests.matching import difference, resolve
from tests.postgres.trials import Trial

NEW: Final = {"id": "prd_x", "about": "pi_x"}
OPEN, RESOLVED = "status = 'open' AND kind <> 'refund_to_settle'", "status = 'resolved'"


def differs(constraint: str, which: str = OPEN, **changes: object) -> Trial:
    """A copy of a difference, about something else."""
    return Trial(constraint, "processor_differences", {**NEW, **changes}, which)


DIFFERENCES: Final = [
    Trial("processor_differences_pkey", "processor_differences", {"about": "pi_x"}),
    Trial("difference_is_found_once", "processor_differences", {"id": "prd_x"}),
    differs("difference_kind_is_known", kind="odd"),
    differs("difference_differs", kind="refund_to_settle"),
    differs("difference_status_is_known", status="seen"),
    differs("difference_has_an_owner", owner=""),
    differs("answer_for_a_difference_is_signed", RESOLVED, resolved_by=None),
    differs("looks_at_a_difference_follow_one_another", looked_at="2001-01-01T00:00:00+00:00"),
]


def differences_of_every_state(hotel: Hotel) -> None:
    """One is open, and one was answered for."""
    assert resolve(hotel, difference(hotel)).status_code == 200
    difference(hotel)
