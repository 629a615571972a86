"""Logarithmic histogram buckets.

Each power of two is divided into 64 buckets of equal width, so the midpoint of a bucket
is at most 1/128 (0.8 %) away from any value in it. Values below 128 have a bucket each.
"""

MAX_VALUE = (1 << 43) - 1  # of nanoseconds: 2.4 hours
BUCKETS = (36 << 6) + 128


def bucket_of(value: int) -> int:
    """Returns the bucket of a value from 0 to `MAX_VALUE`."""
    shift = value.bit_length() - 7
    return value if shift <= 0 else (shift << 6) + (value >> shift)


def midpoint_of(bucket: int) -> float:
    """Returns the midpoint of a bucket."""
    if bucket < 128:
        return bucket
    shift = (bucket >> 6) - 1
    return ((bucket - (shift << 6)) << shift) + ((1 << shift) - 1) / 2
