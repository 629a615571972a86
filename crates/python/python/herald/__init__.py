"""Contract-first event publishing for Kafka."""

from herald._herald import __version__

__all__ = ["__version__"]
