# SPDX-License-Identifier: GPL-3.0-or-later
"""Small damage to .zkey and .r1cs files: of single bytes, of sections, of what the sections say.

All choices come from one random source, so a case is known by its seed.
"""

import random
import struct
from collections.abc import Callable

from native.strict_reader import BASE, SCALARS

Parts = list[tuple[int, bytes]]
"""Sections in file order; a kind may stand in it twice."""

NUMBERS = [0, 1, 2, 3, 4, 5, 31, 32, 33, 63, 64, 2**16, 2**24, 2**27, 2**28, 2**31 - 1, 2**31, 2**32 - 1]
SIZES = [0, 1, 12, 44, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 12, 2**64 - 1]
WORDS = [0, 1, 2, BASE - 1, BASE, BASE + 1, SCALARS - 1, SCALARS, SCALARS + 1, 2**253, 2**255, 2**256 - 1]
POINT_BYTES = {3: 64, 5: 64, 6: 64, 7: 128, 8: 64, 9: 64}
_HEAD = 12


def split(data: bytes) -> Parts:
    """The sections of a good file."""
    parts, at = [], _HEAD
    while at < len(data):
        kind, size = struct.unpack_from("<IQ", data, at)
        parts.append((kind, data[at + _HEAD : at + _HEAD + size]))
        at += _HEAD + size
    return parts


def join(magic: bytes, parts: Parts, count: int | None = None) -> bytes:
    head = magic + struct.pack("<II", 1, len(parts) if count is None else count)
    return head + b"".join(struct.pack("<IQ", kind, len(data)) + data for kind, data in parts)


def is_whole(data: bytes) -> bool:
    """Whether these are sections one after the other, so that split() gives them."""
    try:
        return join(data[:4], split(data)) == data
    except struct.error:
        return False


def put(data: bytes, at: int, piece: bytes) -> bytes:
    return data[:at] + piece + data[at + len(piece) :]


class Mutator:
    """Damage from one random source."""

    def __init__(self, source: random.Random) -> None:
        self.source = source
        self.pick = source.choice

    def mutate(self, data: bytes) -> bytes:
        """`data`, a good file, with one change or, now and then, two to four."""
        magic = data[:4]
        contents = {b"zkey": self.key_contents, b"r1cs": self.system_contents}[magic]
        for _ in range(self.pick([1, 1, 1, 1, 2, 4])):
            level = self.source.randrange(10)
            parts = split(data)
            if level < 5:
                data = join(magic, contents(parts))
            elif level < 7:
                data = self.container(magic, parts)
                if not is_whole(data):
                    break
            else:
                data = self.raw(data)
                break
        return data

    def number(self, old: int) -> int:
        """An interesting number, or one near the old one."""
        near = [old - 1, old + 1, old ^ (1 << self.source.randrange(32)), 2 * old]
        return self.pick([*NUMBERS, *near]) % 2**32

    def word(self, old: int) -> int:
        """An interesting word, or one that means the same as the old one modulo a prime."""
        near = [old + BASE, old + SCALARS, BASE - old, SCALARS - old, old + 1, old - 1, 2 * old]
        return self.pick([*WORDS, *near, self.source.randrange(2**256)]) % 2**256

    def raw(self, data: bytes) -> bytes:
        """Single bytes, without regard to what they mean."""
        at = self.source.randrange(len(data))
        other = self.source.randrange(len(data))
        length = self.source.randrange(1, 80)
        match self.source.randrange(9):
            case 0:
                return put(data, at, bytes([data[at] ^ (1 << self.source.randrange(8))]))
            case 1:
                return put(data, at, bytes([self.pick([0, 1, 0x7F, 0x80, 0xFF])]))
            case 2 if at + 4 <= len(data):
                return put(data, at, struct.pack("<I", self.pick(NUMBERS)))
            case 3 if at + 8 <= len(data):
                return put(data, at, struct.pack("<Q", self.pick(SIZES)))
            case 4:
                return data[:at]
            case 5:
                return data + self.source.randbytes(length)
            case 6:
                return data[:at] + data[at + length :]
            case 7:
                return data[:at] + data[other : other + length] + data[at:]
        return put(data, at, data[other : other + min(length, len(data) - at)])

    def container(self, magic: bytes, parts: Parts) -> bytes:
        """Sections: gone, twice, swapped, renumbered, shorter, longer; sizes and counts that do not fit."""
        i, j = self.source.randrange(len(parts)), self.source.randrange(len(parts))
        kind, data = parts[i]
        before, after = parts[:i], parts[i + 1 :]
        match self.source.randrange(11):
            case 0:
                return join(magic, before + after)
            case 1:
                return join(magic, [*parts, (kind, data)])
            case 2:
                parts[i], parts[j] = parts[j], parts[i]
                return join(magic, parts)
            case 3:
                return join(magic, [*before, (self.pick([0, 3, 4, 5, 11, 2**32 - 1]), data), *after])
            case 4:
                return join(magic, [*before, (kind, b""), *after])
            case 5:
                return join(magic, [*before, (kind, data[: self.source.randrange(len(data) + 1)]), *after])
            case 6:
                extra = self.source.randbytes(self.pick([1, 4, 8, 32, 44, 64, 128]))
                return join(magic, [*before, (kind, data + extra), *after])
            case 7:
                extra_parts = [(1000 + k, b"") for k in range(self.pick([1, 54, 55, 56, 300]))]
                return join(magic, parts + extra_parts)
            case 8:
                return join(magic, parts, self.pick([*NUMBERS, len(parts) - 1, len(parts) + 1]))
            case 9:
                at = len(join(magic, before)) + 4
                size = self.pick([*SIZES, len(data) - 1, len(data) + 1, 2**64 - at, 2**64 - at - 8])
                return put(join(magic, parts), at, struct.pack("<Q", size % 2**64))
        return self.pick([b"zkey", b"r1cs", b"wtns", magic.upper()]) + join(magic, parts)[4:]

    def key_contents(self, parts: Parts) -> Parts:
        """Counts, points and coefficients of a proving key."""
        sections = dict(parts)
        if not sections.keys() >= {2, 4, *POINT_BYTES}:
            return parts
        change: Callable[[dict[int, bytes]], None] = self.pick(
            [self._key_header, self._point, self._point, self._coefficient, self._coefficient, self._resized]
        )
        change(sections)
        return [(kind, sections[kind]) for kind, _ in parts]

    def _key_header(self, sections: dict[int, bytes]) -> None:
        head = sections[2]
        if len(head) < 660:
            return
        choice = self.source.randrange(5)
        if choice < 2:
            at = self.pick([0, 36, 72, 76, 80])
            sections[2] = put(head, at, struct.pack("<I", self.number(struct.unpack_from("<I", head, at)[0])))
        elif choice == 2:  # a point at infinity, or a good one of the wrong place
            at, size = self.pick([(84, 64), (148, 64), (212, 128), (340, 128), (468, 64), (532, 128)])
            start = self.pick([148, 340])
            sections[2] = put(head, at, self.pick([bytes(size), head[start : start + size]]))
        else:
            at = self.pick([4, 40, *range(84, 660, 32)])
            value = self.word(int.from_bytes(head[at : at + 32], "little"))
            sections[2] = put(head, at, value.to_bytes(32, "little"))

    def _point(self, sections: dict[int, bytes]) -> None:
        """A coordinate changed, or the point replaced by infinity, its negative or another of the section."""
        kind = self.pick(list(POINT_BYTES))
        size, data = POINT_BYTES[kind], sections[kind]
        if len(data) < size:
            return
        count = len(data) // size
        at, other = (size * self.source.randrange(count) for _ in range(2))
        point = data[at : at + size]
        half = size // 2
        match self.source.randrange(6):
            case 0:
                point = bytes(size)
            case 1:
                y = [-int.from_bytes(point[k : k + 32], "little") % BASE for k in range(half, size, 32)]
                point = point[:half] + b"".join(v.to_bytes(32, "little") for v in y)
            case 2:
                point = data[other : other + size]
            case 3:
                data = put(data, at, data[other : other + size])
                at = other
            case _:
                k = 32 * self.source.randrange(size // 32)
                value = self.word(int.from_bytes(point[k : k + 32], "little"))
                point = put(point, k, value.to_bytes(32, "little"))
        sections[kind] = put(data, at, point)

    def _coefficient(self, sections: dict[int, bytes]) -> None:
        data = sections[4]
        if len(data) < 48:
            return
        at = 4 + 44 * self.source.randrange((len(data) - 4) // 44)
        match self.source.randrange(5):
            case 0:
                sections[4] = put(data, 0, struct.pack("<I", self.number(struct.unpack_from("<I", data)[0])))
            case 1 | 2:
                at += self.pick([0, 4, 8])
                number = self.number(struct.unpack_from("<I", data, at)[0])
                sections[4] = put(data, at, struct.pack("<I", number))
            case 3:
                at += 12
                value = self.word(int.from_bytes(data[at : at + 32], "little"))
                sections[4] = put(data, at, value.to_bytes(32, "little"))
            case 4:  # the entry goes to the end, where it means the same
                entry = data[at : at + 44]
                sections[4] = data[:at] + data[at + 44 :] + entry

    def _resized(self, sections: dict[int, bytes]) -> None:
        """Another number of wires, public signals, rows or coefficients, and the sections that go with it."""
        head = sections[2]
        if len(head) < 84:
            return
        wires, public, domain = struct.unpack_from("<III", head, 72)
        match self.source.randrange(6):
            case 0:
                wires += 1
                for kind in (5, 6, 7, 8):
                    sections[kind] += bytes(POINT_BYTES[kind])
            case 1:
                wires -= 1
                for kind in (5, 6, 7, 8):
                    sections[kind] = sections[kind][: -POINT_BYTES[kind]]
            case 2:
                public += 1
                sections[3], sections[8] = sections[3] + sections[8][:64], sections[8][64:]
            case 3:
                domain *= 2
                sections[9] *= 2
            case 4:
                domain //= 2
                sections[9] = sections[9][: 64 * domain]
            case 5:  # a coefficient twice
                (count,) = struct.unpack_from("<I", sections[4])
                sections[4] = struct.pack("<I", (count + 1) % 2**32) + sections[4][4:] + sections[4][-44:]
        sections[2] = put(head, 72, struct.pack("<III", wires % 2**32, public % 2**32, domain % 2**32))

    def system_contents(self, parts: Parts) -> Parts:
        """Counts, wires and coefficients of a constraint system."""
        sections = dict(parts)
        if not sections.keys() >= {1, 2, 3} or len(sections[1]) < 64:
            return parts
        change: Callable[[dict[int, bytes]], None] = self.pick(
            [self._system_header, self._term, self._term, self._term, self._wires]
        )
        change(sections)
        return [(kind, sections[kind]) for kind, _ in parts]

    def _system_header(self, sections: dict[int, bytes]) -> None:
        head = sections[1]
        at = self.pick([0, 36, 40, 44, 48, 52, 56, 60])
        if self.source.randrange(8):
            piece = struct.pack("<I", self.number(struct.unpack_from("<I", head, at)[0]))
        else:
            at, piece = 4, self.word(SCALARS).to_bytes(32, "little")
        sections[1] = put(head, at, piece)

    def _term(self, sections: dict[int, bytes]) -> None:
        """A count, wire or coefficient changed, or two terms of one combination swapped."""
        data, at = sections[2], 0
        counts: list[int] = []
        terms: list[int] = []
        while at + 4 <= len(data):
            (count,) = struct.unpack_from("<I", data, at)
            counts.append(at)
            terms += range(at + 4, min(at + 4 + 36 * count, len(data) - 35), 36)
            at += 4 + 36 * count
        if not terms:
            return
        at = self.pick(terms)
        match self.source.randrange(4):
            case 0:
                at = self.pick(counts)
                piece = struct.pack("<I", self.number(struct.unpack_from("<I", data, at)[0]))
            case 1:
                piece = struct.pack("<I", self.number(struct.unpack_from("<I", data, at)[0]))
            case 2:
                at += 4
                piece = self.word(int.from_bytes(data[at : at + 32], "little")).to_bytes(32, "little")
            case _:
                other = self.pick(terms)
                piece = data[other : other + 36]
        sections[2] = put(data, at, piece)

    def _wires(self, sections: dict[int, bytes]) -> None:
        """One wire, signal or constraint more or less, consistently."""
        wires, outputs, inputs, private, labels, rows = struct.unpack_from("<IIIIQI", sections[1], 36)
        match self.source.randrange(5):
            case 0:
                wires += 1
                sections[3] += bytes(8)
            case 1:
                wires -= 1
                sections[3] = sections[3][:-8]
            case 2:
                rows += 1
                sections[2] += bytes(12)
            case 3:
                outputs, inputs = inputs, outputs
            case 4:
                private = wires - outputs - inputs - 1 + self.pick([0, 0, 1])
        numbers = (wires % 2**32, outputs, inputs, private % 2**32, labels, rows % 2**32)
        sections[1] = put(sections[1], 36, struct.pack("<IIIIQI", *numbers))
