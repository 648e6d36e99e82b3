from __future__ import annotations

import gc
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from beaker import protocols, synchronization
from beaker.synchronization import (
    ConditionSynchronizer,
    FileSynchronizer,
    NameLock,
    Synchronizer,
    SynchronizerImpl,
    file_synchronizer,
    mutex_synchronizer,
    null_synchronizer,
)
from beaker.testing._locks import can_write, elsewhere


def test_a_name_is_one_synchronizer_while_somebody_has_it(tmp_path: Path) -> None:
    here, there = str(tmp_path / "here"), str(tmp_path / "there")

    file = file_synchronizer("name", lock_dir=here)
    mutex = mutex_synchronizer("name")

    assert file_synchronizer(identifier="name", lock_dir=here) is file
    assert file_synchronizer("name", lock_dir=there) is not file
    assert file_synchronizer("other", lock_dir=here) is not file
    assert mutex_synchronizer(identifier="name") is mutex
    assert mutex_synchronizer("other") is not mutex
    assert isinstance(file, FileSynchronizer)
    assert isinstance(mutex, ConditionSynchronizer)


def test_without_a_directory_the_lock_is_this_processes() -> None:
    mutex = mutex_synchronizer("name")

    assert file_synchronizer("name") is mutex


def test_with_none_for_directory_the_lock_is_among_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    lock = file_synchronizer("name", lock_dir=None)
    assert isinstance(lock, FileSynchronizer)

    lock.acquire()

    assert lock.lock_dir == str(tmp_path / f"beaker-locks-{os.getuid()}")
    assert os.listdir(lock.lock_dir) == ["beaker.lock"]
    assert not elsewhere(lambda: can_write(FileSynchronizer("name", None)))
    lock.release()


def test_names_that_nobody_has_are_forgotten(tmp_path: Path) -> None:
    for number in range(100):
        file_synchronizer(f"name {number}", lock_dir=str(tmp_path))
        mutex_synchronizer(f"name {number}")
        NameLock(f"name {number}")
    gc.collect()

    names = [key for key in synchronization._synchronizers.dict if "name" in key[1]]
    assert names == []
    assert not any("name" in str(key) for key in NameLock.locks.dict)


def test_threads_that_race_get_one_synchronizer() -> None:
    made: list[int] = []

    class SlowSynchronizer(ConditionSynchronizer):
        def __init__(self, identifier: str) -> None:
            super().__init__(identifier)
            time.sleep(0.02)
            made.append(1)

    def ask(number: int) -> object:
        return synchronization._synchronizer(SlowSynchronizer, f"raced {number % 2}")

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(ask, range(8)))

    assert len({id(one) for one in got}) == len(made) == 2


# -- name locks


def test_a_name_lock_is_shared_by_name() -> None:
    one, two = NameLock("name"), NameLock("name")

    assert one.acquire()

    assert not two.acquire(wait=False)
    assert NameLock("other").acquire(wait=False)
    one.release()
    assert two.acquire(wait=False)
    two.release()


def test_a_name_lock_without_a_name_is_a_lock_of_its_own() -> None:
    assert NameLock().acquire()
    assert NameLock().acquire(wait=False)


def test_a_name_lock_is_reentrant_only_if_asked_to_be() -> None:
    plain, reentrant = NameLock(), NameLock(reentrant=True)
    plain.acquire()
    reentrant.acquire()

    assert not plain.acquire(wait=False)
    assert reentrant.acquire(wait=False)
    assert not elsewhere(lambda: reentrant.acquire(wait=False))


def test_a_name_lock_that_is_not_held_cannot_be_released() -> None:
    for lock in (NameLock(), NameLock(reentrant=True)):
        with pytest.raises(RuntimeError):
            lock.release()


# -- what 1.x offered


def test_the_null_synchronizer_lets_everybody_in() -> None:
    lock = null_synchronizer()

    assert lock.acquire_write_lock()
    assert lock.acquire_write_lock(wait=False)
    assert lock.acquire_read_lock()
    assert lock.acquire(wait=False)
    lock.release_read_lock()
    lock.release_write_lock()
    lock.release()


def test_all_synchronizers_are_what_the_contract_says() -> None:
    kinds = (ConditionSynchronizer, FileSynchronizer, null_synchronizer)

    assert all(issubclass(kind, Synchronizer) for kind in kinds)
    assert synchronization.Lease is protocols.Lease


def test_names_of_1x_are_there() -> None:
    assert synchronization._threading is threading
    assert synchronization.has_flock
    assert isinstance(NameLock.locks, type(synchronization._synchronizers))


def test_a_synchronizer_of_a_plugin_is_reentrant_though_it_answers_nothing() -> None:
    calls: list[str] = []

    class PluginSynchronizer(SynchronizerImpl):
        def do_acquire_write_lock(self, wait: bool) -> None:
            calls.append(f"write {wait}")

        def do_release_write_lock(self) -> None:
            calls.append("written")

    lock = PluginSynchronizer()

    assert lock.acquire_write_lock()
    assert lock.acquire_write_lock()
    lock.release_write_lock()
    lock.release_write_lock()
    assert not lock.acquire_write_lock(wait=False)

    assert calls == ["write True", "written", "write False"]
    with pytest.raises(NotImplementedError):
        lock.acquire_read_lock()
