"""The hash functions that Beaker 1.x offered under these names."""

from __future__ import annotations

import hmac
from hashlib import md5, sha1

__all__ = ["hmac", "hmac_sha1", "md5", "sha1"]

hmac_sha1 = sha1
