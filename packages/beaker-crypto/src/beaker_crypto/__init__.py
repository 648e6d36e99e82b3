"""Ciphers for Beaker's sessions; each loads its library when it is chosen."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "2.0.0"
