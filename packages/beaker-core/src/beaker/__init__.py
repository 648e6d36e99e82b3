"""Caching and sessions for Python web applications."""

__version__ = "2.0.0"

import beaker._installation  # noqa: F401  # it asks for the version
