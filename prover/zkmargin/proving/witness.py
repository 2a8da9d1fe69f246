# SPDX-License-Identifier: GPL-3.0-or-later
"""Witnesses, computed in this process by the circuit's own WebAssembly program.

A witness is bytes: one 32-byte little-endian field element per wire, wire 0 first; `write_wtns` makes the
snarkjs file of it. A generator keeps its instance warm between witnesses; use one per process, from one
thread at a time.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from wasmtime import Func, FuncType, Instance, Linker, Memory, Module, Store, Trap, ValType, WasmtimeError

from zkmargin.circuits.compile import Artifacts
from zkmargin.circuits.r1cs import FIELD_BYTES, MODULUS
from zkmargin.circuits.wasm import engine
from zkmargin.errors import BadInput, WitnessError
from zkmargin.proving.failures import Failure, SourceMap

_PAGE = 65536
_CODES = {
    1: "an input signal is unknown to the generator",
    2: "more input values than the circuit has",
    3: "a signal was set twice",
    4: "an assertion failed",
    5: "not enough memory",
    6: "an input has more elements than its signal",
    7: "an array index is out of bounds",
}
# Moves values in and out in one call each: the instance's own interface passes one element at a time.
_MOVER = """
(module
  (import "circuit" "memory" (memory 1))
  (import "circuit" "getWitness" (func $get (param i32)))
  (import "circuit" "setInputSignal" (func $set (param i32 i32 i32)))
  (func (export "feed") (param $hi i32) (param $lo i32) (param $n i32) (param $from i32) (param $shared i32)
    (local $i i32)
    (block $end (loop $next
      (br_if $end (i32.ge_u (local.get $i) (local.get $n)))
      (memory.copy (local.get $shared) (local.get $from) (i32.const 32))
      (call $set (local.get $hi) (local.get $lo) (local.get $i))
      (local.set $from (i32.add (local.get $from) (i32.const 32)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next))))
  (func (export "dump") (param $n i32) (param $shared i32) (param $to i32)
    (local $i i32)
    (block $end (loop $next
      (br_if $end (i32.ge_u (local.get $i) (local.get $n)))
      (call $get (local.get $i))
      (memory.copy (local.get $to) (local.get $shared) (i32.const 32))
      (local.set $to (i32.add (local.get $to) (i32.const 32)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))))
"""

Inputs = Mapping[str, Any]


class _Stop(Exception):
    """The generator reported an error code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def _fnv(name: str) -> tuple[int, int]:
    """circom's hash of a signal name (64-bit FNV-1a) as two signed 32-bit halves."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    high, low = struct.unpack(">ii", value.to_bytes(8, "big"))
    return high, low


class WitnessGenerator:
    """Computes witnesses of one circuit.

    With `checked` false the generator goes on after a failed assertion or constraint and leaves the failures
    in `failures`: so a test builds a complete witness of a false statement and asks the constraint system
    about it.
    """

    def __init__(self, artifacts: Artifacts, *, checked: bool = True) -> None:
        self.artifacts = artifacts
        self.failures: list[Failure] = []
        self._messages: list[str] = []
        path = artifacts.wasm if checked else artifacts.unchecked_wasm()
        self._module = Module.from_file(engine(), str(path))
        self._mover_module = Module(engine(), _MOVER)
        self._start()

    @cached_property
    def _source_map(self) -> SourceMap:
        return SourceMap(self.artifacts.folder / "sources.json")

    def _start(self) -> None:
        """A fresh instance, its memory grown by a buffer for values on their way in or out."""
        self._store = Store(engine())
        linker = Linker(engine())
        number = ValType.i32()

        def stop(code: int) -> None:
            raise _Stop(code)

        def note() -> None:
            self._messages.append(self._message())

        def drop() -> None:
            self._message()

        handlers: dict[str, tuple[FuncType, Callable[..., None]]] = {
            "exceptionHandler": (FuncType([number], []), stop),
            "printErrorMessage": (FuncType([], []), note),
            "writeBufferMessage": (FuncType([], []), drop),
            "showSharedRWMemory": (FuncType([], []), lambda: None),
        }
        for name, (kind, handler) in handlers.items():
            linker.define_func("runtime", name, kind, handler)
        exports = linker.instantiate(self._store, self._module).exports(self._store)
        self._exports: dict[str, Any] = {name: exports[name] for name in (
            "init", "getWitnessSize", "getSharedRWMemoryStart", "getMessageChar")}  # fmt: skip
        memory = exports["memory"]
        assert isinstance(memory, Memory)
        self._memory = memory
        passed = [exports[name] for name in ("memory", "getWitness", "setInputSignal")]
        mover = Instance(self._store, self._mover_module, passed).exports(self._store)
        feed, dump = mover["feed"], mover["dump"]
        assert isinstance(feed, Func)
        assert isinstance(dump, Func)
        self._feed, self._dump = feed, dump
        self._size = int(self._exports["getWitnessSize"](self._store))
        self._shared = int(self._exports["getSharedRWMemoryStart"](self._store))
        self._buffer = memory.data_len(self._store)
        inputs = sum(_volume(sizes) for sizes in self.artifacts.inputs.values())
        memory.grow(self._store, -(-FIELD_BYTES * max(self._size, inputs) // _PAGE))

    def _message(self) -> str:
        letters = []
        while letter := self._exports["getMessageChar"](self._store):
            letters.append(chr(letter))
        return "".join(letters).strip()

    def compute(self, inputs: Inputs) -> bytes:
        """The witness for `inputs`: signal names to ints, or nested lists of them in the signal's dimensions.

        A negative int stands for itself plus the modulus. Raises BadInput naming an unknown, missing or
        mis-sized input, and WitnessError naming the failed assertion with its source line.
        """
        values = encode_inputs(self.artifacts, inputs)
        store = self._store
        self._messages.clear()
        self.failures = []
        try:
            self._exports["init"](store, 1)
            for name, data in values.items():
                self._memory.write(store, data, self._buffer)
                high, low = _fnv(name)
                self._feed(store, high, low, len(data) // FIELD_BYTES, self._buffer, self._shared)
            self._dump(store, self._size, self._shared, self._buffer)
            witness = bytes(self._memory.read(store, self._buffer, self._buffer + FIELD_BYTES * self._size))
        except (_Stop, Trap, WasmtimeError) as stop:
            messages = list(self._messages)
            self._start()  # the old instance may have stopped half-way through a component
            raise self._error(stop, messages) from None
        self.failures = self._source_map.failures(self._messages)
        return witness

    def _error(self, stop: Exception, messages: list[str]) -> WitnessError:
        code = stop.code if isinstance(stop, _Stop) else 0
        reason = _CODES.get(code, f"the generator stopped ({str(stop).strip()})")
        where = "; ".join(str(failure) for failure in self._source_map.failures(messages))
        return WitnessError(
            f"no witness for circuit {self.artifacts.key}: {reason}" + (f": {where}" if where else ""),
            hint="the inputs do not meet what the circuit states",
        )


def _volume(sizes: tuple[int, ...]) -> int:
    volume = 1
    for size in sizes:
        volume *= size
    return volume


def encode_inputs(artifacts: Artifacts, inputs: Inputs) -> dict[str, bytes]:
    """Inputs as the generator takes them, checked against the circuit's input signals."""
    expected = artifacts.inputs
    unknown = sorted(set(inputs) - set(expected))
    missing = sorted(set(expected) - set(inputs))
    if unknown or missing:
        parts = [f"unknown: {', '.join(unknown)}"] * bool(unknown) + [
            f"missing: {', '.join(missing)}"
        ] * bool(missing)
        raise BadInput(f"inputs of circuit {artifacts.key} do not match its signals; {'; '.join(parts)}")
    return {name: _flatten(artifacts.key, name, inputs[name], sizes) for name, sizes in expected.items()}


def _flatten(circuit: str, name: str, value: Any, sizes: tuple[int, ...]) -> bytes:
    flat: list[bytes] = []

    def walk(item: Any, path: str, rest: tuple[int, ...]) -> None:
        if not rest:
            if isinstance(item, (list, tuple)) or not hasattr(item, "__index__"):
                raise BadInput(f"input {path} of circuit {circuit} is one number, not {type(item).__name__}")
            number = item.__index__()
            if not -MODULUS < number < MODULUS:
                raise BadInput(f"input {path} of circuit {circuit} is outside the field")
            flat.append((number % MODULUS).to_bytes(FIELD_BYTES, "little"))
            return
        if not hasattr(item, "__len__") or len(item) != rest[0]:
            found = len(item) if hasattr(item, "__len__") else "a single number"
            raise BadInput(f"input {path} of circuit {circuit} has {rest[0]} elements, given: {found}")
        for index, element in enumerate(item):
            walk(element, f"{path}[{index}]", rest[1:])

    walk(value, name, sizes)
    return b"".join(flat)


def element(witness: bytes, wire: int) -> int:
    """The value of one wire."""
    return int.from_bytes(witness[FIELD_BYTES * wire : FIELD_BYTES * (wire + 1)], "little")


def public_signals(artifacts: Artifacts, witness: bytes) -> tuple[int, ...]:
    """The public signals in a witness: wires 1 to their number."""
    return tuple(element(witness, wire) for wire in range(1, artifacts.public_signals + 1))


def write_wtns(path: Path, witness: bytes) -> None:
    """Write a witness as a snarkjs .wtns file (version 2)."""
    head = b"wtns" + struct.pack("<II", 2, 2)
    field = struct.pack("<I", FIELD_BYTES) + MODULUS.to_bytes(FIELD_BYTES, "little")
    shape = struct.pack("<IQ", 1, len(field) + 4) + field + struct.pack("<I", len(witness) // FIELD_BYTES)
    with path.open("wb") as file:
        file.write(head + shape + struct.pack("<IQ", 2, len(witness)))
        file.write(witness)


def read_wtns(path: Path) -> bytes:
    """The witness in a .wtns file; raises BadInput when it is not one."""
    data = path.read_bytes()
    if data[:4] != b"wtns":
        raise BadInput(f"{path} is not a .wtns file")
    at, found = 12, b""
    for _ in range(struct.unpack_from("<I", data, 8)[0]):
        kind, size = struct.unpack_from("<IQ", data, at)
        if kind == 2:
            found = data[at + 12 : at + 12 + size]
        at += 12 + size
    return found
