"""Card numbers never come in (SEC-6).

A clerk in a hurry pastes a card number into a remark, and the hotel's books are card data from
then on. So every free text of every request is searched before anything is stored or logged: runs
of 13 to 19 digits, with spaces and dashes between them, whose check digit is right (Luhn, ISO/IEC
7812-1 annex B), in the digits of any script. The refusal names the place, never the text.

A calendar date is no part of a run: one in ten pairs of dates would pass for a card otherwise, and
a hotel writes many. Nor is a UUID, a hash or a trace, of which one in some hundreds would pass.
Where a run holds more than the number ("room 12 4111 ..."), numbers are looked for between its gaps
as well, and there only those count that a card network could have given out.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

from common.domain.refusal import Unmet

Path = tuple[str | int, ...]

SHORTEST_DIGITS = 13
LONGEST_DIGITS = 19

_RUN = re.compile(r"[0-9](?:[ \t-]{0,3}[0-9]){12,}")
_GAPS = re.compile(r"[ \t-]+")
# What follows is compiled with the first long run of digits: most processes meet none (PERF-1).
_DATE = r"(?<![0-9])(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?![0-9])"
_MADE_BY_MACHINES = (
    r"(?i)(?<![0-9a-z])(?=[0-9-]*[a-f])"  # what holds digits only may be a number
    r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # a UUID
    r"|[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"  # a traceparent
    r"|[0-9a-f]{32,128})(?![0-9a-z])"  # a hash
)
# How the networks' numbers begin, and how long they are (their published ranges of issuers).
_ISSUED = (
    r"(?a)4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|095|[689]\d)\d{11,16}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12,15}"  # JCB
    r"|(?:6011|64[4-9]\d|65\d\d|62\d\d|8[12]\d\d|60\d\d|220[0-4]|9792)\d{12,15}"  # Discover,
    # UnionPay, RuPay, Mir, Troy
    r"|(?:50|5[678]|63|67)\d{11,17}"  # Maestro
)
_DOUBLED = {"0": 0, "1": 2, "2": 4, "3": 6, "4": 8, "5": 1, "6": 3, "7": 5, "8": 7, "9": 9}


class CardDataFound(Unmet):
    """A free text holds what looks like a card number. `pointer` (RFC 6901) says where."""

    code = "PAN_DETECTED"
    title = "A text holds what looks like a card number"

    def __init__(self, pointer: str) -> None:
        message = "Card numbers are never taken here; remove the number and send again."
        super().__init__(message, errors=[{"pointer": pointer, "message": message}])
        self.pointer = pointer


def find_card_number(value: str) -> bool:
    """Say whether the text holds a run of digits that could be a card number."""
    if len(value) < SHORTEST_DIGITS:
        return False
    text = value if value.isascii() else _plain(value)
    if _RUN.search(text) is None:
        return False
    written = re.sub(_DATE, "/", re.sub(_MADE_BY_MACHINES, "/", text))
    return any(_holds_card(run[0]) for run in _RUN.finditer(written))


def scan(document: object, free_text: Callable[[Path], bool]) -> None:
    """Search the free texts of a parsed JSON document. Refuses: CardDataFound.

    `free_text` says whether what stands at a path is free text, and is asked only where something
    was found. Names of members are searched like texts (a map of free metadata has free names), and
    whole numbers too, as a card number need not stand in quotes. Any depth of nesting is walked.
    """
    # The document stands in a list of its own, so that a bare text is searched too; hence [1:].
    waiting: list[tuple[Path, object]] = [((), [document])]
    while waiting:
        path, container = waiting.pop()
        named: Iterable[tuple[str | int, object]]
        if isinstance(container, dict):
            named = container.items()
        else:
            named = enumerate(container) if isinstance(container, list) else ()
        for name, value in named:
            if isinstance(name, str) and find_card_number(name) and free_text((*path, name)[1:]):
                raise CardDataFound(_pointer(path[1:]))
            if isinstance(value, (dict, list)):
                waiting.append(((*path, name), value))
            elif _is_card(value) and free_text((*path, name)[1:]):
                raise CardDataFound(_pointer((*path, name)[1:]))


def at(*patterns: str) -> Callable[[Path], bool]:
    """Make the predicate for `scan` of JSON pointers: `*` is any step, a last `**` any rest."""
    wanted = [tuple(pattern.split("/")[1:]) for pattern in patterns]
    return lambda path: any(_fits(path, steps) for steps in wanted)


def _fits(path: Path, steps: tuple[str, ...]) -> bool:
    if steps[-1:] == ("**",):
        steps = steps[:-1]
        path = path[: len(steps)] if len(path) > len(steps) else ()
    return len(path) == len(steps) and all(
        step in ("*", str(name)) for step, name in zip(steps, path, strict=True)
    )


def _is_card(value: object) -> bool:
    match value:
        case str():
            return find_card_number(value)
        case int():
            return 10**12 <= value < 10**19 and find_card_number(str(value))
        case float():
            return 10**12 <= value < 10**19 and find_card_number(f"{value:.0f}")
        case _:
            return False


def _holds_card(run: str) -> bool:
    """Look at a whole run, then at the numbers between its gaps."""
    groups = _GAPS.split(run)
    whole = "".join(groups)
    if len(whole) <= LONGEST_DIGITS and _check_digit_fits(whole):
        return True
    for start, first in enumerate(groups):
        if len(first) < 3:  # no card is written with one or two digits in front
            continue
        number = ""
        for group in groups[start : start + LONGEST_DIGITS]:
            number += group
            if len(number) > LONGEST_DIGITS:
                break
            if len(number) < SHORTEST_DIGITS or not re.fullmatch(_ISSUED, number):
                continue
            if _check_digit_fits(number):
                return True
    return False


def _check_digit_fits(number: str) -> bool:
    """Luhn: every second digit from the right doubled and its digits added, the sum ends in 0."""
    plain, doubled = number[::-2], number[-2::-2]
    return (sum(map(int, plain)) + sum(map(_DOUBLED.__getitem__, doubled))) % 10 == 0


def _plain(text: str) -> str:
    """Write digits, spaces and dashes of every script in ASCII, and leave out what is invisible."""
    return "".join(map(_ascii_of, unicodedata.normalize("NFKC", text)))


@lru_cache(maxsize=2048)
def _ascii_of(sign: str) -> str:
    match unicodedata.category(sign):
        case "Nd":
            return str(unicodedata.decimal(sign))
        case "Zs":
            return " "
        case "Pd":
            return "-"
        case "Cf" | "Mn":
            return ""
        case _:
            return sign


def _pointer(path: Path) -> str:
    """Write a path as a JSON pointer; a name that is itself a card number is not repeated."""
    names = ("*" if find_card_number(str(name)) else str(name) for name in path)
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)
