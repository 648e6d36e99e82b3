"""The deprecated container of Beaker 1.x."""

from __future__ import annotations

from beaker.container import Container
from beaker_google.namespace import GoogleNamespaceManager

__all__ = ["GoogleContainer"]


class GoogleContainer(Container):
    """Deprecated: a value in Google Cloud Datastore."""

    namespace_manager = GoogleNamespaceManager
