"""Issuing an invoice: its number, its hash, its place in the chain, and whom it was billed to."""

import copy
import hashlib
import itertools
import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from common.domain.guest import Guest
from common.domain.invoice import Invoice, issue
from common.domain.issued_document import Person, Rendition, Series, Signature
from common.domain.money import AmountOutOfRange
from tests.domain.front_desk import (
    GUEST,
    MORNING,
    Account,
    Desk,
    rule,
    series,
    settings_of,
    usd,
)


def invoiced(numbers: Series, *, desk: Desk | None = None, guest: Guest = GUEST) -> Invoice:
    """A night of 120.00 and 12.00 tax, paid and closed."""
    account = Account(desk, guest=guest)
    account.charge(12000)
    account.pay(13200)
    return account.invoice(account.close(), numbers)


def three() -> list[Invoice]:
    desk, numbers = Desk(), series()
    return [invoiced(numbers, desk=desk) for _ in range(3)]


@pytest.mark.req("INV-1")
class TestNumber:
    def test_counts_without_a_gap(self):
        assert [invoice.number for invoice in three()] == [
            "INV-AF-KBL-2026-000001",
            "INV-AF-KBL-2026-000002",
            "INV-AF-KBL-2026-000003",
        ]

    def test_is_given_in_the_order_of_time(self):
        """Whose transaction began a second before the last document's, and waited, is as late."""
        last = MORNING + timedelta(seconds=1)
        numbers = series(last_number=6, last_issued_at=last)
        invoice = invoiced(numbers)
        assert (invoice.issued_at, numbers.last_issued_at) == (last, last)
        assert json.loads(invoice.payload)["issuedAt"] == "2026-03-02T06:00:01.000000Z"
        earlier = series(last_number=6, last_issued_at=MORNING - timedelta(days=1))
        assert invoiced(earlier).issued_at == MORNING
        assert earlier.last_issued_at == MORNING

    def test_bears_no_year_where_the_series_never_restarts(self):
        invoice = invoiced(series(year=0, last_number=41))
        assert (invoice.number, invoice.series_number) == ("INV-AF-KBL-000042", 42)
        assert json.loads(invoice.payload)["series"] == {
            "jurisdiction": "AF-KBL",
            "documentType": "invoice",
            "year": None,
            "sequence": 42,
        }

    def test_begins_with_the_tenants_prefix(self):
        desk = Desk(settings_of(rule(percent=10), number_prefix="MEL"))
        assert invoiced(series(), desk=desk).number == "MEL-AF-KBL-2026-000001"

    def test_goes_on_beyond_six_digits(self):
        assert invoiced(series(last_number=999_999)).number == "INV-AF-KBL-2026-1000000"

    def test_is_not_used_up_by_an_invoice_that_cannot_be_issued(self):
        """Two deposits of 8,000,000,000.00 are more than an invoice can say exactly."""
        account, numbers = Account(Desk(settings_of(rule(percent=0)))), series(last_number=7)
        (big,) = Account(account.desk).charge(800_000_000_000).lines[:1]
        closed = account.close()
        with pytest.raises(AmountOutOfRange):
            issue(account.folio, [big, big], (), closed.settlement, numbers, account.desk)
        assert (numbers.last_number, numbers.last_sha256) == (7, None)


@pytest.mark.req("INV-3", "CLO-2")
class TestPayload:
    def test_is_hashed_byte_for_byte(self):
        invoice = invoiced(series())
        assert invoice.payload_sha256 == hashlib.sha256(invoice.payload.encode()).digest()

    def test_carries_the_number_the_folio_and_the_settlement(self):
        account, numbers = Account(reservation_id="RES-88121"), series()
        account.charge(12000)
        account.pay(13200)
        closed = account.close()
        payload = json.loads(account.invoice(closed, numbers).payload)
        assert payload["number"] == "INV-AF-KBL-2026-000001"
        assert payload["folioId"] == account.folio.id
        assert payload["settlementId"] == closed.settlement.id
        assert payload["reservationId"] == "RES-88121"
        assert (payload["businessDate"], payload["issuedAt"]) == (
            "2026-03-02",
            "2026-03-02T06:00:00.000000Z",
        )

    def test_is_issued_as_the_first_fact_of_the_invoice(self):
        account = Account()
        closed = account.close()
        issued = issue(account.folio, (), (), closed.settlement, series(), account.desk)
        assert (issued.sequence, issued.subject.version) == (1, 1)

    def test_names_every_line_so_that_none_is_invoiced_twice(self):
        account = Account()
        account.void(account.charge(500, "minibar").lines[0].charge_id)
        account.charge(12000)
        account.pay(13200)
        invoice = account.invoice(account.close(), series())
        assert invoice.line_ids == tuple(line.id for line in account.lines)
        assert json.loads(invoice.payload)["lineIds"] == list(invoice.line_ids)

    def test_comes_to_what_was_to_be_paid(self):
        assert invoiced(series()).total == usd(13200)


@pytest.mark.req("BEY-2")
class TestChain:
    def test_begins_with_nothing_before_it(self):
        first = three()[0]
        assert first.previous_sha256 is None
        assert json.loads(first.payload)["previousDocumentSha256"] is None

    def test_names_the_hash_of_the_document_before(self):
        invoices = three()
        for before, after in itertools.pairwise(invoices):
            named = json.loads(after.payload)["previousDocumentSha256"]
            assert bytes.fromhex(named) == after.previous_sha256 == before.payload_sha256

    def test_of_another_series_is_another_one(self):
        numbers, desk = series(), Desk()
        invoiced(numbers, desk=desk)
        assert invoiced(series(year=2027), desk=desk).previous_sha256 is None
        assert numbers.last_number == 1

    def test_shows_a_document_that_was_altered_removed_or_moved(self):
        """A verifier that has nothing but the payloads: each names the hash of the one before."""

        def is_whole(payloads: list[str]) -> bool:
            before: str | None = None
            for sequence, payload in enumerate(payloads, 1):
                said = json.loads(payload)
                if said["previousDocumentSha256"] != before:
                    return False
                if said["series"]["sequence"] != sequence:
                    return False
                before = hashlib.sha256(payload.encode()).hexdigest()
            return True

        a, b, c = (invoice.payload for invoice in three())
        assert is_whole([a, b, c])
        assert not is_whole([a, b.replace("120000000", "120000001"), c])
        assert not is_whole([a, c])
        assert not is_whole([b, a, c])


@pytest.mark.req("GDPR-1")
class TestPerson:
    def test_stands_beside_the_payload_and_never_in_it(self):
        invoice = invoiced(series())
        for personal in (GUEST.name, *GUEST.address_lines, GUEST.tax_id):
            assert json.dumps(personal, ensure_ascii=False)[1:-1] not in invoice.payload

    def test_is_committed_to_by_a_salted_hash(self):
        """SHA-256 over the 32 bytes of salt and the canonical document, written out here."""
        invoice = invoiced(series())
        document = (
            '{"addressLines":["Rue de la Loi 16"],"name":"Amélie van der Straeten","taxId":"BE01"}'
        )
        expected = hashlib.sha256(invoice.person.salt + document.encode()).hexdigest()
        assert json.loads(invoice.payload)["customer"] == {"commitment": expected}
        assert invoice.person.commitment == expected

    def test_cannot_be_found_by_trying_names(self):
        """The same guest on two invoices has two commitments, and without the salt none."""
        first, second, _ = three()
        assert first.person.document == second.person.document
        assert first.person.commitment != second.person.commitment
        unsalted = replace(first.person, salt=b"").commitment
        assert unsalted not in first.payload

    def test_who_is_swapped_does_not_fit_the_commitment(self):
        invoice = invoiced(series())
        swapped = Person(
            salt=invoice.person.salt, document={**invoice.person.document, "name": "B"}
        )
        assert swapped.commitment not in invoice.payload

    def test_is_erased_without_breaking_hash_chain_or_trail(self):
        invoices = three()
        before = [(invoice.payload, invoice.digest()) for invoice in invoices]
        invoices[0].person = None
        assert [(invoice.payload, invoice.digest()) for invoice in invoices] == before
        for invoice in invoices:
            assert hashlib.sha256(invoice.payload.encode()).digest() == invoice.payload_sha256
        assert invoices[1].previous_sha256 == invoices[0].payload_sha256

    def test_is_not_in_the_state_that_the_trail_digests(self):
        assert GUEST.name not in str(invoiced(series()).state())


@pytest.mark.req("INV-2")
class TestIssuedInvoice:
    @staticmethod
    def rendition(number: int) -> Rendition:
        return Rendition(
            copy=number,
            language="en",
            template_version="invoice-1",
            object_name=f"invoices/1-{number}.pdf",
            pdf_sha256=bytes(32),
            rendered_at=MORNING,
        )

    signature = Signature(
        key_version="1", algorithm="EC_SIGN_P256_SHA256", value=b"signed", signed_at=MORNING
    )

    def test_gains_renditions_and_changes_nothing(self):
        invoice = invoiced(series())
        issued = copy.copy(invoice)
        told = [
            invoice.rendered(self.rendition(0), self.signature),
            invoice.rendered(self.rendition(1), None),
        ]
        assert [rendition.copy for rendition in invoice.renditions] == [0, 1]
        assert [fact.sequence for fact in told] == [2, 3]
        assert invoice.signature == self.signature
        issued.renditions, issued.signature = invoice.renditions, invoice.signature
        issued.version = invoice.version
        assert issued == invoice

    def test_keeps_its_first_signature(self):
        invoice = invoiced(series())
        invoice.rendered(self.rendition(0), self.signature)
        invoice.rendered(self.rendition(1), replace(self.signature, value=b"another"))
        assert invoice.signature == self.signature

    def test_shares_no_renditions_with_a_copy_that_is_dropped(self):
        invoice = invoiced(series())
        dropped = copy.copy(invoice)
        dropped.rendered(self.rendition(0), self.signature)
        assert (invoice.renditions, invoice.signature, invoice.version) == ((), None, 1)

    def test_keeps_the_language_and_template_that_it_was_issued_with(self):
        desk = Desk(settings_of(rule(percent=10), language="fa-AF", invoice_template="invoice-2"))
        invoice = invoiced(series(), desk=desk)
        desk.change(language="en", invoice_template="invoice-3")
        assert (invoice.language, invoice.template_version) == ("fa-AF", "invoice-2")
        assert invoice.business_date == date(2026, 3, 2)
