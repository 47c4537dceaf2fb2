"""A refusal is an answer: the business says no, and says why.

Every rule that can say no raises a subclass of one of seven kinds: what was asked for is not there
(`Missing`), it clashes with what is (`Conflict`), this caller may not (`Forbidden`), what is shown
is not what it is said to be (`Malformed`), the request does not meet a rule (`Unmet`), it takes
more than was paid for beforehand (`Unfunded`), or somebody else who is needed does not answer now
(`Unavailable`). The domain knows no transport: what a kind becomes on the wire stands in one table
at the edge. A client acts on `code` alone, so a code never changes its meaning.
"""

from typing import ClassVar


class Refusal(Exception):
    """The business declines. Concrete refusals set `code` and `title` beside the rule they keep.

    `area` is the part of the platform whose rule it is: the wire code is MELMASTOON.<area>.<code>.

    `detail` tells this case to a person, `extra` tells it to a program. Neither carries a secret, a
    payload or a guest's data, because both leave the house.
    """

    area: ClassVar[str] = "BILLING"
    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str = "", **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra: dict[str, object] = extra

    def __str__(self) -> str:
        return f"{self.code}: {self.detail or self.title}"


class Missing(Refusal):
    """What the request names does not exist for this caller."""


class Conflict(Refusal):
    """The request clashes with the state that things are in now."""


class Forbidden(Refusal):
    """The caller is known and may not do this."""


class Malformed(Refusal):
    """What the request shows as ours, or as somebody's, is nothing that they made."""


class Unmet(Refusal):
    """The request is understood and breaks a rule."""


class Unfunded(Refusal):
    """The request takes more than was paid for beforehand: somebody has to pay first."""


class Unavailable(Refusal):
    """Somebody else is needed for it who does not answer now: nothing was done, ask again."""
