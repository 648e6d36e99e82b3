"""Caching and sessions for Python web applications."""

__version__ = "2.0.0"
