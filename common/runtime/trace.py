"""W3C Trace Context: one thread from the caller through the database's audit to the events."""

import re
import secrets
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Trace:
    """Our own span within the caller's trace, or within a new one."""

    trace_id: str
    span_id: str
    flags: str

    @classmethod
    def continued(cls, traceparent: str | None) -> "Trace":
        """A fresh span under the caller's; a malformed header is as good as none."""
        found = _TRACEPARENT.fullmatch(traceparent or "")
        trace_id, flags = (found[1], found[3]) if found else (secrets.token_hex(16), "01")
        return cls(trace_id, secrets.token_hex(8), flags)

    @property
    def parent(self) -> str:
        """What is passed on, as `traceparent`, and answered, as `traceresponse`."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"
