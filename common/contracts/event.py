"""What every published event is: a CloudEvent with data of a shape, which says whose fact it is."""

from datetime import datetime
from typing import Any, ClassVar, Final

from common.contracts.shapes import Shape

TYPE_PREFIX: Final = "melmastoon.billing."


class EventData(Shape):
    """Data of one published event."""

    fact: ClassVar[str]

    @classmethod
    def event_type(cls) -> str:
        """`melmastoon.billing.<aggregate>.<fact>.v1`."""
        return f"{TYPE_PREFIX}{cls.fact}.v1"


def cloud_event(
    *,
    event_id: str,
    event_type: str,
    tenant_id: str,
    subject: str,
    sequence: int,
    time: datetime,
    traceparent: str,
    data: dict[str, Any],
) -> dict[str, Any]:
    """The CloudEvents envelope (structured mode) with our extension attributes."""
    return {
        "specversion": "1.0",
        "id": event_id,
        "type": event_type,
        "source": f"/billing/tenants/{tenant_id}",
        "subject": subject,
        "time": time.isoformat(),
        "datacontenttype": "application/json",
        "tenantid": tenant_id,
        "sequence": str(sequence),
        **({"traceparent": traceparent} if traceparent else {}),
        "data": data,
    }
