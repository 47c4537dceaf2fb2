"""What is foreseen is read along with the next question, once, and answers nobody else's."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from common.postgres.connection import Row, Statement
from common.postgres.reading_ahead import ReadingAhead, id_of

pytestmark = pytest.mark.req("PERF-1")


@dataclass
class Server:
    """Answers each statement with its words, and keeps what came in each round trip."""

    trips: list[list[str]] = field(default_factory=list)

    def read(self, statements: Sequence[Statement]) -> list[list[Row]]:
        said = [" ".join([each.sql, *map(str, each.parameters)]) for each in statements]
        self.trips.append(said)
        return [[[words]] for words in said]


@dataclass(frozen=True)
class Standing:
    id: str


def test_is_read_behind_the_next_question_and_not_again() -> None:
    server = Server()
    ahead = ReadingAhead(server.read)
    ahead.foresee(Statement("plan", ("pro",)))
    ahead.foresee(Statement("rules"))

    lock = ahead.batch([Statement("lock"), Statement("read")])

    assert lock == [[["lock"]], [["read"]]]
    assert ahead.rows(Statement("plan", ("pro",))) == [["plan pro"]]
    assert ahead.rows(Statement("plan", ("team",))) == [["plan team"]]
    assert ahead.rows(Statement("rules")) == [["rules"]]
    assert server.trips == [["lock", "read", "plan pro", "rules"], ["plan team"]]


def test_what_was_foreseen_in_an_order_is_asked_in_it() -> None:
    """As the row of a series is made before it is locked, though only the lock is asked for."""
    server = Server()
    ahead = ReadingAhead(server.read)
    for sql in ("begin series", "take series", "take series"):
        ahead.foresee(Statement(sql))

    assert ahead.rows(Statement("take series")) == [["take series"]]
    assert server.trips == [["begin series", "take series"]]


def test_an_answer_about_the_subscription_that_stands_is_not_one_about_another() -> None:
    server = Server()
    ahead = ReadingAhead(server.read)
    ahead.foresee(Statement("charge of", (None,)), names=id_of)
    ahead.batch([Statement("lock")])
    ahead.know(Standing("sub_1"))

    assert ahead.rows(Statement("charge of", ("sub_2",))) == [["charge of sub_2"]]
    assert ahead.rows(Statement("charge of", ("sub_1",))) == [["charge of None"]]
    assert server.trips == [["lock", "charge of None"], ["charge of sub_2"]]
