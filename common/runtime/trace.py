"""W3C Trace Context: one thread from the caller through the database's audit to the events."""

import re
import secrets

from common.domain.dataclass import dataclass
from common.ports.telemetry import Within

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Trace:
    """Our own span within the caller's trace, or within a new one."""

    trace_id: str
    span_id: str
    flags: str
    parent_id: str | None = None

    @classmethod
    def continued(cls, traceparent: str | None) -> "Trace":
        """A fresh span under the caller's; a malformed header is as good as none."""
        found = _TRACEPARENT.fullmatch(traceparent or "")
        if found is None:
            return cls(secrets.token_hex(16), secrets.token_hex(8), "01")
        return cls(found[1], secrets.token_hex(8), found[3], found[2])

    @property
    def parent(self) -> str:
        """What is passed on, as `traceparent`, and answered, as `traceresponse`."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"

    @property
    def within(self) -> Within:
        """Our span as who measures knows it; the caller decides whether its trace is kept."""
        return Within(
            self.trace_id, self.span_id, self.parent_id, sampled=bool(int(self.flags, 16) & 1)
        )
