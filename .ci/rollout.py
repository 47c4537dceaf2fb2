"""Bring a new image to every function and job, in steps, and back by itself (OPS-2).

    python3 .ci/rollout.py --region R --image IMAGE@sha256:... --tag c0a1b2c3 --build 5d1e2f3a \
        --url https://HOST

1. Every function gets a revision of the image that is reached by nobody. One that does not start
   ends it here: no guest has seen anything.
2. The traffic moves in steps. After each the service has to say through the load balancer that it
   is ready, and the new revisions may have answered nothing with a failure of ours.
3. The jobs follow when all traffic has moved.

Cloud Run takes so many changes a minute and no more. Who is told to wait waits and asks again: a
rollout that were ended by that could not give anything back either.

Whatever goes wrong in between, an order to stop included, gives every function the revisions back
that it had, and every job that was touched its image. Migrations keep the version before them
working, so nothing else has to go back. What could not be given back is named.
It is run by the build, with the standard library and the program gcloud.

A tag and the name of its service may have 46 characters together, so a tag says the commit and
nothing else. A revision's name is given once for ever: it says the build, too, so that a commit
whose rollout went wrong can be built again.
"""

import argparse
import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

AT_ONCE = 16
STEPS = (5, 25, 100)
READY_CALLS = 20
CALL_SECONDS = 10
ATTEMPTS_TO_GIVE_BACK = 3
ATTEMPTS_WITHIN_QUOTA = 5
TOO_MANY = re.compile(r"RESOURCE_EXHAUSTED|[Qq]uota exceeded|rateLimitExceeded|\b429\b")
BESIDE = ("billing-operate",)  # the job of a person's orders is declared by nobody
FUNCTIONS = Path(__file__).parents[1] / "terraform" / "functions.json"


class WentWrong(Exception):
    """Why the traffic goes back; the message is for the build's log."""


class NotGivenBack(Exception):
    """Some have the new one that should have the old one: the message names them."""


@dataclass(frozen=True)
class Rollout:
    """What is brought where."""

    region: str
    image: str
    tag: str
    build: str
    url: str
    soak_seconds: float
    pause_seconds: float

    def run(self, services: Sequence[str], jobs: Sequence[str]) -> None:
        """All of it. Raises WentWrong, when everything is as it was before, or NotGivenBack."""
        before = dict(zip(services, _each(self._traffic, services), strict=True))
        images: dict[str, str] = {}
        _each(self._deploy, services)
        say(f"{len(services)} revisions of {self.image} have started; nobody reaches them")
        try:
            for percent in STEPS:
                _each(partial(self._shift, percent=percent), services)
                time.sleep(self.soak_seconds)
                self._look(percent)
                say(f"{percent} of 100 calls reach them, and all is well")
            images.update(zip(jobs, _each(self._image_of, jobs), strict=True))
            _each(partial(self._update_job, image=self.image), jobs)
        except BaseException as trouble:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # whoever stops it once more has to wait
            say(f"back to what was before: {str(trouble) or type(trouble).__name__}")
            self._give_all_back(before, images)
            raise
        say(f"{len(jobs)} jobs have it, too")

    def _traffic(self, service: str) -> str:
        """The revisions that serve now, as `--to-revisions` takes them."""
        told = json.loads(self._run("services", "describe", service, "--format", "json"))
        shares = [each for each in told["status"].get("traffic", []) if each.get("percent")]
        return ",".join(f"{each['revisionName']}={each['percent']}" for each in shares)

    def _deploy(self, service: str) -> None:
        """gcloud waits until the revision has started, and fails when it does not."""
        new = ("--image", self.image, "--tag", self.tag, "--revision-suffix", self._suffix)
        self._run("deploy", service, "--no-traffic", *new)

    def _shift(self, service: str, percent: int) -> None:
        self._run("services", "update-traffic", service, "--to-tags", f"{self.tag}={percent}")

    @property
    def _suffix(self) -> str:
        return f"{self.tag}-{self.build}"

    def _give_all_back(self, before: dict[str, str], images: dict[str, str]) -> None:
        """Raises NotGivenBack."""
        left = [
            *_insist(lambda service: self._give_back(service, before[service]), before),
            *_insist(lambda job: self._update_job(job, images[job]), images),
        ]
        if left:
            raise NotGivenBack(f"these have the new one still: {', '.join(left)}")

    def _give_back(self, service: str, revisions: str) -> None:
        if revisions:
            self._run("services", "update-traffic", service, "--to-revisions", revisions)

    def _image_of(self, job: str) -> str:
        told = json.loads(self._run("jobs", "describe", job, "--format", "json"))
        task = told["spec"]["template"]["spec"]["template"]["spec"]
        image: str = task["containers"][0]["image"]
        return image

    def _update_job(self, job: str, image: str) -> None:
        self._run("jobs", "update", job, "--image", image)

    def _look(self, percent: int) -> None:
        """Raises WentWrong when the service is not ready, or a new revision has failed somebody."""
        for _ in range(READY_CALLS):
            status = _answer(f"{self.url}/health/ready")
            if status != 200:
                raise WentWrong(f"not ready at {percent} of 100: {status}")
        failed = " AND ".join(
            (
                'resource.type="cloud_run_revision"',
                f'resource.labels.revision_name:"-{self._suffix}"',
                "httpRequest.status>=500",
            )
        )
        found = self._gcloud(
            "logging",
            "read",
            failed,
            "--limit",
            "5",
            "--freshness",
            "1h",
            "--format",
            "value(resource.labels.revision_name,httpRequest.status)",
        )
        if found.strip():
            raise WentWrong(f"failures at {percent} of 100: {' '.join(found.split())}")

    def _run(self, *words: str) -> str:
        return self._gcloud("run", *words, "--region", self.region, "--quiet")

    def _gcloud(self, *words: str) -> str:
        """What the program says. Raises WentWrong."""
        command = ["gcloud", *words]  # the build's own, on its path
        for attempt in range(ATTEMPTS_WITHIN_QUOTA):
            time.sleep(self.pause_seconds if attempt else 0)
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
            if not done.returncode:
                return done.stdout
            if not TOO_MANY.search(done.stderr):
                break
        raise WentWrong(f"gcloud {' '.join(words[:4])}: {done.stderr.strip()[-400:]}")


def _each(call: Callable[[str], Any], names: Sequence[str]) -> list[Any]:
    """Call for all of them, many at once; the first trouble is raised when all have ended."""
    with ThreadPoolExecutor(AT_ONCE) as side_by_side:
        waiting = [side_by_side.submit(call, name) for name in names]
    return [each.result() for each in waiting]


def _insist(call: Callable[[str], Any], names: Iterable[str]) -> list[str]:
    """Call for all of them, and again for those with which it went wrong; those that are left."""

    def went_wrong(name: str) -> bool:
        try:
            call(name)
        except WentWrong as trouble:
            say(str(trouble))
            return True
        return False

    left = list(names)
    for _ in range(ATTEMPTS_TO_GIVE_BACK):
        left = [name for name, again in zip(left, _each(went_wrong, left), strict=True) if again]
    return left


def _answer(url: str) -> int:
    """The status of a call; 0 where there was no answer."""
    try:
        with urllib.request.urlopen(url, timeout=CALL_SECONDS) as answer:  # noqa: S310 - the build's
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0


def say(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def _stopped(*_: object) -> NoReturn:
    raise WentWrong("somebody has stopped it")


def main(given: Sequence[str]) -> int:
    """Exit code 0: everybody has the new one. 1: everybody has the old one. 3: some have neither
    what they had nor is all well, and a person has to look."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in ("region", "image", "tag", "build", "url"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--soak-seconds", type=float, default=120)
    parser.add_argument("--pause-seconds", type=float, default=60)  # a quota is one of a minute
    parser.add_argument("--functions", type=Path, default=FUNCTIONS)
    orders = vars(parser.parse_args(given))
    declared = json.loads(orders.pop("functions").read_text(encoding="utf-8"))
    wanted = Rollout(**orders)
    named = {name: f"billing-{name.replace('_', '-')}" for name in declared}
    jobs = [*(named[name] for name, each in declared.items() if each["kind"] == "job"), *BESIDE]
    services = [named[name] for name, each in declared.items() if each["kind"] != "job"]
    signal.signal(signal.SIGTERM, _stopped)
    try:
        wanted.run(services, jobs)
    except WentWrong as trouble:
        say(f"nothing is new: {trouble}")
        return 1
    except NotGivenBack as trouble:
        say(f"A PERSON HAS TO LOOK: {trouble}")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
