"""Count one event of usage, once, however often it is told (SUB-12).

Who sends it again is told that it counted before; under its id nothing else is counted, ever.
"""

from common.contracts.usage import UsageAnswer, UsageGiven
from common.domain.meter import MeterUnknown
from common.domain.subscription import SubscriptionUnknown
from common.domain.usage import (
    UsageEventDiffers,
    UsageInFuture,
    UsageInvalid,
    UsageOutsideSubscription,
    UsageTooOld,
)
from common.ports.transaction import Transaction
from common.procedures.metering import count_one
from common.runtime.declaration import http_function


class RecordUsage(UsageGiven):
    """What was used, and when."""


@http_function(
    "POST",
    "/usage",
    scope="billing.credits.write",
    status=201,
    refusals=(
        SubscriptionUnknown,
        MeterUnknown,
        UsageInvalid,
        UsageTooOld,
        UsageInFuture,
        UsageEventDiffers,
        UsageOutsideSubscription,
    ),
)
def record_usage(request: RecordUsage, tx: Transaction) -> UsageAnswer:
    """Count an event in the period in which it happened.

    Refuses: SubscriptionUnknown, MeterUnknown, UsageInvalid, UsageTooOld, UsageInFuture,
    UsageEventDiffers, UsageOutsideSubscription.
    """
    return count_one(request.event(), tx)
