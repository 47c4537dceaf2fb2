"""How a step is played: predicted by the model, sent to the service, and compared.

After every command its folio is shown and compared line by line, and what was told since is
compared with what the model told. A commit may be cut: before the server sees it, or before the
answer comes back; either way the command has happened once when its sender hears of it.
"""

from collections import Counter
from dataclasses import replace
from typing import Any, ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize
from werkzeug.test import TestResponse

from tests.postgres.proxy import Cut
from tests.trust.machine import checks
from tests.trust.machine.expected import Command, Expected
from tests.trust.machine.folio import Folio
from tests.trust.machine.hotels import HOTELS, REGIMES, Settings
from tests.trust.machine.office import Group
from tests.trust.machine.world import World

NOBODY: Final = "fol_01ARZ3NDEKTSV4RRFFQ69G5FAV"
BOTH, FIRST = "amina", "omar"  # omar works at the first house of his group only
CUTS: Final = {
    "undone": Cut.BEFORE_THE_SERVER,
    "unheard": Cut.BEFORE_THE_CLIENT,
}
tenants = st.integers(0, 1)
which = st.integers(0, 5)
actors = st.sampled_from([BOTH, BOTH, BOTH, FIRST])
keys = st.sampled_from(["fresh"] * 4 + ["k0", "k1"])
ways = st.sampled_from(["plain"] * 8 + ["undone", "unheard", "stale", "matching"])
chosen = st.builds(
    Settings,
    regime=st.sampled_from(sorted(REGIMES)),
    per_invoice=st.booleans(),
    eager=st.booleans(),
    yearly=st.booleans(),
    prefix=st.sampled_from(["INV", "H"]),
    residual=st.integers(0, 2),
    rates=st.integers(0, 1),
)


class Stage(RuleBasedStateMachine):
    """What every rule stands on."""

    world: ClassVar[World]
    counted: ClassVar[Counter[str]]
    """Everything that was done, by name; faults are those that begin with `fault:`."""

    @initialize(first=chosen, second=chosen)
    def open_the_house(self, first: Settings, second: Settings) -> None:
        self.world.begin([first, second])
        self.groups = [Group(0, first), Group(1, second)]
        self.sent: list[Command] = []
        self.events: list[tuple[int, str, dict[str, Any], bool]] = []
        self.fresh = 0
        self.last_told = 0
        self.seen = [0, 0]
        self.count("examples")
        for tenant in (0, 1):
            opening = {"propertyId": HOTELS[tenant][tenant]["id"], "guest": {"name": "A. Guest"}}
            self.command(tenant, "open_folio", "/folios", opening)

    def count(self, name: str, times: int = 1) -> None:
        self.counted[name] += times

    # who and what

    def folio(self, tenant: int, number: int, *, charged: bool = False) -> Folio:
        """One of a group's folios; one with charges if that is asked for and there is one."""
        folios = self.groups[tenant].folios
        if charged:
            folios = [each for each in folios if each["charges"]] or folios
        return folios[number % len(folios)]

    def charge_id(self, folio: Folio, number: int) -> str:
        """One of the charges of a folio, by number; where there is none, nobody's."""
        if not folio["charges"]:
            return "chg_01ARZ3NDEKTSV4RRFFQ69G5FAV"
        posted = folio["charges"][number % len(folio["charges"])]
        found: str = folio["lines"][posted["postings"][0]["first"]]["id"]
        return found

    def houses(self, tenant: int, actor: str) -> tuple[str, ...]:
        held = HOTELS[tenant][:1] if actor == FIRST else HOTELS[tenant]
        return tuple(house["id"] for house in held)

    def key(self, chosen: str | None) -> str | None:
        if chosen != "fresh":
            return chosen
        self.fresh += 1
        return f"fresh-{self.fresh}"

    # commands

    def command(
        self,
        tenant: int,
        function: str,
        path: str,
        body: dict[str, Any],
        *,
        actor: str = BOTH,
        key: str | None = "fresh",
        way: str = "plain",
    ) -> None:
        """Send a command to a folio; `way` may break the line or expect a version."""
        houses = self.houses(tenant, actor)
        asked = Command(tenant, function, path, body, actor, houses, self.key(key))
        found = self.groups[tenant].folio(path.split("/")[2], houses) if path != "/folios" else None
        if found is not None and way in ("stale", "matching"):
            version = found["version"] - (way == "stale")
            asked = replace(asked, if_match=f'"{version}"')
        self.play(asked, way)

    def play(self, asked: Command, way: str = "plain") -> None:
        """Predict, send, compare."""
        group, world = self.groups[asked.tenant], self.world
        expected = group.command(asked, world.clock.moment)
        cut = CUTS.get(way, Cut.NOWHERE) if expected.writes and asked.key else Cut.NOWHERE
        answer = world.call(
            asked.tenant,
            asked.actor,
            asked.houses,
            "POST",
            asked.path,
            {**asked.body, **world.confirmation(asked)},
            key=asked.key,
            headers={"If-Match": asked.if_match} if asked.if_match else None,
            cut=cut,
        )
        self.count("commands")
        self.count(f"answers: {asked.function} {expected.code or expected.status}")
        if cut is not Cut.NOWHERE:
            self.count(f"fault: a commit {way}")
        self.same_answer(expected, answer, unheard=cut is Cut.BEFORE_THE_CLIENT)
        if expected.writes:
            group.learn(asked, expected, answer)
            self.same_success(asked, expected, answer)
            if asked.function == "refund_payment" and cut is not Cut.BEFORE_THE_CLIENT:
                group.asked_at_once(asked, world.clock.moment)
        if asked not in self.sent:
            self.sent.append(asked)
        self.take_over_lines(asked.tenant)
        self.look(asked.tenant, expected.folio or expected.touched or self.known(asked))
        self.look(asked.tenant, expected.other)
        self.look_at_credits(asked.tenant, list(expected.credits))
        self.listen()

    def known(self, asked: Command) -> Folio | None:
        """The folio that a command was for, whoever asked."""
        steps = asked.path.split("/")
        everywhere = self.houses(asked.tenant, BOTH)
        return self.groups[asked.tenant].folio(steps[2], everywhere) if len(steps) > 2 else None

    def same_answer(self, expected: Expected, answer: TestResponse, unheard: bool = False) -> None:
        """The status, the code, and whether it is the answer of before, byte for byte."""
        code = "" if answer.status_code < 300 else str(answer.json["code"]).rsplit(".", 1)[-1]
        checks.same((answer.status_code, code), (expected.status, expected.code), answer.text)
        replayed = answer.headers.get("Idempotency-Replayed") == "true"
        assert replayed == (expected.stored is not None or unheard), answer.text
        if expected.stored is not None:
            same = answer.data, answer.headers.get("ETag")
            assert same == (expected.stored["body"], expected.stored["etag"])

    def same_success(self, asked: Command, expected: Expected, answer: TestResponse) -> None:
        """What a command that had its effect says of it."""
        said, folio = answer.json, expected.folio
        checks.same(checks.only(said, expected.said), expected.said, asked.function)
        if folio is None:
            return
        assert answer.headers["ETag"] == f'"{folio["version"]}"'
        assert said["version"] == folio["version"]
        if asked.function == "open_folio":
            checks.same_folio(folio, said)
        elif asked.function == "close_folio":
            checks.same_folio(folio, said["folio"])
            self.same_settlement(asked, expected, said)
        else:
            assert said["balance"] == checks.view(folio)["balance"]
            checks.same_lines(folio, said["lines"], len(folio["lines"]) - len(expected.lines))
        if asked.function == "refund_payment":
            self.count("refunds")
        if expected.other is not None:
            self.count("transfers")
            other, told = expected.other, said["target"]
            assert (told["version"], told["balance"]) == (
                other["version"],
                checks.view(other)["balance"],
            )
            checks.same_lines(other, told["lines"], len(other["lines"]) - len(expected.other_lines))

    def same_settlement(self, asked: Command, expected: Expected, said: dict[str, Any]) -> None:
        folio, invoice = expected.folio, expected.invoice
        assert folio is not None
        assert invoice is not None
        assert said["invoiceNumber"] == invoice["number"]
        assert said["settlement"]["residualMicro"] == folio["residual"] * folio["micro"]
        shown = self.get(asked.tenant, f"/invoices/{invoice['id']}")
        invoice["hash"] = shown["payloadSha256"]
        for line, said_line in zip(
            expected.lines,
            self.get(asked.tenant, f"/folios/{folio['id']}")["lines"][-len(expected.lines) :],
            strict=False,
        ):
            line["id"] = said_line["lineId"]
        checks.same_invoice(invoice, shown)
        self.count("invoices")

    def get(self, tenant: int, path: str, **query: str) -> Any:
        houses = self.houses(tenant, BOTH)
        answer = self.world.call(tenant, BOTH, houses, "GET", path, query=query)
        assert answer.status_code == 200, answer.text
        return answer.json

    # after each step

    def take_over_lines(self, tenant: int) -> None:
        """The ids of lines that no answer has told."""
        group = self.groups[tenant]
        for folio in group.folios:
            if any(line["id"] is None for line in folio["lines"]):
                said = self.get(tenant, f"/folios/{folio['id']}")["lines"]
                for line, each in zip(folio["lines"], said, strict=True):
                    assert line["id"] in (None, each["lineId"])
                    line["id"] = each["lineId"]
                group.ids |= {line["id"] for line in folio["lines"]}

    def look(self, tenant: int, folio: Folio | None) -> None:
        """The folio is as the model has it."""
        if folio is not None and folio["id"] is not None:
            checks.same_folio(folio, self.get(tenant, f"/folios/{folio['id']}"))

    def look_at_credits(self, tenant: int, accounts: list[dict[str, Any]]) -> None:
        """Accounts of credits are as the model has them; the ids that no answer has told."""
        if not accounts:
            return
        checks.take_over_credits(self.world.tenants[tenant], self.groups[tenant])
        for account in accounts:
            said = self.get(tenant, "/credits/balance", account=account["name"])
            checks.same_credits(account, said, self.world.clock.moment)

    def listen(self) -> None:
        """What was told since is what the model told: kinds, aggregates, numbers, order."""
        told, self.last_told = checks.told_so_far(self.world, self.last_told)
        for tenant, group in enumerate(self.groups):
            own = [each for number, each in told if number == tenant]
            expected = [fact() for fact in group.told[self.seen[tenant] :]]
            checks.same(own, expected, f"what group {tenant} has told")
            self.seen[tenant] = len(group.told)

    def teardown(self) -> None:
        """At the end of an example everything is compared."""
        if not hasattr(self, "groups"):
            return
        self.listen()
        for number, group in enumerate(self.groups):
            checks.same_books(self.world, number, group)
        checks.same_letters(self.world, self.groups)
