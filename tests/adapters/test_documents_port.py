"""Documents: what the port promises, held by the laptop's folder and by Cloud Storage alike."""

import stat
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest
from google.api_core.exceptions import Forbidden, NotFound

from common.google.documents import AccountSignature, CloudDocuments
from common.local.documents import LINKS_PATH, DocumentFolder, LinkRefused
from common.ports.powers import DocumentMissing, Documents
from tests.adapters.storage_stand_in import (
    Account,
    StorageStandIn,
    object_path,
    storage_served,
)

TENANT = UUID("7f1b0c9e-0000-4000-8000-000000000001")
NEIGHBOUR = UUID("7f1b0c9e-0000-4000-8000-000000000002")
STRANGER = UUID("7f1b0c9e-0000-4000-8000-000000000003")
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NAME = "invoices/inv_01JNV5Z8Q4X7T2M9K3R6W0YBCD/0-9f86d081884c7d65.pdf"
PDF = b"%PDF-1.4 an invoice"
OTHER = b"%PDF-1.4 another invoice"
FIVE_MINUTES = 300


@dataclass(frozen=True)
class Archive:
    """The documents of two tenants, what a holder of a link gets to read, and time to pass."""

    documents: Documents
    read: Callable[[str], bytes | None]
    wait: Callable[[int], None]


@dataclass(frozen=True)
class Cloud:
    storage: StorageStandIn
    documents: CloudDocuments
    address: str


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    storage = StorageStandIn()
    storage.buckets = {f"hotel-documents-{tenant.hex}": {} for tenant in (TENANT, NEIGHBOUR)}
    with storage_served(storage) as (client, request, address):
        signature = AccountSignature(Account(), request)
        yield Cloud(storage, CloudDocuments("hotel-documents", client, signature), address)


@pytest.fixture(params=["local", "google"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    return _folder(tmp_path) if request.param == "local" else _cloud(request)


def _folder(tmp_path: Path) -> Archive:
    clock = [NOON]
    folder = DocumentFolder(tmp_path / "documents", "http://127.0.0.1:8080", lambda: clock[0])

    def read(link: str) -> bytes | None:
        try:
            return folder.open_link(link.removeprefix(f"http://127.0.0.1:8080{LINKS_PATH}/"))
        except (LinkRefused, DocumentMissing):
            return None

    def wait(seconds: int) -> None:
        clock[0] += timedelta(seconds=seconds)

    return Archive(folder, read, wait)


def _cloud(request: pytest.FixtureRequest) -> Archive:
    cloud: Cloud = request.getfixturevalue("cloud")

    def wait(seconds: int) -> None:
        cloud.storage.late += timedelta(seconds=seconds)

    return Archive(cloud.documents, read_over_http, wait)


def read_over_http(link: str) -> bytes | None:
    """What anybody reads who has the link and nothing else."""
    try:
        with urllib.request.urlopen(link, timeout=30) as answer:
            read: bytes = answer.read()
            return read
    except urllib.error.HTTPError:
        return None


def forgeries(link: str) -> Iterator[str]:
    """The link with one character changed, at every seventh place behind the host."""
    host = link.index("/", len("http://"))
    for place in range(host + 1, len(link) - 1, 7):
        yield link[:place] + ("b" if link[place] == "a" else "a") + link[place + 1 :]


@pytest.mark.req("INV-7", "LOC-2")
class TestDocuments:
    def test_give_back_what_was_put(self, archive: Archive) -> None:
        archive.documents.put(TENANT, NAME, PDF)

        assert archive.documents.get(TENANT, NAME) == PDF

    def test_take_the_same_bytes_again_as_no_change(self, archive: Archive) -> None:
        for _ in range(2):
            archive.documents.put(TENANT, NAME, PDF)

        assert archive.documents.get(TENANT, NAME) == PDF

    def test_never_replace_a_document(self, archive: Archive) -> None:
        archive.documents.put(TENANT, NAME, PDF)

        for content in (OTHER, b"", PDF + b"\n"):
            with pytest.raises(FileExistsError):
                archive.documents.put(TENANT, NAME, content)
        assert archive.documents.get(TENANT, NAME) == PDF

    def test_let_one_of_many_win_a_name(self, archive: Archive) -> None:
        everybody = 6
        start = Barrier(everybody)

        def put(number: int) -> bytes | None:
            content = f"written by {number}".encode()
            start.wait(30)
            try:
                archive.documents.put(TENANT, NAME, content)
            except FileExistsError:
                return None
            return content

        with ThreadPoolExecutor(everybody) as threads:
            (winner,) = [won for won in threads.map(put, range(everybody)) if won is not None]

        assert archive.documents.get(TENANT, NAME) == winner

    def test_miss_what_was_never_put(self, archive: Archive) -> None:
        with pytest.raises(DocumentMissing):
            archive.documents.get(TENANT, NAME)

    def test_keep_tenants_apart(self, archive: Archive) -> None:
        archive.documents.put(TENANT, NAME, PDF)
        with pytest.raises(DocumentMissing):
            archive.documents.get(NEIGHBOUR, NAME)

        archive.documents.put(NEIGHBOUR, NAME, OTHER)

        assert archive.documents.get(TENANT, NAME) == PDF

    def test_show_a_document_to_who_has_the_link_until_its_time_is_over(
        self, archive: Archive
    ) -> None:
        archive.documents.put(TENANT, NAME, PDF)
        link = archive.documents.link(TENANT, NAME, FIVE_MINUTES)

        assert archive.read(link) == PDF
        archive.wait(FIVE_MINUTES - 60)
        assert archive.read(link) == PDF
        archive.wait(60)
        assert archive.read(link) is None

    def test_show_nothing_for_a_forged_link(self, archive: Archive) -> None:
        archive.documents.put(TENANT, NAME, PDF)
        archive.documents.put(NEIGHBOUR, NAME, OTHER)
        link = archive.documents.link(TENANT, NAME, FIVE_MINUTES)

        forged = list(forgeries(link))
        assert len(forged) > 20
        assert [archive.read(each) for each in forged] == [None] * len(forged)

    def test_show_nothing_behind_a_link_to_no_document(self, archive: Archive) -> None:
        assert archive.read(archive.documents.link(TENANT, NAME, FIVE_MINUTES)) is None


@pytest.mark.req("INV-7", "LOC-2")
class TestDocumentFolder:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> DocumentFolder:
        return DocumentFolder(tmp_path / "documents", "http://127.0.0.1:8080", lambda: NOON)

    def test_is_for_its_owner_only(self, folder: DocumentFolder, tmp_path: Path) -> None:
        folder.put(TENANT, NAME, PDF)
        folder.link(TENANT, NAME, FIVE_MINUTES)

        modes = {
            (path.is_dir(), stat.S_IMODE(path.stat().st_mode))
            for path in (tmp_path / "documents").rglob("*")
        }
        assert modes == {(True, 0o700), (False, 0o600)}

    def test_knows_its_links_after_a_restart(self, folder: DocumentFolder, tmp_path: Path) -> None:
        folder.put(TENANT, NAME, PDF)
        token = folder.link(TENANT, NAME, FIVE_MINUTES).rpartition("/")[2]
        restarted = DocumentFolder(tmp_path / "documents", "http://[::1]:80", lambda: NOON)

        assert restarted.open_link(token) == PDF

    def test_opens_no_link_of_another_folder(self, folder: DocumentFolder, tmp_path: Path) -> None:
        stranger = DocumentFolder(tmp_path / "elsewhere", "http://127.0.0.1:8080", lambda: NOON)
        folder.put(TENANT, NAME, PDF)
        token = stranger.link(TENANT, NAME, FIVE_MINUTES).rpartition("/")[2]

        with pytest.raises(LinkRefused):
            folder.open_link(token)

    @pytest.mark.parametrize("token", ["", "a", "====", "é", "../../keys", "A" * 4096])
    def test_opens_nothing_for_a_token_of_nonsense(
        self, folder: DocumentFolder, token: str
    ) -> None:
        with pytest.raises(LinkRefused):
            folder.open_link(token)

    @pytest.mark.parametrize(
        "name", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/.links-key", "a\n", "a b", "a/"]
    )
    def test_takes_no_name_that_might_lead_elsewhere(
        self, folder: DocumentFolder, name: str
    ) -> None:
        with pytest.raises(ValueError):
            folder.put(TENANT, name, PDF)
        with pytest.raises(ValueError):
            folder.get(TENANT, name)


@pytest.mark.req("INV-7")
class TestCloudDocuments:
    def test_lie_in_the_tenants_bucket_under_its_own_key_and_closed(self, cloud: Cloud) -> None:
        cloud.documents.put(TENANT, NAME, PDF)

        stored = cloud.storage.buckets[f"hotel-documents-{TENANT.hex}"][NAME]
        assert stored.content == PDF
        assert stored.said["contentType"] == "application/pdf"
        assert stored.said["cacheControl"] == "private, no-store"
        # no key and no access list of its own: the bucket's key and the bucket's policy hold
        assert stored.query == {"uploadType": "multipart", "ifGenerationMatch": "0"}
        assert not {"kmsKeyName", "acl"} & stored.said.keys()

    def test_are_shown_to_nobody_without_a_link(self, cloud: Cloud) -> None:
        cloud.documents.put(TENANT, NAME, PDF)
        bucket = f"hotel-documents-{TENANT.hex}"

        assert read_over_http(f"{cloud.address}/{bucket}/{NAME}") is None
        assert read_over_http(cloud.address + object_path(bucket, NAME)) is None

    def test_are_put_once_when_the_answer_was_lost(self, cloud: Cloud) -> None:
        cloud.storage.troubles.append((503, True))

        cloud.documents.put(TENANT, NAME, PDF)

        assert cloud.documents.get(TENANT, NAME) == PDF
        assert sum(asked.startswith("POST /upload") for asked in cloud.storage.asked) == 2

    def test_are_put_and_got_when_storage_is_away_for_a_moment(self, cloud: Cloud) -> None:
        cloud.storage.troubles.append((503, False))
        cloud.documents.put(TENANT, NAME, PDF)
        cloud.storage.troubles.append((429, False))

        assert cloud.documents.get(TENANT, NAME) == PDF

    def test_are_not_lost_in_silence(self, cloud: Cloud) -> None:
        with pytest.raises(NotFound):
            cloud.documents.put(STRANGER, NAME, PDF)
        cloud.storage.troubles.append((403, False))
        with pytest.raises(Forbidden):
            cloud.documents.get(TENANT, NAME)

    def test_ask_for_what_they_need_and_no_more(self, cloud: Cloud) -> None:
        cloud.documents.put(TENANT, NAME, PDF)
        cloud.documents.get(TENANT, NAME)
        cloud.documents.link(TENANT, NAME, FIVE_MINUTES)

        upload, download, sign = cloud.storage.asked
        assert upload.startswith("POST /upload/")
        assert download.startswith("GET /download/")
        assert sign.endswith(":signBlob")
