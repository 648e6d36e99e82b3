"""What Beaker 1.14 does, asked line by line; run by an interpreter that has it."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any

from beaker.crypto import get_crypto_module
from beaker.session import CookieSession, Session


def encrypt(cipher: str, key: str, data: str) -> str:
    module = get_crypto_module(cipher)
    encrypted: bytes = module.aesEncrypt(bytes.fromhex(data), bytes.fromhex(key))
    return encrypted.hex()


def decrypt(cipher: str, key: str, data: str) -> str:
    module = get_crypto_module(cipher)
    decrypted: bytes = module.aesDecrypt(bytes.fromhex(data), bytes.fromhex(key))
    return decrypted.hex()


def write_cookie(options: dict[str, Any], data: dict[str, Any]) -> str:
    request: dict[str, Any] = {"cookie": None}
    session = CookieSession(request, **options)
    session.update(data)
    session.save()
    sent: str = request["cookie_out"]
    return sent.strip().partition(";")[0]


def read_cookie(options: dict[str, Any], cookie: str) -> dict[str, Any]:
    return visible(CookieSession({"cookie": cookie}, **options))


def write_record(options: dict[str, Any], id: str, data: dict[str, Any]) -> None:
    session = Session({}, id=id, use_cookies=False, **options)
    session.update(data)
    session.save()


def read_record(options: dict[str, Any], id: str) -> dict[str, Any]:
    return visible(Session({}, id=id, use_cookies=False, **options))


def write_signed(options: dict[str, Any], data: dict[str, Any]) -> str:
    request: dict[str, Any] = {"cookie": None}
    session = Session(request, **options)
    session.update(data)
    session.save()
    sent: str = request["cookie_out"]
    return sent.strip().partition(";")[0]


def read_signed(options: dict[str, Any], cookie: str) -> dict[str, Any]:
    return visible(Session({"cookie": cookie}, **options))


def visible(session: Session) -> dict[str, Any]:
    return {name: value for name, value in session.items() if name[0] != "_"}


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"done": globals()[asked.pop("do")](**asked)}
    except Exception:  # noqa: BLE001 - whatever it was, the test shows it
        return {"failed": traceback.format_exc()}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)  # noqa: T201 - the answer
