"""The back office's rules: events come in and go out, invoices are drawn, time passes, jobs die."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.trust.machine import checks
from tests.trust.machine.desk_rules import price_of
from tests.trust.machine.expected import Command
from tests.trust.machine.hotels import HOTELS, REGIMES, Settings, document, rules
from tests.trust.machine.office import page_of
from tests.trust.machine.stage import BOTH, NOBODY, Stage, chosen, keys, tenants, which
from tests.trust.races.stepping import Died

MINUTE, HOUR, DAY = 60, 3600, 86_400
MOVES: Final = [MINUTE, HOUR, 5 * HOUR, DAY, 40 * DAY, -HOUR, -2 * DAY]
ids = st.integers(0, 5)
pens = st.sampled_from(["", "", "", "refused", "killed before the page", "killed behind the page"])


class OfficeRules(Stage):
    """What other services, schedules and time do."""

    # events that come in

    def deliver(
        self, tenant: int, consumer: str, data: dict[str, Any], number: int, wrapped: bool = False
    ) -> None:
        """Tell an event under an id that may have been told before, for something else even."""
        types = {
            "on_reservation_confirmed": "melmastoon.reservation.confirmed.v1",
            "on_reservation_checked_in": "melmastoon.reservation.checked_in.v1",
            "on_payment_captured": "melmastoon.payment_gateway.payment.captured.v1",
            "on_refund_failed": "melmastoon.payment_gateway.refund.failed.v1",
            "on_refund_succeeded": "melmastoon.payment_gateway.refund.succeeded.v1",
            "on_tenant_settings_updated": "melmastoon.tenant.settings.updated.v1",
            "on_tenant_tax_rules_updated": "melmastoon.tenant.tax_rules.updated.v1",
        }
        event = {
            "specversion": "1.0",
            "id": f"evt-{number}",
            "source": "/another-service",
            "type": types[consumer],
            "tenantid": str(self.world.tenants[tenant].tenant_id),
            "data": data,
        }
        self.hand_over(tenant, consumer, event, wrapped)

    def hand_over(
        self, tenant: int, consumer: str, event: dict[str, Any], wrapped: bool, pen: str = ""
    ) -> None:
        """Push an event; it is acknowledged, or the process was killed over it."""
        world, group = self.world, self.groups[tenant]
        message = world.message_id(event) if wrapped else repr(event)
        before = len(group.letters)
        group.take_in(consumer, event, message, world.clock.moment, pen)
        world.pen.trouble = pen
        try:
            answer = world.push(consumer, event, wrapped=wrapped)
            assert answer.status_code == 204, answer.text
        except Died:
            assert pen.startswith("killed")
            self.count("fault: a consumer killed")
        finally:
            world.pen.trouble = ""
        self.count("commands")
        self.count(f"events: {consumer}")
        self.count("dead letters", len(group.letters) - before)
        self.events.append((tenant, consumer, event, wrapped))
        self.take_over_folios(tenant)
        self.listen()

    def take_over_folios(self, tenant: int) -> None:
        """The ids of folios, and of their lines, that no answer has told."""
        group = self.groups[tenant]
        unknown = [each for each in group.folios if each["id"] is None]
        if unknown:
            known = {each["id"] for each in group.folios}
            listed = self.get(tenant, "/folios", limit="200")["items"]
            (made,) = [each for each in listed if each["folioId"] not in known]
            unknown[0]["id"] = made["folioId"]
        self.take_over_lines(tenant)

    @rule(
        tenant=tenants,
        consumer=st.sampled_from(["on_reservation_confirmed", "on_reservation_checked_in"]),
        reservation=st.sampled_from(["R-1", "R-2", "R-3"]),
        house=st.integers(0, 1),
        somewhere_else=st.sampled_from([False] * 6 + [True]),
        nights=st.sampled_from([3, 3, 3, 0, -1]),
        planned=st.lists(st.integers(1, 900), max_size=4),
        euros=st.sampled_from([False] * 9 + [True]),
        number=ids,
        wrapped=st.booleans(),
    )
    def reservation(
        self,
        tenant: int,
        consumer: str,
        reservation: str,
        house: int,
        somewhere_else: bool,
        nights: int,
        planned: list[int],
        euros: bool,
        number: int,
        wrapped: bool,
    ) -> None:
        houses = HOTELS[1 - tenant if somewhere_else else tenant]
        data = {
            "reservationId": reservation,
            "propertyId": houses[house]["id"],
            "guest": {"name": "A. Guest"},
            "arrival": "2026-12-30",
            "departure": f"2027-01-{2 + nights:02d}" if nights >= 0 else "2026-12-29",
            "nights": [
                {
                    "night": f"{date(2026, 12, 30) + timedelta(days=place)}",
                    "price": price_of(price, "EUR" if euros else houses[house]["currency"]),
                }
                for place, price in enumerate(planned)
            ],
        }
        self.deliver(tenant, consumer, data, number, wrapped)

    @rule(
        tenant=tenants,
        folio=which,
        amount=st.integers(0, 60),
        processor=st.integers(0, 2),
        number=ids,
        foreign=st.sampled_from([""] * 6 + ["folio", "tenant"]),
        wrapped=st.booleans(),
    )
    def captured(
        self,
        tenant: int,
        folio: int,
        amount: int,
        processor: int,
        number: int,
        foreign: str,
        wrapped: bool,
    ) -> None:
        owner = 1 - tenant if foreign == "folio" else tenant
        found = self.folio(owner, folio)
        data = {
            "paymentId": f"pi-{processor}",
            "folioId": found["id"],
            "amount": price_of(amount, found["currency"]),
            "allowCredit": True,  # what goes back by itself is not in this model
        }
        if foreign == "tenant":
            data["tenantId"] = str(self.world.tenants[1 - tenant].tenant_id)
        if foreign:
            self.count("fault: an event of another group's")
        self.deliver(tenant, "on_payment_captured", data, number, wrapped)
        self.look(owner, found)

    @rule(tenant=tenants, regime=st.sampled_from(sorted(REGIMES)), number=ids)
    def tax_rules(self, tenant: int, regime: str, number: int) -> None:
        """`model` is what the model reads of the event, and the service passes over."""
        data = {"taxRules": rules(tenant, regime), "model": regime}
        self.deliver(tenant, "on_tenant_tax_rules_updated", data, number)

    @rule(tenant=tenants, settings=chosen, number=ids)
    def settings(self, tenant: int, settings: Settings, number: int) -> None:
        data = {**document(tenant, settings), "model": asdict(settings)}
        del data["taxRules"]
        self.deliver(tenant, "on_tenant_settings_updated", data, number)

    @rule(number=which)
    def deliver_again(self, number: int) -> None:
        """An event that came before, however long ago."""
        if self.events:
            tenant, consumer, event, wrapped = self.events[-1 - number % len(self.events)]
            self.count("fault: an event again")
            self.hand_over(tenant, consumer, event, wrapped)

    @precondition(lambda self: len(self.sent) > 8)
    @rule(tenant=tenants)
    def forget_answers(self, tenant: int) -> None:
        """Thirty days: stored answers go, what was taken in does not."""
        self.world.forget_answers(tenant)
        self.groups[tenant].forget_answers()
        self.sent = [each for each in self.sent if each.tenant != tenant]
        self.count("fault: answers forgotten")

    # time

    @rule(seconds=st.sampled_from(MOVES))
    def move_the_clock(self, seconds: int) -> None:
        """Forwards, or back; not back into a day that has ended, whose report is written."""
        then = self.world.clock.moment + timedelta(seconds=seconds)
        if any(group.has_ended(then) for group in self.groups):
            return
        self.world.move_clock(seconds)
        self.count("fault: the clock set back" if seconds < 0 else "clock moves")

    # events that go out

    def waiting(self) -> list[tuple[str, str, int]]:
        """What is told and has not been marked as published, of both groups."""
        rows = self.world.house.sql(
            "SELECT tenant_id, ordering_key, sequence FROM billing_central.outbox"
            " WHERE published_at IS NULL AND tenant_id = ANY(:tenants) ORDER BY id",
            tenants=[hotel.tenant_id for hotel in self.world.tenants],
        )
        return [(str(tenant), key, number) for tenant, key, number in rows]

    @rule(trouble=st.sampled_from(["", "", "refused", "killed"]), after=st.integers(0, 3))
    def drain(self, trouble: str, after: int) -> None:
        """Publish; the broker may refuse a folio, the drainer may be killed before it marks."""
        broker, before = self.world.broker, self.waiting()
        refused = before[after % len(before)][1] if before and trouble == "refused" else None
        broker.refuses = frozenset({refused} if refused else ())
        broker.dies_after = after if trouble == "killed" else None
        progress = self.world.run_job("drain_outbox")
        killed = progress is None
        broker.refuses, broker.dies_after = frozenset(), None
        assert killed == (trouble == "killed" and bool(before))
        left = before if killed else [each for each in before if each[1] == refused]
        checks.same(self.waiting(), left, "what waits")
        if killed:
            self.count("fault: the drainer killed")
            self.leases_of_the_dead(before)
        elif refused:
            self.count("fault: the broker refuses")
        self.published()

    def leases_of_the_dead(self, before: list[tuple[str, str, int]]) -> None:
        """Nobody reads what a drainer had in hand that was killed, until its leases run out."""
        arrived = len(self.world.broker.arrived)
        assert self.world.run_job("drain_outbox").done == 0
        assert (self.waiting(), len(self.world.broker.arrived)) == (before, arrived)
        self.world.let_leases_run_out()

    def published(self) -> None:
        """What came to the broker was told, and first came in the order of its aggregate."""
        first: dict[str, list[int]] = {}
        for message in self.world.broker.arrived:
            numbers = first.setdefault(message.ordering_key, [])
            number = int(message.attributes["ce-sequence"])
            if number not in numbers:
                numbers.append(number)
        for key, numbers in first.items():
            checks.same(numbers, list(range(1, len(numbers) + 1)), f"what came of {key}")
        waiting = {(f"{tenant}/{key}", number) for tenant, key, number in self.waiting()}
        told = {
            (f"{self.world.tenants[tenant].tenant_id}/{subject}", number)
            for tenant, group in enumerate(self.groups)
            for _, subject, number in (fact() for fact in group.told)
        }
        came = {(key, number) for key, numbers in first.items() for number in numbers}
        checks.same(came - told, set(), "what came and was not told")
        checks.same(told - waiting - came, set(), "what is marked and did not come")

    # invoices

    @rule(pen=pens)
    def draw_the_backlog(self, pen: str) -> None:
        """The job draws what waits and is due; it may be refused, or killed at the first."""
        world, now = self.world, self.world.clock.moment
        due = [(group, each) for group in self.groups for each in group.due(now)]
        killed = pen.startswith("killed") and bool(due)
        world.pen.trouble = pen
        progress = world.run_job("render_invoice_backlog")
        world.pen.trouble = ""
        assert (progress is None) == killed
        if killed:
            self.count("fault: the drawing job killed")
        else:
            checks.same((progress.due, progress.failed), (len(due), 0), "what was drawn")
            for group, invoice in self.in_order(due):
                group.drawn(invoice, now, pen)
            self.count("fault: a drawing refused", len(due) if pen else 0)
        self.listen()

    def in_order(self, due: list[tuple[Any, dict[str, Any]]]) -> list[tuple[Any, dict[str, Any]]]:
        """As the outbox tells it: of equally old ones the database takes any first."""
        told = [key for _, key, _ in (fact for _, fact in self.told_now())]
        places = {key: place for place, key in enumerate(told)}
        return sorted(due, key=lambda each: places.get(each[1]["id"], 0))

    def told_now(self) -> list[tuple[int, tuple[str, str, int]]]:
        return checks.told_so_far(self.world, self.last_told)[0]

    @rule(tenant=tenants, number=which, pen=pens, key=keys | st.none())
    def draw_again(self, tenant: int, number: int, pen: str, key: str | None) -> None:
        """A further copy, by hand."""
        group = self.groups[tenant]
        invoices = group.invoices
        known = invoices[number % len(invoices)]["id"] if invoices else "inv" + NOBODY[3:]
        path = f"/invoices/{known}/regenerate"
        houses = self.houses(tenant, BOTH)
        asked = Command(tenant, "regenerate_invoice", path, {}, BOTH, houses, self.key(key))
        self.world.pen.trouble = pen
        expected, said = group.regenerate(asked, self.world.clock.moment, pen)
        try:
            answer = self.world.call(tenant, BOTH, houses, "POST", path, {}, key=asked.key)
        except Died:
            self.count("fault: a command killed")
            assert expected.status == 0
        else:
            self.same_answer(expected, answer)
            if said is not None:
                checks.same(answer.json, said, "a further copy")
                group.learn(asked, expected, answer)
        finally:
            self.world.pen.trouble = ""
        self.count("commands")
        self.listen()

    @rule(tenant=tenants, number=which, wrapped=st.booleans(), pen=pens)
    def deliver_an_invoice(self, tenant: int, number: int, wrapped: bool, pen: str) -> None:
        """The event that an invoice was issued, early, late, or again."""
        issued = self.world.tenants[tenant].events("invoice.generated")
        if issued:
            event = issued[number % len(issued)]
            self.hand_over(tenant, "on_invoice_generated", event, wrapped, pen)

    @rule(tenant=tenants, number=which, asks=tenants, wrong=st.booleans())
    def verify(self, tenant: int, number: int, asks: int, wrong: bool) -> None:
        """Anybody asks about an invoice, of the right group or the other one."""
        group, world = self.groups[tenant], self.world
        if not group.invoices:
            return
        invoice = group.invoices[number % len(group.invoices)]
        digest = "0" * 64 if wrong else invoice["hash"]
        answer = world.call(
            tenant,
            BOTH,
            self.houses(tenant, BOTH),
            "GET",
            f"/invoices/{invoice['id']}/verify",
            query={"tenant": str(world.tenants[asks].tenant_id), "hash": digest},
        )
        known = invoice if asks == tenant and not wrong else None
        assert answer.status_code == 200, answer.text
        checks.same(answer.json, group.verification(known), "what is said of an invoice")
        self.verify_the_paper(tenant, invoice, asks)

    def verify_the_paper(self, tenant: int, invoice: dict[str, Any], asks: int) -> None:
        """Its PDF is where the link says, once it is drawn; uploaded, it is ours and nobody's."""
        group, world, copies = self.groups[tenant], self.world, invoice["copies"]
        shown = world.call(
            tenant, BOTH, self.houses(tenant, BOTH), "GET", f"/invoices/{invoice['id']}/pdf"
        )
        checks.same(shown.status_code, 302 if copies else 409, shown.text)
        if copies == 0:
            return
        name = shown.headers["Location"].split("/", 4)[4].split("?")[0]
        page = world.shelf.get(world.tenants[tenant].tenant_id, name)
        checks.same(page, page_of(invoice, 0), "the page")
        answer = world.tenants[asks].call(
            "POST",
            "/invoices/verify",
            page,
            token=None,
            key=None,
            headers={"Content-Type": "application/pdf"},
            tenant=str(world.tenants[asks].tenant_id),
        )
        known = invoice if asks == tenant else None
        assert answer.status_code == 200, answer.text
        checks.same(answer.json, group.verification(known), "what is said of a page")
