# SPDX-License-Identifier: GPL-3.0-or-later
"""WebAssembly settings for compiler and witness generators, and generators without their assertions."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from wasmtime import Config, Engine, FuncType, Module

from zkmargin.errors import CompileError
from zkmargin.toolchain import cache_folder

_CODE_SECTION = 10
_HEADER = 8
_FAIL = b"\x41\x04\x0f\x0b"  # i32.const 4; return; end
_GO_ON = b"\x01\x01\x01\x0b"  # nop; nop; nop; end


def cache_settings() -> Path:
    """Settings file that makes wasmtime keep machine code under `build/cache`: a module compiles once."""
    folder = cache_folder("cache")
    settings = folder / "wasmtime.toml"
    text = f'[cache]\ndirectory = "{folder / "wasmtime"}"\n'
    if not settings.exists() or settings.read_text() != text:
        draft = folder / f"wasmtime.toml.{os.getpid()}"
        draft.write_text(text)
        draft.replace(settings)
    return settings


@cache
def engine() -> Engine:
    """The process's one engine."""
    config = Config()
    config.cache = str(cache_settings())
    return Engine(config)


def _leb(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at


def without_assertions(wasm: bytes) -> tuple[bytes, int]:
    """A witness generator that goes on where `wasm` stops at a failed assertion, and how many such stops.

    The generator still reports each failure. circom has no option for this (`--sanity_check` changes only the
    C++ form), but writes every such stop alike: call printErrorMessage; i32.const 4; return; end. Those two
    instructions become no operations. Stops of other kinds (a signal set twice, an index out of bounds) stay.
    """
    functions = [item.name for item in Module(engine(), wasm).imports if isinstance(item.type, FuncType)]
    if "printErrorMessage" not in functions:
        raise CompileError("this is no witness generator of circom 2: it imports no printErrorMessage")
    report = bytes([0x10, functions.index("printErrorMessage")])
    at = _HEADER
    while at < len(wasm):
        kind = wasm[at]
        size, start = _leb(wasm, at + 1)
        if kind == _CODE_SECTION:
            code = wasm[start : start + size]
            changed = code.replace(report + _FAIL, report + _GO_ON)
            return wasm[:start] + changed + wasm[start + size :], code.count(report + _FAIL)
        at = start + size
    raise CompileError("this is no witness generator of circom 2: it has no code")
