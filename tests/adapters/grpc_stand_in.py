"""A gRPC service on the loopback, for Google's own clients to talk to."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

Method = tuple[Any, Any]  # the classes of request and answer, of Google's own


class Refused(Exception):
    """The service says no."""

    def __init__(self, code: grpc.StatusCode, text: str = "") -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


class StandIn:
    """Counts what is asked, and logs who asked.

    `troubles` come in place of the next answers, one for each call.

    `spoil` changes answers on their way out, told by their method.
    """

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.log: list[tuple[str, str]] = []
        self.troubles: deque[Refused] = deque()
        self.spoil: Callable[[str, Any], None] = lambda method, answer: None

    def answer(self, method: str, request: Any, context: grpc.ServicerContext) -> Any:
        self.calls[method] += 1
        told = {each.key: str(each.value) for each in context.invocation_metadata()}
        self.log.append((method, told.get("x-goog-api-client", "")))
        try:
            if self.troubles:
                raise self.troubles.popleft()
            answer = getattr(self, method)(request)
        except Refused as refused:
            context.abort(refused.code, refused.text)
        self.spoil(method, answer)
        return answer


@contextmanager
def served(stand_in: StandIn, service: str, methods: Mapping[str, Method]) -> Iterator[Any]:
    """The stand-in on a free port; a channel to it.

    Its own log has to say at the end that Google's client spoke, in every call.
    """
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            lambda request, context, name=name: stand_in.answer(name, request, context),
            request_deserializer=asked.deserialize,
            response_serializer=answered.serialize,
        )
        for name, (asked, answered) in methods.items()
    }
    server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
        strangers = [each for each in stand_in.log if " gax/" not in each[1]]
        assert not strangers, f"another client than Google's has called: {strangers}"
    finally:
        server.stop(None).wait()
