"""Captures and refunds payments in a worker without asyncio, as Celery runs tasks.

With Celery, `start` is the handler of `worker_process_init`, `stop` that of
`worker_process_shutdown`, and each function with `Worker` as its first argument is the
body of a task: a process has one client, made after the fork.
"""

from decimal import Decimal
from uuid import UUID

from herald import Receipt, SyncKafkaClient
from herald.runtime import correlation

from payments.generated.payments_events import (
    CaptureInput,
    Money,
    RefundInput,
    SyncPaymentsEventPublisher,
    instrument_capture,
    instrument_refund,
)


class Worker(SyncPaymentsEventPublisher):
    """The node in a worker process."""

    def __init__(self, client: SyncKafkaClient) -> None:
        self.node_id = "payments-worker"
        self.kafka_client = client
        self.client = client
        self.captured: dict[UUID, int] = {}

    def start(self) -> None:
        """Open the client of this process."""
        self.client.connect()

    def stop(self) -> None:
        """Close it: events without a receipt go to Kafka or to the spool."""
        self.client.close()

    @instrument_capture
    def capture(self, order: CaptureInput) -> int:
        """Take the reserved amount, in installments."""
        self.captured[order.payment_id] = order.installments
        return order.installments

    @instrument_refund
    def refund(self, order: RefundInput, *, reason: str) -> Receipt:
        """Give money back. The task succeeds only if the event is safe."""
        if order.payment_id not in self.captured:
            raise LookupError("the payment was not captured")
        amount = Money(value=Decimal(order.cents).scaleb(-2), currency="EUR")
        return self.publish_payment_refunded(
            payment_id=order.payment_id, amount=amount, reason=reason
        )


def refund_task(
    worker: Worker, payment_id: str, cents: int, reason: str, request_id: str
) -> None:
    """Run a task: its arguments are JSON, as those of Celery."""
    with correlation(UUID(request_id)):
        order = RefundInput.model_validate({"payment_id": payment_id, "cents": cents})
        worker.refund(order, reason=reason)
