"""Keeps sessions in MongoDB, where each is one document.

Needs: Python 3.11 or newer, beaker-mongodb, and mongod or the URL of a server.
Install: pip install 'beaker-core[testing]>=2' 'beaker-mongodb>=2'
Run: python examples/store_mongodb.py [mongodb://localhost:27017/beaker]
Shows: two requests change one session at once, and neither change is lost; what is
there then: one document, which the server removes when its time has passed.
"""

from __future__ import annotations

import sys
from typing import Any

from _reached import reached
from pymongo import MongoClient

from beaker.session import Session
from beaker.testing import mongo_server


def main() -> int:
    """Change a session twice at once; return the exit status."""
    with reached(mongo_server) as url:
        told: dict[str, Any] = {
            "type": "ext:mongodb",
            "url": url,
            "store_timeout": 5,
            "timeout": 3600,
        }

        def opened() -> Any:
            return Session({}, id="example", use_cookies=False, **told)

        opened().save()
        one, other = opened(), opened()
        one["cart"], other["language"] = ["shoes"], "pt"
        one.save()
        other.save()

        kept = opened()
        print("cart:", kept["cart"], "language:", kept["language"])
        with MongoClient[dict[str, Any]](url) as raw:
            collection = raw.get_default_database()["beaker_cache"]
            documents = list(collection.find({"_id": {"$regex": "example"}}))
            reaped = [
                index["key"]
                for index in collection.list_indexes()
                if "expireAfterSeconds" in index
            ]
        print("documents:", len(documents), "with", *sorted(documents[0]))
        print("removed by the server's index on:", *map(dict, reaped))
        kept.delete()
    return 0 if len(documents) == 1 and reaped else 1


if __name__ == "__main__":
    sys.exit(main())
