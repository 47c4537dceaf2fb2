"""As much of curl as README.md uses, for a machine that has none."""

import argparse
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path


def asked() -> argparse.Namespace:
    curl = argparse.ArgumentParser()
    curl.add_argument("url")
    curl.add_argument("-s", action="store_true")
    curl.add_argument("-H", dest="headers", action="append", default=[])
    curl.add_argument("-d", "--data-binary", dest="data")
    curl.add_argument("--output")
    curl.add_argument("--retry", type=int, default=0)
    curl.add_argument("--retry-delay", type=int, default=1)
    for flag in ("--fail", "--retry-all-errors", "--location"):
        curl.add_argument(flag, action="store_true")
    return curl.parse_args()


class NotFollowed(urllib.request.HTTPRedirectHandler):
    """curl follows a redirect with --location only."""

    def redirect_request(self, *_: object) -> None:
        return None


def fetch(order: argparse.Namespace) -> tuple[int, bytes]:
    data = order.data
    body = None if data is None else data.encode()
    if data is not None and data.startswith("@"):
        body = Path(data[1:]).read_bytes()
    headers = dict(header.split(": ", 1) for header in order.headers)
    request = urllib.request.Request(order.url, data=body, headers=headers)
    handlers = [] if order.location else [NotFollowed]
    try:
        with urllib.request.build_opener(*handlers).open(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def main() -> int:
    order = asked()
    for attempt in range(order.retry + 1):
        status, body = fetch(order)
        if status < 400 or not order.fail:
            break
        if attempt < order.retry:
            time.sleep(order.retry_delay)
    if order.fail and status >= 400:
        return 22
    if order.output:
        Path(order.output).write_bytes(body)
    else:
        sys.stdout.buffer.write(body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
