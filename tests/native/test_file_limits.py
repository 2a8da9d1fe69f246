# SPDX-License-Identifier: GPL-3.0-or-later
"""Particular ways in which a key or constraint system can be broken, each with the error that names it."""

import os
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from native.mutations import join, put, split
from native.strict_reader import BASE
from native.systems import random_system
from zkmargin.protocol.poseidon import MODULUS, to_words

SYSTEM = random_system(3, 12)
R1CS = SYSTEM.r1cs()
HEADER = 12 + 12
"""Where the first section's contents begin."""

Load = Callable[[bytes], object]


@pytest.fixture
def zkey(best_kernel: ModuleType, tmp_path: Path) -> bytes:
    path = SYSTEM.write(tmp_path, "good")
    best_kernel.dev_setup([(str(path), str(path.with_suffix(".zkey")))])
    return path.with_suffix(".zkey").read_bytes()


@pytest.fixture
def load_key(best_kernel: ModuleType, tmp_path: Path) -> Load:
    path = tmp_path / "broken.zkey"

    def load(data: bytes) -> object:
        path.write_bytes(data)
        return best_kernel.Prover(str(path))

    return load


@pytest.fixture
def load_system(best_kernel: ModuleType, tmp_path: Path) -> Load:
    path = tmp_path / "broken.r1cs"

    def load(data: bytes) -> object:
        path.write_bytes(data)
        return best_kernel.dev_setup([(str(path), str(tmp_path / "made.zkey"))])

    return load


def changed(data: bytes, kind: int, at: int, piece: bytes) -> bytes:
    """A good file with other bytes at a place of one section."""
    parts = [(k, put(content, at, piece) if k == kind else content) for k, content in split(data)]
    return join(data[:4], parts)


def number(value: int) -> bytes:
    return struct.pack("<I", value)


def test_every_beginning_of_a_key_is_refused(best_kernel: ModuleType, tmp_path: Path, zkey: bytes) -> None:
    path = tmp_path / "good.zkey"
    for length in reversed(range(len(zkey))):
        os.truncate(path, length)
        with pytest.raises(ValueError, match=r"good\.zkey"):
            best_kernel.Prover(str(path))


def test_every_beginning_of_a_system_is_refused(best_kernel: ModuleType, tmp_path: Path) -> None:
    path, made = SYSTEM.write(tmp_path), tmp_path / "made.zkey"
    for length in reversed(range(len(R1CS))):
        os.truncate(path, length)
        with pytest.raises(ValueError, match=r"circuit\.r1cs"):
            best_kernel.dev_setup([(str(path), str(made))])
    assert not list(tmp_path.glob("made.zkey*"))


def test_every_section_must_be_there_once_and_whole(zkey: bytes, load_key: Load) -> None:
    parts = split(zkey)
    for i, (kind, data) in enumerate(parts[:-1]):  # the last one is the ceremony's log, which proves nothing
        rest = parts[:i] + parts[i + 1 :]
        with pytest.raises(ValueError, match=f"no section {kind}"):
            load_key(join(b"zkey", rest))
        with pytest.raises(ValueError, match=f"section {kind} twice"):
            load_key(join(b"zkey", [*parts, (kind, data)]))
        for content in (b"", data[:-1], data + b"\0", data * 2):
            with pytest.raises(ValueError, match=f"section {kind},"):
                load_key(join(b"zkey", [*rest, (kind, content)]))
    load_key(join(b"zkey", parts[::-1]))
    load_key(join(b"zkey", parts[:-1]))
    load_key(join(b"zkey", [*parts, (99, b"something new")]))


@pytest.mark.parametrize(
    ("at", "piece", "what"),
    [
        (0, number(31), "another curve"),
        (4, to_words([BASE - 2]), "another curve"),
        (36, number(0), "another curve"),
        (40, to_words([BASE]), "another curve"),
        (72, number(0), "more public signals than wires"),
        (76, number(2**32 - 1), "more public signals than wires"),
        (72, number(2**32 - 1), r"more than 2\^31"),
        (72, number(2**31 - 1), "instead of"),
        (80, number(0), "power of two"),
        (80, number(24), "power of two"),
        (80, number(2**28), "power of two"),
        (80, number(2**31), "power of two"),
        (80, number(2**27), "instead of"),
        (84, bytes(64), "not on the curve"),
        (84, to_words([BASE]), "not on the curve"),
        (84 + 3 * 64, to_words([2**256 - 1]), "not on the curve"),
    ],
)
def test_key_headers(zkey: bytes, load_key: Load, at: int, piece: bytes, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        load_key(changed(zkey, 2, at, piece))


def test_key_coefficients(zkey: bytes, load_key: Load) -> None:
    _, domain = len(SYSTEM.witness), 16
    for at, value, what in (
        (0, 2**32 - 1, "does not fit its count"),
        (0, 0, "does not fit its count"),
        (4, 2, "cell that does not exist"),
        (8, domain, "cell that does not exist"),
        (8, 2**32 - 1, "cell that does not exist"),
        (12, len(SYSTEM.witness), "cell that does not exist"),
    ):
        with pytest.raises(ValueError, match=what):
            load_key(changed(zkey, 4, at, number(value)))
    with pytest.raises(ValueError, match="not below"):
        load_key(changed(zkey, 4, 16, to_words([MODULUS])))


def test_a_coordinate_has_one_form(zkey: bytes, load_key: Load) -> None:
    """x + p means x to the arithmetic and fits its 32 bytes."""
    for kind, data in split(zkey):
        if kind in (3, 5, 6, 7, 8, 9):
            first = next(at for at in range(0, len(data), 32) if any(data[at : at + 32]))
            value = int.from_bytes(data[first : first + 32], "little") + BASE
            with pytest.raises(ValueError, match=f"section {kind}, holds a point that is not on the curve"):
                load_key(changed(zkey, kind, first, value.to_bytes(32, "little")))


@pytest.mark.parametrize("size", [2**32, 2**63 - 1, 2**63, 2**64 - 24, 2**64 - 12, 2**64 - 1])
def test_section_sizes_that_wrap_around(zkey: bytes, load_key: Load, load_system: Load, size: int) -> None:
    for load, data in ((load_key, zkey), (load_system, R1CS)):
        with pytest.raises(ValueError, match="ends too early"):
            load(put(data, 16, struct.pack("<Q", size)))


def test_many_sections(zkey: bytes, load_key: Load) -> None:
    load_key(join(b"zkey", split(zkey) + [(100 + i, b"") for i in range(54)]))
    for count in (65, 2**32 - 1):
        with pytest.raises(ValueError, match="too many sections"):
            load_key(put(zkey, 8, number(count)))


@pytest.mark.parametrize(
    ("kind", "at", "piece", "what"),
    [
        (1, 0, number(33), "another field"),
        (1, 4, to_words([MODULUS - 2]), "another field"),
        (1, 36, number(0), "more signals than wires"),
        (1, 40, number(2**32 - 1), "more signals than wires"),
        (1, 36, number(2**32 - 1), "another number of wires"),
        (1, 60, number(2**32 - 1), "more constraints than"),
        (2, 0, number(2**32 - 1), "section 2,"),
        (2, 0, number(0), "section 2,"),
        (2, 4, number(len(SYSTEM.witness)), "a wire that does not exist"),
        (2, 8, to_words([MODULUS]), "not below"),
    ],
)
def test_systems(load_system: Load, kind: int, at: int, piece: bytes, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        load_system(changed(R1CS, kind, at, piece))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", r"not a \.r1cs file"),
        (R1CS[:11], r"not a \.r1cs file"),
        (b"wtns" + R1CS[4:], r"not a \.r1cs file"),
        (put(R1CS, 4, number(2)), "unknown version"),
        (R1CS + b"\0", "longer than its contents"),
        (join(b"r1cs", []), "no section 1"),
        (join(b"r1cs", [*split(R1CS), (1, b"")]), "section 1 twice"),
        (join(b"r1cs", split(R1CS)[:2]), "no section 3"),
    ],
)
def test_what_is_no_system(load_system: Load, data: bytes, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        load_system(data)


def test_a_longer_key(zkey: bytes, load_key: Load) -> None:
    with pytest.raises(ValueError, match="longer than its contents"):
        load_key(zkey + b"\0")


def test_custom_gates_are_refused(load_system: Load) -> None:
    with pytest.raises(ValueError, match="custom gates"):
        load_system(join(b"r1cs", [*split(R1CS), (4, b"")]))


def test_a_pipe_is_not_waited_for(best_kernel: ModuleType, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="not a regular file"):
        best_kernel.Prover(str(tmp_path / "pipe"))
    with pytest.raises(ValueError, match="not a regular file"):
        best_kernel.dev_setup([(str(tmp_path / "pipe"), str(tmp_path / "a.zkey"))])


def test_a_path_is_not_cut_at_a_zero_byte(best_kernel: ModuleType, tmp_path: Path, zkey: bytes) -> None:
    with pytest.raises(ValueError, match="zero byte"):
        best_kernel.Prover(str(tmp_path / "good.zkey") + "\0.old")
    with pytest.raises(ValueError, match="zero byte"):
        best_kernel.dev_setup([(str(tmp_path / "good.r1cs"), str(tmp_path / "made.zkey") + "\0")])


def test_colliding_coefficients_take_no_longer(zkey: bytes, load_key: Load) -> None:
    """100,000 coefficients alike to a hash that joins their limbs by shifts and exclusive ors."""
    values = [struct.pack("<QQQQ", (i << 1) ^ 0x1234567, i, 0, 0) for i in range(100_000)]
    entries = b"".join(struct.pack("<III", 0, 0, 0) + value for value in values)
    parts = dict(split(zkey)) | {4: number(len(values)) + entries}
    start = time.monotonic()
    load_key(join(b"zkey", list(parts.items())))
    assert time.monotonic() - start < 5


def test_a_file_that_changes_while_it_is_read(best_kernel: ModuleType, tmp_path: Path) -> None:
    """Another program cuts the key short and restores it, again and again: errors, no bus error."""
    system = random_system(5, 700)
    path = system.write(tmp_path)
    zkey = path.with_suffix(".zkey")
    best_kernel.dev_setup([(str(path), str(zkey))])
    whole, done = zkey.read_bytes(), threading.Event()

    def disturb() -> None:
        with zkey.open("r+b") as file:
            while not done.is_set():
                for length in (len(whole) // 2, 12, len(whole) - 100):
                    file.truncate(length)
                    time.sleep(0.0005)
                    file.seek(length)
                    file.write(whole[length:])
                    file.flush()

    thread = threading.Thread(target=disturb)
    thread.start()
    refused = 0
    try:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            try:
                best_kernel.Prover(str(zkey), 2)
            except ValueError:
                refused += 1
    finally:
        done.set()
        thread.join()
    assert refused
    assert best_kernel.Prover(str(zkey)).wires == len(system.witness)
