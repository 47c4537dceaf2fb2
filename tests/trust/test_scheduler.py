"""The scheduler keeps its word: what it plays can be played again, found, made short and read."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pg8000.native
import pytest

from common.domain.identifiers import FolioId
from common.ports.transactions import Caller, Opening, TryAgain
from common.postgres import folios
from common.postgres.sessions import opener
from common.runtime.system import SystemActor
from tests.hotel import Hotel
from tests.trust.races.playing import story
from tests.trust.races.plays import RACES
from tests.trust.races.plays.playbill import balance, posts
from tests.trust.races.schedule import Drawn, Written
from tests.trust.races.scheduler import Stuck
from tests.trust.races.shrink import shrunk
from tests.trust.races.stage import Play, Stage, Theatre, perform
from tests.trust.races.stepping import Fault, label_of

pytestmark = pytest.mark.req("REL-2")

TILLS = "three_tills_post_to_one_folio"
SEEDS = range(20)
LOST = "balance(stage.hotel, folio) == 7_700 does not hold"
AT_COMMIT = "COMMIT"


def commit_of(play: Play, worker: int) -> tuple[int, int]:
    """The place at which a worker stands before its first commit."""
    return next(
        (event.worker, event.point)
        for event in play.trace
        if event.worker == worker and event.what == AT_COMMIT
    )


def one_till(stage: Stage) -> None:
    """A single bill of 11.00."""
    folio = stage.hotel.open_folio()
    stage.plays("till", posts(folio, "bill"), insists=False)
    stage.play()


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has taken the lock away from the folio that is charged."""
    monkeypatch.setattr(folios, "TAKE", folios.GET)


@pytest.fixture
def unnumbered(theatre: Theatre) -> Iterator[None]:
    """And the constraints as well that number the lines, the trail and the events of a folio."""
    schema = theatre.hotel.schema
    numbered = {
        f"{schema}.folio_lines": (
            "folio_lines_are_consecutive",
            "PRIMARY KEY (tenant_id, folio_id, sequence)",
        ),
        f"{schema}.audit_entries": (
            "audit_entries_are_consecutive",
            "UNIQUE (tenant_id, aggregate_kind, aggregate_id, sequence)",
        ),
        "billing_central.outbox": (
            "event_sequence_is_the_aggregates",
            "UNIQUE (tenant_id, ordering_key, sequence, event_type)",
        ),
    }
    for table, (name, _) in numbered.items():
        theatre.hotel.rows(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    yield
    theatre.clean()
    for table, (name, columns) in numbered.items():
        theatre.hotel.rows(f"ALTER TABLE {table} ADD CONSTRAINT {name} {columns}")


@pytest.mark.parametrize("name", RACES)
def test_a_seed_plays_the_same_trace_again(theatre: Theatre, name: str) -> None:
    first, second = (perform(theatre, RACES[name], Drawn(11)) for _ in range(2))

    assert first.wrong == []
    assert first.trace
    assert first.trace == second.trace
    assert first.answers == second.answers


def test_what_was_drawn_can_be_written_down_and_played(theatre: Theatre) -> None:
    for seed in SEEDS:
        drawn = Drawn(seed)
        first = perform(theatre, RACES[TILLS], drawn)

        assert perform(theatre, RACES[TILLS], drawn.written()).trace == first.trace


def test_seeds_go_different_ways(theatre: Theatre) -> None:
    traces = {tuple(perform(theatre, RACES[TILLS], Drawn(seed)).trace) for seed in SEEDS}

    assert len(traces) == len(SEEDS)


def test_without_the_lock_a_red_seed_is_found_replayed_and_told(
    theatre: Theatre, unguarded: None
) -> None:
    """The numbering of lines still refuses the second one; the clerk hears of an error of ours."""
    red = next(seed for seed in SEEDS if perform(theatre, RACES[TILLS], Drawn(seed)).wrong)
    drawn = Drawn(red)

    first = perform(theatre, RACES[TILLS], drawn)
    again = perform(theatre, RACES[TILLS], Drawn(red))
    told = story(theatre, TILLS, red, drawn.written(), first)

    assert first.wrong
    assert again.trace == first.trace
    assert again.wrong == first.wrong
    assert "1 switches, 0 faults" in told
    assert "reads folios" in told
    assert "WRONG" in told


def test_what_is_red_once_and_not_again_is_told_as_it_came(theatre: Theatre) -> None:
    drawn = Drawn(0)
    came = replace(perform(theatre, RACES[TILLS], drawn), wrong=["a till was on fire"])

    told = story(theatre, TILLS, 0, drawn.written(), came)

    assert "red once and not again" in told
    assert "WRONG: a till was on fire" in told


def test_without_the_lock_and_the_numbering_money_is_lost_and_the_books_say_so(
    theatre: Theatre, unguarded: None, unnumbered: None
) -> None:
    """All tills hear 201, and the balance lacks a bill."""
    plays = [perform(theatre, RACES[TILLS], Drawn(seed, faults=False)) for seed in SEEDS]
    lost = [play for play in plays if LOST in play.wrong]

    assert lost
    for play in lost:
        assert play.answers == ["hears 201"] * 3
        assert any("sum of its lines" in sentence for sentence in play.wrong), play.wrong


def test_a_schedule_is_made_as_short_as_it_goes() -> None:
    """Red are those in which 0 gives way to 1 and 1 dies: all else is left out."""
    red = Written(
        switches={(0, point): 1 + point % 2 for point in range(20)},
        faults={(1, 5): Fault.DIES_BEFORE, (2, 5): Fault.CUT_AFTER},
    )

    def is_red(schedule: Written) -> bool:
        return schedule.switches.get((0, 6)) == 1 and (1, 5) in schedule.faults

    assert shrunk(red, is_red) == Written({(0, 6): 1}, {(1, 5): Fault.DIES_BEFORE})


@pytest.mark.req("REL-1")
@pytest.mark.parametrize(
    ("fault", "cents", "heard"),
    [
        (Fault.DIES_BEFORE, 0, "hears nothing"),
        (Fault.DIES_AFTER, 1_100, "hears nothing"),
        (Fault.CUT_BEFORE, 1_100, "hears 201"),
        (Fault.CUT_AFTER, 1_100, "hears 201 (replayed)"),
    ],
)
def test_what_strikes_at_the_commit_strikes_before_or_after_it(
    theatre: Theatre, fault: Fault, cents: int, heard: str
) -> None:
    """Who dies hears nothing; a service that is only cut off finds out by the key."""
    place = commit_of(perform(theatre, one_till, Written()), 0)

    play = perform(theatre, one_till, Written(faults={place: fault}))

    assert play.answers == [heard]
    assert play.wrong == []
    (folio,) = theatre.hotel.get("/folios").json["items"]
    assert balance(theatre.hotel, folio["folioId"]) == cents


def test_a_circle_of_waiting_is_told_and_resolved_by_the_server(theatre: Theatre) -> None:
    """Two charges in opposite orders, as nobody in the service takes them."""

    def crossing(stage: Stage) -> None:
        one, two = stage.hotel.open_folio(), stage.hotel.open_folio()
        for name, order in (("left", (one, two)), ("right", (two, one))):
            stage.plays(name, lambda at, order=order: _locks_in(at, order), insists=False)
        stage.play()

    plays = [perform(theatre, crossing, Drawn(seed, faults=False)) for seed in range(6)]

    circles = [play for play in plays if "they waited for one another in a circle" in play.wrong]
    assert circles
    assert any("all wait" in event.what for event in circles[0].trace)


def test_who_takes_no_part_holds_nobody_up(theatre: Theatre) -> None:
    """As the server's own vacuum does, when a table has become shorter."""
    hotel = theatre.hotel
    stage = Stage(theatre)
    folio = hotel.open_folio()
    stage.plays("bar", posts(folio, "bar"))
    stranger = opener(hotel.house.server.dsn(database="billing"), timeout_seconds=60)()
    stranger.run("BEGIN")
    stranger.run(f"LOCK TABLE {hotel.schema}.folio_lines IN ACCESS EXCLUSIVE MODE")
    leaving = threading.Thread(target=_leaves, args=(stranger,), daemon=True)
    leaving.start()

    (answer,) = stage.play()

    leaving.join()
    assert answer.status_code == 201
    assert [event for event in stage.trace if event.what in ("waits", "goes on")] == []


def _leaves(stranger: pg8000.native.Connection) -> None:
    """As soon as somebody waits for it."""
    waited_for = (
        "SELECT EXISTS (SELECT FROM pg_stat_activity"
        " WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
    )
    while not stranger.run(waited_for)[0][0]:
        pass
    stranger.run("COMMIT")
    stranger.close()


def test_who_never_comes_to_an_end_is_told_and_holds_nothing(theatre: Theatre) -> None:
    def endless(stage: Stage) -> None:
        folio = stage.hotel.open_folio()
        stage.plays("restless", lambda at: _again_and_again(at, folio))
        stage.play()

    with pytest.raises(Stuck, match="comes to no end"):
        endless(Stage(theatre))

    theatre.clean()
    assert theatre.hotel.get("/folios").json["items"] == []


@pytest.mark.parametrize(
    ("sql", "label"),
    [
        (folios.TAKE, "takes folios"),
        (folios.GET, "reads folios"),
        (folios.CHANGE, "changes folios"),
        (folios.INSERT_LINE.sql, "writes folio_lines"),
        ("COMMIT", "COMMIT"),
        ("SELECT pg_try_advisory_xact_lock($1::bigint)", "claims its key"),
    ],
)
def test_a_statement_has_a_name_that_can_be_read(sql: str, label: str) -> None:
    assert label_of(sql) == label


def _locks_in(at: Hotel, order: tuple[str, str]) -> object:
    """Take two folios in the order given, in one transaction of the service's own."""
    actor = SystemActor.named("test", at.tenant_id)
    try:
        with at.house.wiring.transactions.open(Opening(tenant_id=at.tenant_id)) as opened:
            command = opened.command(Caller(actor=actor))
            for folio in order:
                command.folios.take(FolioId(folio))
    except TryAgain:
        pass
    return at.house.client.get("/health")


def _again_and_again(at: Hotel, folio: str) -> object:
    while True:
        at.get(f"/folios/{folio}")
