"""Encrypts sessions, and changes the key while visitors are logged in.

Needs: Python 3.11 or newer and beaker-crypto; no server.
Install: pip install 'beaker-core>=2' 'beaker-crypto>=2'
Run: python examples/store_crypto.py
Shows: what is in the store says nothing; a session that was written under the old key
is read, and is under the new one once it is saved again.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from beaker.session import Session

ACCOUNT = "PT50 0002 0123"


def main() -> int:
    """Write, look into the store, change the key; return the exit status."""
    with tempfile.TemporaryDirectory() as directory:

        def opened(*keys: str) -> Any:
            told: dict[str, Any] = {
                "type": "file",
                "data_dir": directory,
                "encrypt_key": list(keys),
            }
            return Session({}, id="ann", use_cookies=False, **told)

        session = opened("the old key, a long random text")
        session["account"] = ACCOUNT
        session.save()
        stored = b"".join(
            path.read_bytes() for path in Path(directory).rglob("*") if path.is_file()
        )
        is_readable = ACCOUNT.encode() in stored
        print(
            "in the store:",
            stored[-24:].hex(),
            "..." if not is_readable else "READABLE",
        )

        both = opened("the new key, another one", "the old key, a long random text")
        print("read under the old key:", both["account"])
        both["seen"] = True
        both.save()

        new_alone = opened("the new key, another one")
        print("read under the new key alone:", new_alone["account"])
    return 0 if new_alone["account"] == ACCOUNT and not is_readable else 1


if __name__ == "__main__":
    sys.exit(main())
