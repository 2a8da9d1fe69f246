# SPDX-License-Identifier: GPL-3.0-or-later
"""Poseidon: constants against circomlib's, factored form against the plain one, kernel against Python."""

import os
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from types import ModuleType

import pytest

from zkmargin.errors import BadInput, ToolMissing
from zkmargin.protocol import poseidon as module
from zkmargin.protocol import poseidon_constants as constants
from zkmargin.protocol.home import home
from zkmargin.protocol.kernel import load_kernel
from zkmargin.protocol.poseidon import MODULUS, poseidon, poseidon_many, poseidon_words, python_hash, to_words

WIDTHS = range(1, 17)
# From the tests of npm circomlib 2.0.5 (test/poseidoncircuit.js).
PUBLISHED = [
    ([1, 2], 7853200120776062878684798364095072458815029376092732009249414926327459813530),
    ([3, 4], 14763215145315200506921711489642608356394854266165572616578112107564877678998),
    ([1, 2, 0, 0, 0], 1018317224307729531995786483840663576608797660851238720571059489595066344487),
    ([3, 4, 5, 10, 23], 13034429309846638789535561449942021891039729847501137143363028890275222221409),
]


@cache
def circomlib_tables() -> dict[tuple[str, int], list]:
    path = home() / "node_modules/circomlib/circuits/poseidon_constants.circom"
    if not path.exists():
        pytest.skip("npm circomlib is not installed")
    text, tables = path.read_text(), {}
    for name in "CSMP":
        body = re.search(rf"function POSEIDON_{name}\(t\) \{{(.*?)\n\}}", text, re.DOTALL).group(1)
        for t, value in re.findall(r"t\s*==\s*(\d+)\)\s*\{\s*return\s*(.*?);", body, re.DOTALL):
            rows = [[int(x, 16) for x in re.findall(r"0x[0-9a-f]+", row)] for row in value.split("]")]
            tables[name, int(t)] = [row for row in rows if row]
    return tables


def plain(inputs: list[int]) -> int:
    """The permutation as the paper writes it, with the raw constants."""
    raw = constants.raw(len(inputs) + 1)
    state = [0, *inputs]
    for r, added in enumerate(raw.rounds):
        state = [(a + b) % MODULUS for a, b in zip(state, added, strict=True)]
        full = r < 4 or r >= 4 + raw.partial_rounds
        state = [pow(x, 5, MODULUS) if full or i == 0 else x for i, x in enumerate(state)]
        state = [sum(a * b for a, b in zip(row, state, strict=True)) % MODULUS for row in raw.mds]
    return state[0]


def samples(width: int, count: int) -> list[list[int]]:
    source = random.Random(width)
    ends = [0, 1, MODULUS - 1, MODULUS // 2, 2**253, 2**64 - 1]
    rows = [[value] * width for value in ends]
    rows += [[source.choice([*ends, source.randrange(MODULUS)]) for _ in range(width)] for _ in range(count)]
    return rows


@pytest.mark.parametrize("width", WIDTHS)
def test_constants_are_those_of_circomlib(width: int) -> None:
    t, tables = width + 1, circomlib_tables()
    mine = constants.sparse(t)
    assert [list(column) for column in zip(*mine.mds, strict=True)] == tables["M", t]
    assert [list(column) for column in zip(*mine.pre, strict=True)] == tables["P", t]
    added = [*(x for row in mine.before for x in row), *mine.partial, *(x for row in mine.after for x in row)]
    assert [added] == tables["C", t]
    sparse = [x for row, column in zip(mine.rows, mine.columns, strict=True) for x in (*row, *column)]
    assert [sparse] == tables["S", t]


@pytest.mark.parametrize(("inputs", "expected"), PUBLISHED)
def test_published_vectors(inputs: list[int], expected: int) -> None:
    assert plain(inputs) == expected
    assert python_hash(len(inputs))(inputs) == expected
    assert poseidon(inputs) == expected


@pytest.mark.parametrize("width", WIDTHS)
def test_factored_form_is_the_same_function(width: int) -> None:
    for inputs in samples(width, 2)[-3:]:
        assert python_hash(width)(inputs) == plain(inputs)


@pytest.mark.parametrize("width", WIDTHS)
def test_kernel_equals_python(kernel: ModuleType, width: int) -> None:
    rows = samples(width, 30)
    expected = [python_hash(width)(row) for row in rows]
    assert [poseidon(row) for row in rows] == expected
    flat = [value for row in rows for value in row]
    assert poseidon_many(width, flat) == expected
    for threads in (1, 2, 5):
        assert poseidon_words(width, to_words(flat), threads) == to_words(expected)


def test_large_batch_keeps_its_order(kernel: ModuleType) -> None:
    values = list(range(2 * 1000))
    words = poseidon_words(2, memoryview(to_words(values)), threads=3)
    with ThreadPoolExecutor(2) as pool:  # two batches at once
        assert list(pool.map(lambda _: poseidon_words(2, to_words(values)), range(2))) == [words, words]
    for i in (0, 63, 64, 511, 999):
        assert words[32 * i : 32 * i + 32] == to_words([python_hash(2)([2 * i, 2 * i + 1])])
    assert poseidon_words(2, b"") == b""


@pytest.fixture(params=["kernel", "python"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "python":
        monkeypatch.setattr(module, "_kernel", None)
    elif module.backend() == "python":
        pytest.skip("the native kernel is not built or switched off")


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("value", [MODULUS, MODULUS + 1, 2**256 - 1, 2**256, -1])
def test_values_outside_the_field_are_refused(value: int) -> None:
    with pytest.raises(BadInput):
        poseidon([1, value])
    with pytest.raises(BadInput):
        poseidon_many(2, [0, 0, value, 0])
    if 0 <= value < 2**256:
        with pytest.raises(BadInput):
            poseidon_words(2, to_words([0, 0, value, 0]))


@pytest.mark.usefixtures("either")
def test_lengths_that_do_not_fit_are_refused() -> None:
    for width in (0, 17):
        with pytest.raises(BadInput, match="1 to 16"):
            poseidon([0] * width)
        with pytest.raises(BadInput, match="1 to 16"):
            poseidon_words(width, b"")
    with pytest.raises(BadInput):
        poseidon_many(2, [1, 2, 3])
    with pytest.raises(BadInput):
        poseidon_words(2, bytes(63))


def test_kernel_refuses_broken_constants(best_kernel: ModuleType) -> None:
    with pytest.raises(ValueError, match="unexpected length"):
        best_kernel.poseidon_load(2, bytes(32 * 7))
    with pytest.raises(ValueError, match="1 to 16"):
        best_kernel.poseidon_load(17, b"")
    with pytest.raises(ValueError, match="not below"):
        best_kernel.poseidon_load(2, b"\xff" * 32 * (5 * 3 + 9 + 6 + 9 + 9))


@pytest.mark.parametrize("choice", ["off", "portable"])
def test_environment_chooses_the_backend(choice: str) -> None:
    if choice != "off" and module.backend() == "python":
        pytest.skip("the native kernel is not built or switched off")
    code = "from zkmargin.protocol import poseidon as m; print(m.backend(), m.poseidon([1, 2]))"
    environment = dict(os.environ, ZKMARGIN_KERNEL=choice, PYTHONPATH=os.pathsep.join(sys.path))
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["python" if choice == "off" else choice, str(PUBLISHED[0][1])]


def test_unknown_kernel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZKMARGIN_KERNEL", "abacus")
    with pytest.raises(ToolMissing, match="abacus"):
        load_kernel()
