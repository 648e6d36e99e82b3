"""What stands before an application to speak https: it takes the TLS off, and no more."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from beaker.testing import Recipe, Server

__all__ = ["terminator"]

_RECIPE = Recipe(
    program=sys.executable,
    arguments=("-m", "tests.web.https", "{port}", "{directory}/certificate.pem"),
    ready="ready",
    url="https://127.0.0.1:{port}",
    install="pip install cryptography",
)


@contextmanager
def terminator(url: str, directory: Path) -> Iterator[int]:
    """Yield a port that speaks TLS, behind which is the server at this URL."""
    directory.mkdir()
    _write_certificate(directory / "certificate.pem")
    with Server(_RECIPE, directory, str(urlsplit(url).port)) as running:
        yield running.port


async def serve(port: int, certificate: str, backend: int) -> None:
    """Serve until killed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def terminate(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        behind, to_behind = await asyncio.open_connection("127.0.0.1", backend)
        await asyncio.gather(_pump(reader, to_behind), _pump(behind, writer))

    server = await asyncio.start_server(terminate, "127.0.0.1", port, ssl=context)
    print("ready", flush=True)  # noqa: T201  # for whoever started it
    await server.serve_forever()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
    with suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()


def _write_certificate(path: Path) -> None:
    """Write a certificate that nobody has vouched for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
