"""How a refusal reads to its caller: a problem document, and not a word of what was sent."""

from werkzeug.test import TestResponse

MARK = "Zarghuna"  # stands in what is sent, and may stand in no answer
INVALID = "MELMASTOON.GENERAL.VALIDATION_FAILED"


def is_problem(answer: TestResponse, *statuses: int, code: str | None = None) -> None:
    """The answer is a problem document that a client can act on, and repeats nothing."""
    assert answer.status_code in statuses, answer.text
    assert answer.content_type == "application/problem+json"
    problem = answer.json
    assert problem.keys() >= {"type", "title", "status", "detail", "instance", "code", "traceId"}
    assert problem["status"] == answer.status_code
    assert problem["code"].startswith("MELMASTOON.")
    assert code is None or problem["code"] == code
    assert problem["traceId"] in answer.headers["traceresponse"]
    assert MARK not in answer.text
