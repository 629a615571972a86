"""Type variables."""

from typing import ParamSpec, TypeVar

T = TypeVar("T")
M = TypeVar("M")
M_contra = TypeVar("M_contra", contravariant=True)
P = ParamSpec("P")
InputT = TypeVar("InputT")
ResultT = TypeVar("ResultT")
SelfT = TypeVar("SelfT")
