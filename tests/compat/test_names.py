"""The names that programs and plugins written for Beaker 1.x import."""

from __future__ import annotations

from importlib import import_module

import pytest

NAMES = {
    "beaker": "__version__",
    "beaker.cache": """Cache CacheManager _backends _cache_decorate
        _cache_decorator_invalidate cache_managers cache_region cache_regions clsmap
        region_invalidate""",
    "beaker.session": """CookieSession InvalidSignature Session SessionObject
        SignedCookie _ConfigurableSession _InvalidSignatureType _session_id clsmap
        months weekdays""",
    "beaker.middleware": """CacheMiddleware SessionMiddleware beaker_cache
        beaker_session session_filter_app_factory session_filter_factory""",
    "beaker.container": """AbstractDictionaryNSManager Container ContainerContext
        ContainerMeta CreationAbortedError DBMContainer DBMNamespaceManager
        DbmContainer FileContainer FileNamespaceManager MemoryContainer
        MemoryNamespaceManager NamespaceManager OpenResourceNamespaceManager Value
        debug logger namespace_classes pickle time util""",
    "beaker.synchronization": """ConditionSynchronizer FileSynchronizer NameLock
        SynchronizerImpl _synchronizers _threading file_synchronizer has_flock
        mutex_synchronizer null_synchronizer""",
    "beaker.util": """DEFAULT_CACHE_KEY_LENGTH JsonSerializer PickleSerializer SyncDict
        ThreadLocal WeakValuedRegistry asint coerce_cache_params
        coerce_session_params deprecated deserialize encoded_path func_namespace
        has_self_arg machine_identifier parse_cache_config_options safe_write
        serialize verify_directory verify_options verify_rules warn""",
    "beaker.converters": "asbool aslist",
    "beaker.cookie": "SimpleCookie",
    "beaker.exceptions": """BeakerException BeakerWarning CreationAbortedError
        InvalidCacheBackendError InvalidCryptoBackendError LockError
        MissingCacheParameter""",
    "beaker.crypto": """CRYPTO_MODULES DEFAULT_NONCE_BITS generateCryptoKeys
        get_crypto_module get_nonce_size hmac hmac_sha1 load_default_module md5 pbkdf2
        register_crypto_module sha1""",
    "beaker.crypto.noencryption": "aesDecrypt aesEncrypt getKeyLength has_aes",
    "beaker.crypto.pbkdf2": "pbkdf2",
    "beaker.crypto.util": "hmac md5 sha1",
    "beaker._compat": """NoneType PY2 anydbm b64decode b64encode bindfuncargs bytes_
        pickle signature string_type u_ unicode_text""",
}

#: What needs a wheel of its own.
FORWARDED = {
    "beaker.crypto.pyca_cryptography": "aesDecrypt aesEncrypt getKeyLength has_aes",
    "beaker.crypto.pycrypto": "aesDecrypt aesEncrypt getKeyLength has_aes",
    "beaker.ext.database": "DatabaseContainer DatabaseNamespaceManager",
    "beaker.ext.memcached": """MAX_KEY_LENGTH MemcachedContainer
        MemcachedNamespaceManager PyLibMCNamespaceManager _load_client""",
    "beaker.ext.mongodb": "MongoNamespaceManager MongoSynchronizer",
    "beaker.ext.redisclusternm": """RedisClusterNamespaceManager
        RedisClusterSynchronizer""",
    "beaker.ext.redisnm": "RedisNamespaceManager RedisSynchronizer",
    "beaker.ext.sqla": "SqlaContainer SqlaNamespaceManager make_cache_table",
}


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (module, name)
        for module, names in {**NAMES, **FORWARDED}.items()
        for name in names.split()
    ],
)
def test_a_name_of_1x_is_where_it_was(module: str, name: str) -> None:
    assert hasattr(import_module(module), name)
