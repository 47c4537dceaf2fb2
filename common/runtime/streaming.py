"""Answers that are files: one as it was made, or one that is too long to be held, in pieces.

Each piece is read in a transaction of its own and written between two of them. A reader who is slow
holds a thread of the server and nothing else: no connection, no transaction, no lock. After so many
seconds the answer is broken off, so that the thread comes back as well. What goes wrong before the
first block is full is a problem document like any other; what goes wrong later cuts the connection,
and the file says by its end that it has none.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from time import monotonic
from typing import Any, Final

from werkzeug.wrappers import Response

from common.ports.powers import Powers
from common.ports.transactions import CrossTenantRow, StoredAnswer
from common.runtime.declaration import Stream
from common.runtime.exchange import Exchange
from common.runtime.execute import Call, Result, Runner
from common.runtime.logging import Log, Severity

BLOCK_BYTES: Final = 2**16


class StreamTooSlow(Exception):
    """The reader took longer than a function may run."""


def streamed(
    stream: Stream,
    found: Any,
    call: Call,
    exchange: Exchange,
    runner: Runner,
    powers: Powers,
    log: Log,
) -> Response:
    """The answer to what the use case found. Raises what reading the first pieces raises."""
    pieces = _pieces(stream, found, call, runner, monotonic() + stream.seconds_max)
    blocks = _blocks(stream.write(found, pieces, powers))
    first = next(blocks, b"")
    response = Response(
        _guarded(chain([first], blocks), exchange, log),
        status=exchange.declaration.status,
        content_type=found.media_type,
    )
    response.headers.set("Content-Disposition", "attachment", filename=found.file_name)
    return response


def _pieces(
    stream: Stream, found: Any, call: Call, runner: Runner, ends_at: float
) -> Iterator[Any]:
    for piece in stream.pieces(found):
        if monotonic() > ends_at:
            raise StreamTooSlow(f"more than {stream.seconds_max} seconds")
        reading = replace(
            call,
            use_case=stream.read,
            request=piece,
            limits=(),
            answer=_unstored,
            reads_only=True,
        )
        yield runner.run(reading).outcome


def _blocks(content: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in blocks that are worth sending."""
    block = bytearray()
    for part in content:
        block += part
        if len(block) >= BLOCK_BYTES:
            yield bytes(block)
            block = bytearray()
    if block:
        yield bytes(block)


def _guarded(blocks: Iterator[bytes], exchange: Exchange, log: Log) -> Iterator[bytes]:
    """The blocks; where they break off, the log says why and the server cuts the connection."""
    try:
        yield from blocks
    except Exception as error:
        foreign = isinstance(error, CrossTenantRow)  # the alarm of the last guard (SEC-3)
        severity = Severity.CRITICAL if foreign else Severity.ERROR
        log.problem(exchange.origin, code="STREAM_BROKEN", error=error, severity=severity)
        raise


def _unstored(_: Any) -> StoredAnswer:
    return StoredAnswer(b"", 0, {}, "")


def file_answer(result: Result, media_type: str) -> Response:
    """A file as it was made, to be kept under its own name."""
    response = Response(
        result.outcome.content, status=result.answer.status, content_type=media_type
    )
    response.headers.set("Content-Disposition", "attachment", filename=result.outcome.file_name)
    return response
