"""Keeps books of payments. This package does not depend on Herald."""

from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from ledger.generated.payments_consumer import (
    PaymentAuthorizedV1Event,
    PaymentAuthorizedV2Event,
    PaymentRefundedEvent,
    PaymentsTopic,
    parse,
)

TOPICS = [PaymentsTopic.PAYMENT_AUTHORIZED_V2, PaymentsTopic.PAYMENT_REFUNDED]


@dataclass
class Books:
    """Balances by currency. Events may arrive twice, so their ids are kept."""

    balances: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    seen: set[UUID] = field(default_factory=set[UUID])

    def consume(self, message: object) -> bool:
        """Enter one message of Kafka; returns whether it changed the books."""
        event = parse(message)
        if event.event_id in self.seen:
            return False
        self.seen.add(event.event_id)
        match event:
            case PaymentAuthorizedV2Event(payload=payment):
                self._add(payment.amount.currency, payment.amount.value)
            case PaymentRefundedEvent(payload=refund):
                self._add(refund.amount.currency, -refund.amount.value)
            case PaymentAuthorizedV1Event():
                return False  # the second version is entered
            case _:
                return False
        return True

    def _add(self, currency: str, amount: Decimal) -> None:
        self.balances[currency] = self.balances.get(currency, Decimal(0)) + amount
