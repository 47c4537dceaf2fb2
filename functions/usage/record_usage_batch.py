"""Count many events of usage in one commit, and answer what became of each (SUB-12).

A sender that was cut off hands in all that it has. One event that is refused keeps none of the
others out: it is named with its code, and whoever sends the whole batch again counts nothing twice.
"""

from typing import Annotated

from pydantic import Field

from common.contracts.shapes import Request
from common.contracts.usage import UsageAnswer, UsageEventShape
from common.domain.subscription import SubscriptionUnknown
from common.domain.usage import BATCH_MAX
from common.ports.transaction import Transaction
from common.procedures.metering import count_each
from common.runtime.declaration import http_function


class RecordUsageBatch(Request):
    """Up to 500 events, in any order."""

    events: Annotated[tuple[UsageEventShape, ...], Field(min_length=1, max_length=BATCH_MAX)]


@http_function(
    "POST",
    "/usage/batch",
    scope="billing.credits.write",
    refusals=(SubscriptionUnknown,),
)
def record_usage_batch(request: RecordUsageBatch, tx: Transaction) -> UsageAnswer:
    """Count the events that are new, and answer what became of each.

    Refuses: SubscriptionUnknown.
    """
    return count_each([given.event() for given in request.events], tx)
