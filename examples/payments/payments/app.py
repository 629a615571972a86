"""Takes payments over HTTP, and publishes them to Kafka."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import FastAPI, Header, HTTPException
from herald import KafkaClient
from herald.runtime import correlation

from payments.generated.payments_events import AuthorizeInput, AuthorizeResult, Status
from payments.node import CardError, Payments


def create_app(client: KafkaClient | None = None) -> FastAPI:
    """Make the app; tests bring a client of their own."""
    kafka = client or KafkaClient(service="payments")
    node = Payments(kafka)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with kafka:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/payments", status_code=201)
    async def pay(
        payment: AuthorizeInput,
        email: Annotated[str, Header()],
        x_correlation_id: Annotated[UUID | None, Header()] = None,
    ) -> AuthorizeResult:
        with correlation(x_correlation_id or uuid4()):
            try:
                result = await node.authorize(payment)
            except CardError as error:
                raise HTTPException(402, "the bank does not accept the card") from error
            if result.status == Status.AUTHORIZED:
                await node.announce(payment, result.status, email)
            return result

    return app
