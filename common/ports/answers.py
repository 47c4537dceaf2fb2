"""What a payment processor answers to a deed that was asked of it."""

from common.domain.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The money is on its way to the guest."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The processor will not do it, now or later; `code` says why, in its own words."""

    code: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer, or one that settles nothing: it may have happened or not."""


@dataclass(frozen=True, slots=True)
class Unreachable(Unknown):
    """No answer at all, in time; so many of them, and it is left alone for a while (GW-4)."""


Answer = Succeeded | Failed | Unknown
