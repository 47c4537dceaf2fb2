"""The build brings a new image to everybody in steps, and goes back by itself (OPS-2).

The program gcloud is a stand-in that remembers what it was told; the load balancer is a server of
the test's own.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.source_tree import ROOT

pytestmark = pytest.mark.req("OPS-2")
ALL: dict[str, Any] = json.loads((ROOT / "terraform/functions.json").read_text("utf-8"))
DECLARED = {
    name: ALL[name]
    for name in ("health", "post_charge", "on_charge_posted", "drain_outbox", "check_books")
}
"""Some of the map: each costs the stand-in a process for each thing that it is told."""
JOBS = {name for name, each in DECLARED.items() if each["kind"] == "job"}
UPDATED = {*(f"billing-{name.replace('_', '-')}" for name in JOBS), "billing-operate"}
"""The jobs, and the one that a person gives orders in."""
TAG, BUILD = "c0a1b2c3", "5d1e2f3a"
SUFFIX = f"{TAG}-{BUILD}"
OLD_IMAGE = "registry/billing@sha256:00"
TOGETHER_MAX = 46
"""Characters of a tag and its service's name: beyond, Cloud Run refuses to deploy."""
REVISION_MAX = 63
GCLOUD = """#!{python} -S
import json, os, sys
from pathlib import Path
folder, words = Path(os.environ["GCLOUD_FOLDER"]), sys.argv[1:]
with (folder / "log").open("a") as log:  # one line at once
    log.write(json.dumps(words) + "\\n")
told = " ".join(words)
if "describe" in words and "jobs" in words:
    task = {{"containers": [{{"image": "{old}"}}]}}
    print(json.dumps({{"spec": {{"template": {{"spec": {{"template": {{"spec": task}}}}}}}}}}))
elif "describe" in words:
    print(json.dumps({{"status": {{"traffic": [
        {{"revisionName": words[3] + "-old", "percent": 90}},
        {{"revisionName": words[3] + "-older", "percent": 10}},
        {{"revisionName": words[3] + "-tagged", "tag": "x"}}]}}}}))
for each in filter(None, os.environ.get("BUSY", "").split(";")):
    seen = folder / each.replace(" ", "-")
    if each in told and not seen.exists():
        seen.touch()
        sys.exit("RESOURCE_EXHAUSTED: Quota exceeded for quota metric 'Write requests'")
if any(each and each in told for each in os.environ.get("FAILS", "").split(";")):
    sys.exit("it did not start")
if words[0] == "logging":
    steps = (folder / "log").read_text().count('"billing-health", "--to-tags"')
    if steps == int(os.environ.get("ERRORS_AT_STEP", 0)):
        print("billing-post-charge-{suffix} 500")
"""


@dataclass
class Cloud:
    """What gcloud was told, and whether the service is ready."""

    folder: Path
    url: str
    ready: int = 200

    def rolls_out(self, **surroundings: str) -> "subprocess.CompletedProcess[str]":
        path = f"{self.folder}{os.pathsep}{os.environ['PATH']}"
        some = self.folder / "functions.json"
        some.write_text(json.dumps(DECLARED), encoding="utf-8")
        orders = {
            "--region": "europe-west3",
            "--image": "registry/billing@sha256:aa",
            "--tag": TAG,
            "--build": BUILD,
            "--url": self.url,
            "--soak-seconds": "0",
            "--pause-seconds": "0",
            "--functions": str(some),
        }
        words = [word for order in orders.items() for word in order]
        return subprocess.run(
            [sys.executable, "-S", str(ROOT / ".ci/rollout.py"), *words],
            env={**os.environ, "PATH": path, "GCLOUD_FOLDER": str(self.folder), **surroundings},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def log(self) -> list[list[str]]:
        lines = (self.folder / "log").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def told(self, *words: str) -> list[list[str]]:
        """The commands that begin so, behind `gcloud run`."""
        return [each for each in self.log if each[1 : 1 + len(words)] == list(words)]

    def shares(self, service: str) -> list[str]:
        """Where a service's traffic went, in order."""
        return [each[5] for each in self.told("services", "update-traffic", service)]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    gcloud = tmp_path / "gcloud"
    gcloud.write_text(
        GCLOUD.format(python=sys.executable, suffix=SUFFIX, old=OLD_IMAGE), encoding="utf-8"
    )
    gcloud.chmod(0o755)

    class Balancer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(found.ready if self.path == "/health/ready" else 404)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Balancer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found = Cloud(tmp_path, f"http://127.0.0.1:{server.server_port}")
    yield found
    server.shutdown()
    server.server_close()


def test_the_traffic_moves_in_steps_and_the_jobs_follow(cloud: Cloud) -> None:
    """Each function of the map: nobody, 5, 25, 100 of 100; then each job."""
    done = cloud.rolls_out()

    assert done.returncode == 0, done.stdout + done.stderr
    deployed = {each[2] for each in cloud.told("deploy")}
    assert deployed == {f"billing-{each.replace('_', '-')}" for each in DECLARED.keys() - JOBS}
    assert all("--no-traffic" in each for each in cloud.told("deploy"))
    assert {each[each.index("--revision-suffix") + 1] for each in cloud.told("deploy")} == {SUFFIX}
    for service in deployed:
        assert cloud.shares(service) == [f"{TAG}={share}" for share in (5, 25, 100)]
    assert sorted(each[3] for each in cloud.told("jobs", "update")) == sorted(UPDATED)
    assert cloud.log[-len(UPDATED) :] == cloud.told("jobs", "update"), "they are the last"


def test_who_asks_too_often_waits_and_asks_again(cloud: Cloud) -> None:
    """On the way there, and on the way back: at the first step, and when all get back theirs."""
    wrong = f"update-traffic billing-post-charge --to-tags {TAG}=25"
    busy = f"update-traffic billing-health --to-tags {TAG}=5;billing-health --to-revisions"

    done = cloud.rolls_out(FAILS=wrong, BUSY=busy)

    assert (done.returncode, "nothing is new" in done.stdout) == (1, True), done.stdout
    shares = cloud.shares("billing-health")
    assert shares[:2] == [f"{TAG}=5", f"{TAG}=5"]
    assert [each.startswith("billing-health-old=90") for each in shares[-2:]] == [True, True]
    assert "Quota exceeded" not in done.stdout, "it is no trouble that anybody hears of"


def test_what_does_not_start_is_seen_by_nobody(cloud: Cloud) -> None:
    done = cloud.rolls_out(FAILS="deploy billing-post-charge")

    assert done.returncode == 1
    assert "it did not start" in done.stdout
    assert cloud.told("services", "update-traffic") == cloud.told("jobs") == []


def test_a_tag_fits_beside_the_longest_name(cloud: Cloud) -> None:
    """As the build makes it, of seven characters of the commit and eight of the build."""
    build = (ROOT / "cloudbuild.yaml").read_text(encoding="utf-8")
    (tag,) = re.findall(r'--tag "(\S+)" --build "\$\{BUILD_ID%%-\*\}"', build)
    longest = max(len(f"billing-{name}") for name, each in ALL.items() if each["kind"] != "job")

    assert tag.replace("$SHORT_SHA", "0a1b2c3") == TAG
    assert longest + len(TAG) <= TOGETHER_MAX
    assert longest + 1 + len(SUFFIX) <= REVISION_MAX


def test_a_failure_of_a_new_revision_gives_all_traffic_back(cloud: Cloud) -> None:
    """At the second step: each function has what it had before, and no job was touched."""
    done = cloud.rolls_out(ERRORS_AT_STEP="2")

    assert done.returncode == 1
    assert f"failures at 25 of 100: billing-post-charge-{SUFFIX} 500" in done.stdout
    service = "billing-post-charge"
    back = f"{service}-old=90,{service}-older=10"
    assert cloud.shares(service) == [f"{TAG}=5", f"{TAG}=25", back]
    assert len([each for each in cloud.log if "--to-revisions" in each]) == len(
        DECLARED.keys() - JOBS
    )
    assert cloud.told("jobs") == []


def test_a_service_that_is_not_ready_gets_its_revisions_back(cloud: Cloud) -> None:
    cloud.ready = 503

    done = cloud.rolls_out()

    assert (done.returncode, "not ready at 5 of 100: 503" in done.stdout) == (1, True)
    assert cloud.shares("billing-post-charge")[-1].startswith("billing-post-charge-old=90")


def test_a_step_that_cannot_be_made_is_taken_back_everywhere(cloud: Cloud) -> None:
    done = cloud.rolls_out(FAILS=f"update-traffic billing-health --to-tags {TAG}=25")

    assert done.returncode == 1
    assert cloud.shares("billing-post-charge")[-1].startswith("billing-post-charge-old=90")
    assert cloud.shares("billing-health")[-1].startswith("billing-health-old=90")


def test_a_job_that_cannot_have_it_gives_every_job_its_image_back(cloud: Cloud) -> None:
    """All traffic has moved by then; the functions go back as well."""
    done = cloud.rolls_out(
        FAILS="jobs update billing-check-books --image registry/billing@sha256:aa"
    )

    assert done.returncode == 1
    last = {each[3]: each[5] for each in cloud.told("jobs", "update")}
    assert last == dict.fromkeys(UPDATED, OLD_IMAGE)
    assert cloud.shares("billing-post-charge")[-1].startswith("billing-post-charge-old=90")


def test_what_cannot_be_given_back_is_named(cloud: Cloud) -> None:
    """It is tried three times, no other is left out, and nobody says that all is as it was."""
    wrong = f"update-traffic billing-health --to-tags {TAG}=25;billing-health --to-revisions"

    done = cloud.rolls_out(FAILS=wrong)

    assert done.returncode == 3
    assert "these have the new one still: billing-health\n" in done.stdout
    assert "nothing is new" not in done.stdout
    assert len([each for each in cloud.shares("billing-health") if "old=90" in each]) == 3
    assert cloud.shares("billing-post-charge")[-1].startswith("billing-post-charge-old=90")
