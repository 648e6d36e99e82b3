"""The Google Datastore store, under the import path of Beaker 1.x."""

from __future__ import annotations

from beaker.exceptions import MissingBackendError

try:
    from beaker_google import GoogleContainer, GoogleNamespaceManager
except ModuleNotFoundError as e:
    if e.name != "beaker_google":
        raise
    raise MissingBackendError("beaker.ext.google", "beaker-google") from None

__all__ = ["GoogleContainer", "GoogleNamespaceManager"]
