"""Beaker's caches and sessions in Google Cloud Datastore."""

from __future__ import annotations

from beaker_google.containers import GoogleContainer
from beaker_google.namespace import GoogleNamespaceManager

__all__ = ["GoogleContainer", "GoogleNamespaceManager", "__version__"]

__version__ = "2.0.0"
