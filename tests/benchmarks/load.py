"""Clients for `make bench`: so many connections kept alive, each sending one command after another.

    python -m tests.benchmarks.load ORDER.json

A process of its own, so that the clients' work is not counted as the server's. Prints one JSON
object: how many were answered 201, how many otherwise, and each latency in milliseconds.
"""

import http.client
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any
from uuid import uuid4


def client(
    order: dict[str, Any], number: int, until: float, taken: list[float], other: list[int]
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", order["port"])
    calls = order["calls"]
    turn = number
    while time.perf_counter() < until:
        path, token, body = calls[turn % len(calls)]
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": uuid4().hex,
        }
        turn += order["clients"]
        started = time.perf_counter()
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        (taken if answer.status == 201 else other).append(
            (time.perf_counter() - started) * 1000 if answer.status == 201 else answer.status
        )


def main() -> None:
    order = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    taken: list[float] = []
    other: list[int] = []
    until = time.perf_counter() + order["seconds"]
    threads = [
        threading.Thread(target=client, args=(order, number, until, taken, other))
        for number in range(order["clients"])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"taken": taken, "other": other}))  # noqa: T201 - its only output


if __name__ == "__main__":
    main()
