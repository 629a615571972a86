"""The node: authorizes payments and publishes what happens."""

from datetime import timedelta
from decimal import Decimal

from herald.runtime import EventClient

from payments.generated.payments_events import (
    AuthorizeInput,
    AuthorizeResult,
    Money,
    PaymentAuthorizedShop,
    PaymentAuthorizedV1,
    PaymentAuthorizedV2,
    PaymentsEventPublisher,
    Status,
    instrument_authorize,
)

LIMIT = Decimal(5_000)


class CardError(Exception):
    """The bank does not accept a card."""


class Payments(PaymentsEventPublisher):
    """Payments by card. The contract describes their events."""

    def __init__(self, client: EventClient) -> None:
        self.node_id = "payments-api"
        self.kafka_client = client

    @instrument_authorize
    async def authorize(self, order: AuthorizeInput) -> AuthorizeResult:
        """Reserve an amount on a card."""
        if order.card.number.startswith("0"):
            # Banks quote what they were given: none of it leaves this process.
            raise CardError(f"{order.card.number} of {order.card.holder} is unknown")
        is_accepted = order.amount.value <= LIMIT
        status = Status.AUTHORIZED if is_accepted else Status.DECLINED
        return AuthorizeResult(status=status, authorization="tok_4f9a1c77e2")

    async def announce(
        self, payment: AuthorizeInput, status: Status | str, email: str
    ) -> None:
        """Publish both versions of the event while consumers move to the second."""
        await self.publish_payment_authorized_v1(
            PaymentAuthorizedV1(
                payment_id=payment.payment_id, amount=payment.amount.value
            )
        )
        await self.publish_payment_authorized_v2(
            PaymentAuthorizedV2(
                payment_id=payment.payment_id,
                amount=Money(
                    value=payment.amount.value, currency=payment.amount.currency
                ),
                status=status,
                email=email,
                valid_for=timedelta(days=7),
                labels=[payment.channel.value],
                shop=PaymentAuthorizedShop(name="Lamps", country="DE"),
            )
        )
