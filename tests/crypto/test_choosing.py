"""Which cipher a name leads to, and what is said where it leads to none."""

from __future__ import annotations

from pathlib import Path

import pytest

from beaker.crypto import get_crypto_module
from beaker.exceptions import InvalidCryptoBackendError
from beaker.plugins import crypto_named
from beaker.protocols import CryptoProvider
from beaker_crypto.pyca_cryptography import PycaCryptography
from beaker_crypto.pycryptodome import PyCryptodome
from tests.packaging.conftest import run

WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, *_):
        if name in {absent!r}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Absent())
"""

CHOOSE = """
from beaker.plugins import crypto_named
try:
    print(type(crypto_named({name!r})).__name__)
except Exception as e:
    print(type(e).__name__, e, sep=": ")
"""

LOADED = """
import sys
{code}
print(*sorted({{"cryptography", "Crypto"}} & set(sys.modules)))
"""


def chosen(name: str, *, without: set[str]) -> str:
    """Return the class that is chosen, or the error, where modules are missing."""
    return run(WITHOUT.format(absent=without) + CHOOSE.format(name=name))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("cryptography", PycaCryptography),
        ("pycryptodome", PyCryptodome),
        ("pycrypto", PyCryptodome),
        ("default", PycaCryptography),
    ],
)
def test_a_name_leads_to_its_library(name: str, kind: type) -> None:
    assert type(get_crypto_module(name)) is kind


def test_the_default_is_the_cipher_of_highest_priority() -> None:
    assert PycaCryptography.priority > PyCryptodome.priority > 0


def test_a_cipher_has_all_that_sessions_need(cipher: CryptoProvider) -> None:
    assert cipher.has_aes is True
    assert cipher.getKeyLength() == 32


@pytest.mark.parametrize(
    ("module", "name"),
    [("pycrypto", "pycryptodome"), ("pyca_cryptography", "cryptography")],
)
def test_the_modules_of_1_x_lead_to_the_ciphers(module: str, name: str) -> None:
    said = run(
        f"from beaker.crypto.{module} import aesDecrypt, aesEncrypt, getKeyLength\n"
        f"from beaker.plugins import crypto_named\n"
        f"print(aesDecrypt == crypto_named({name!r}).aesDecrypt, getKeyLength())"
    )

    assert said == "True 32"


@pytest.mark.parametrize(
    ("code", "libraries"),
    [
        ("import beaker_crypto", ""),
        ("import beaker.crypto", ""),
        ("import beaker.middleware", ""),
        (CHOOSE.format(name="cryptography"), "cryptography"),
        (CHOOSE.format(name="pycryptodome"), "Crypto"),
    ],
)
def test_a_library_is_loaded_when_its_cipher_is_chosen(
    code: str, libraries: str
) -> None:
    said = run(LOADED.format(code=code))

    assert said.splitlines()[-1:] == ([libraries] if libraries else [])


@pytest.mark.parametrize(
    ("absent", "remaining"),
    [("Crypto", "PycaCryptography"), ("cryptography", "PyCryptodome")],
)
def test_the_default_is_a_cipher_whose_library_is_there(
    absent: str, remaining: str
) -> None:
    assert chosen("default", without={absent}) == remaining


def test_without_any_library_there_is_no_default() -> None:
    said = chosen("default", without={"cryptography", "Crypto"})

    assert said == (
        "InvalidCryptoBackendError: a key for encryption is set and no cipher is "
        "installed; install one with: pip install 'beaker-crypto>=2'"
    )


@pytest.mark.parametrize("name", ["pycryptodome", "pycrypto"])
def test_without_pycryptodome_the_extra_is_named(name: str) -> None:
    said = chosen(name, without={"Crypto"})

    assert said == (
        "InvalidCryptoBackendError: the cipher 'pycryptodome' needs the library of "
        "that name, which is not installed; install it with: "
        "pip install 'beaker-crypto[pycryptodome]>=2'"
    )


def test_without_cryptography_the_command_is_named() -> None:
    said = chosen("cryptography", without={"cryptography"})

    assert said == (
        "InvalidCryptoBackendError: the cipher 'cryptography' needs the library of "
        "that name, which is not installed; install it with: "
        "pip install 'beaker-crypto>=2'"
    )


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("cryptography", "cryptography.exceptions"),
        ("pycryptodome", "Crypto.Util"),
    ],
)
def test_a_library_that_lacks_a_part_is_told_as_broken(name: str, part: str) -> None:
    said = chosen(name, without={part})

    assert said.startswith("BrokenBackendError: ")
    assert said.endswith(f"cannot be loaded: No module named {part!r}")


def test_an_old_import_path_without_its_library_is_an_import_error() -> None:
    said = run(
        WITHOUT.format(absent={"Crypto"})
        + "try: import beaker.crypto.pycrypto\nexcept ImportError as e: print(e)"
    )

    assert said.endswith("pip install 'beaker-crypto[pycryptodome]>=2'")


THIRD_PARTY = """
has_aes = True
def getKeyLength(): return 32
def aesEncrypt(data, key): return data
def aesDecrypt(data, key): return data
"""


def install(site: Path, wheel: str, name: str, *, more: str = "") -> None:
    """Put a wheel with one cipher into a directory."""
    told = site / f"{wheel}-1.0.dist-info"
    told.mkdir()
    (site / f"{wheel}.py").write_text(THIRD_PARTY + more)
    (told / "METADATA").write_text(f"Name: {wheel}\nVersion: 1.0\n")
    entry_point = f"[beaker.backends]\ncrypto:{name} = {wheel}\n"
    (told / "entry_points.txt").write_text(entry_point)


@pytest.mark.parametrize(
    ("more", "default"), [("priority = 99", "loud"), ("", "PycaCryptography")]
)
def test_a_third_partys_cipher_is_the_default_by_its_priority(
    tmp_path: Path, more: str, default: str
) -> None:
    install(tmp_path, "loud", "shout", more=more)

    said = run(
        "from beaker.plugins import crypto_named\n"
        "cipher = crypto_named('default')\n"
        "print(getattr(cipher, '__name__', type(cipher).__name__))",
        PYTHONPATH=str(tmp_path),
    )

    assert said == default


def test_two_wheels_with_one_cipher_are_told(tmp_path: Path) -> None:
    install(tmp_path, "loud", "shout")
    install(tmp_path, "noisy", "shout")

    said = run(
        "import warnings; warnings.simplefilter('error')\n"
        "from beaker.plugins import crypto_named\n"
        "try: crypto_named('shout')\nexcept Warning as w: print(w)",
        PYTHONPATH=str(tmp_path),
    )

    assert said.startswith("backend 'crypto:shout' is claimed by ")
    assert "loud 1.0" in said
    assert "noisy 1.0" in said


@pytest.mark.parametrize("name", ["nss", "jcrypto"])
def test_a_cipher_that_ended_with_1_x_is_told_with_what_to_use(name: str) -> None:
    with pytest.raises(InvalidCryptoBackendError) as told:
        crypto_named(name)

    assert str(told.value) == (
        f"cipher {name!r} ended with Beaker 1.x; set crypto_type to 'cryptography' "
        f"and install it with: pip install 'beaker-crypto>=2'"
    )


def test_a_misspelt_cipher_is_told_with_the_likely_one() -> None:
    with pytest.raises(InvalidCryptoBackendError, match="did you mean 'cryptography'"):
        crypto_named("cryptograpy")
