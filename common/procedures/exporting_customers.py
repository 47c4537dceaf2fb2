"""An export of a customer is written as it is read: one document, in pieces.

It is JSON whose members come in the order of its model, so that no more than a piece of it is held.
"""

import json
from collections.abc import Iterator
from typing import Final

from common.contracts.customer_exports import CustomerExport, ExportedPaymentView
from common.contracts.customers import StoredMethodView
from common.domain.customer_export import Exported, ExportedPayment, Piece
from common.domain.stored_method import StoredMethod
from common.ports.powers import Powers
from common.ports.transaction import Transaction

_METHODS: Final = b',"paymentMethods":['
_PAYMENTS: Final = b'],"payments":['


def pieces_of(export: CustomerExport) -> Iterator[Piece]:
    """What is to be read, one after the other."""
    return export.asked.pieces()


def read_piece(piece: Piece, tx: Transaction) -> Exported:
    """The things of a piece, in the order of their ids."""
    return tx.customers.read_export(piece)


def write(export: CustomerExport, pieces: Iterator[Exported], powers: Powers) -> Iterator[bytes]:
    """The document. Raises ValueError where a thing is missing of those that were found."""
    begun = export.model_dump_json(include={"taken_at", "customer"})
    yield begun.removesuffix("}").encode() + _METHODS
    counts = {"paymentMethods": 0, "payments": 0}
    member = "paymentMethods"
    for each in (thing for piece in pieces for thing in piece):
        if member == "paymentMethods" and isinstance(each, ExportedPayment):
            yield _PAYMENTS
            member = "payments"
        yield (b"," if counts[member] else b"") + _written(each)
        counts[member] += 1
    if sum(counts.values()) != export.asked.records:
        raise ValueError("what was found of the customer was not found again")
    yield b"" if member == "payments" else _PAYMENTS
    yield f'],"end":{json.dumps(counts)}}}'.encode()


def _written(each: StoredMethod | ExportedPayment) -> bytes:
    view = (
        StoredMethodView.of(each)
        if isinstance(each, StoredMethod)
        else ExportedPaymentView.of(each)
    )
    return view.model_dump_json().encode()
