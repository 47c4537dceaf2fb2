"""Rate limits that all instances share, at almost no cost (SEC-7).

The counters stand in the database and are exact. An instance takes units from one in pieces: a
small quota unit by unit, a large one five per cent at a time, which it then hands out by itself. So
the sum of what all instances let through never exceeds the quota, and most requests ask nobody.

The database says how long its window still lasts, and from then on only time that passes counts:
neither a clock that is wrong nor one that was moved opens a window early.
"""

import hashlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

from common.domain.dataclass import dataclass
from common.ports.identity import Actor
from common.ports.transactions import Allowance, Limit

LEASES_KEPT_MAX: Final = 10_000
LEASED_PART: Final = 20
ASKING_SECONDS_MAX: Final = 1.0
SAME_WINDOW_SECONDS: Final = 0.5


@dataclass(slots=True)
class _Lease:
    left: int
    remaining: int
    ends_at: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands with a limit: for the RateLimit headers."""

    quota: int
    remaining: int
    resets_in_seconds: int


def counted_as(per: str, actor: Actor, address: str, request: Any) -> str:
    """Whose units are counted: of an actor, a tenant, an address, or the device that a request
    names, which is counted and not kept."""
    device = str(getattr(request, "device", ""))
    return {
        "actor": f"{actor.tenant_id}:{actor.sub}",
        "tenant": str(actor.tenant_id),
        "address": address,
        "device": hashlib.sha256(device.encode()).hexdigest(),
    }[per]


class RateLimiter:
    """Units that this instance has taken and not yet handed out.

    `quotas` are those that a deployment sets in the place of the declared ones, by function and
    what is counted: `confirm_payment/actor`.
    """

    def __init__(
        self,
        elapsed: Callable[[], float] = time.monotonic,
        quotas: Mapping[str, int] | None = None,
    ) -> None:
        self._elapsed = elapsed
        self._quotas = dict(quotas or {})
        self._lock = threading.Lock()
        self._leases: OrderedDict[str, _Lease] = OrderedDict()
        self._asked_at: dict[str, float] = {}

    def quota_of(self, function: str, per: str, declared: int) -> int:
        """How many calls of a function are allowed in its window."""
        return self._quotas.get(f"{function}/{per}", declared)

    def ask(self, bucket: str, quota: int, window_seconds: int) -> Limit | None:
        """Use one unit: from the lease (None), or the piece that has to be asked for."""
        with self._lock:
            lease = self._leases.get(bucket)
            if lease is not None and lease.left > 0 and self._elapsed() < lease.ends_at:
                lease.left -= 1
                return None
            units = self._piece(bucket, quota)
        return Limit(bucket, quota, window_seconds, units)

    def took(self, limit: Limit, allowance: Allowance) -> None:
        """Keep what was granted, less the unit that asked for it, beside what is left."""
        fresh = _Lease(
            left=max(0, allowance.granted - 1),
            remaining=allowance.remaining,
            ends_at=self._elapsed() + allowance.resets_in_seconds,
        )
        with self._lock:
            if limit.units > 1:
                self._asked_at.pop(limit.bucket, None)
            lease = self._leases.get(limit.bucket)
            if lease is not None and abs(fresh.ends_at - lease.ends_at) < SAME_WINDOW_SECONDS:
                fresh.left += lease.left
                fresh.remaining = min(fresh.remaining, lease.remaining)
            self._leases[limit.bucket] = fresh
            self._leases.move_to_end(limit.bucket)
            while len(self._leases) > LEASES_KEPT_MAX:
                self._leases.popitem(last=False)

    def _piece(self, bucket: str, quota: int) -> int:
        """How many units to ask for: one while somebody is asking for a piece already.

        A crowd that comes before the first piece would otherwise take all pieces at once, and the
        rest of it would be refused while most of the quota lies unused.
        """
        now, piece = self._elapsed(), quota // LEASED_PART
        if piece <= 1 or now - self._asked_at.get(bucket, -math.inf) < ASKING_SECONDS_MAX:
            return 1
        if len(self._asked_at) >= LEASES_KEPT_MAX:
            self._asked_at.clear()
        self._asked_at[bucket] = now
        return piece

    def standing(self, bucket: str, quota: int) -> Standing | None:
        """What is known of a bucket, without asking."""
        lease = self._leases.get(bucket)
        if lease is None:
            return None
        seconds = math.ceil(lease.ends_at - self._elapsed())
        return Standing(quota, lease.left + lease.remaining, seconds) if seconds > 0 else None
