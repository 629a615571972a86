"""The envelope as a service that knows nothing of Herald declares it."""

from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field, field_serializer


class ModelOnexEnvelopeV1(BaseModel):
    model_config = ConfigDict(extra="allow")

    envelope_version: Literal["1.0"] = "1.0"
    event_id: UUID = Field(default_factory=uuid4)
    event_type: str
    event_version: str = "1.0"
    event_timestamp: datetime = Field(default_factory=lambda: datetime.now(UTC))
    source_node_id: str
    source_service: str = "omninode-bridge"
    source_version: str = "1.0.0"
    source_instance: str | None = None
    correlation_id: UUID | None = None
    causation_id: str | None = None
    environment: str = "development"
    region: str | None = None
    partition_key: str | None = None
    payload: dict[str, Any]
    metadata: dict[str, Any] = Field(default_factory=dict)

    # Without it, pydantic writes `Z` for UTC.
    @field_serializer("event_timestamp")
    def _isoformat(self, value: datetime) -> str:
        return value.isoformat()


class ModelAsPydanticWritesIt(ModelOnexEnvelopeV1):
    @field_serializer("event_timestamp")
    def _isoformat(self, value: datetime) -> datetime:  # type: ignore[override]
        return value
