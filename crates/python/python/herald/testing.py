"""Help for tests."""

from herald._herald import DevCluster, MemoryCluster

__all__ = ["DevCluster", "MemoryCluster"]
