# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the circom compiler, a WebAssembly program, with the arguments of the command line.

    _circom.py COMPILER CACHE_SETTINGS ARGUMENT...

A script of its own, run in a process of its own: the compiler takes gigabytes that a WebAssembly memory never
gives back.
"""

from __future__ import annotations

import sys

from wasmtime import Config, Engine, ExitTrap, Linker, Module, Store, Trap, WasiConfig, WasmtimeError

OUT_OF_MEMORY = 77


def main(arguments: list[str]) -> int:
    """Exit status of the compiler, or OUT_OF_MEMORY when it was stopped by a trap."""
    compiler, cache_settings, *options = arguments
    config = Config()
    config.cache = cache_settings
    engine = Engine(config)
    module = Module.from_file(engine, compiler)
    linker = Linker(engine)
    linker.define_wasi()
    store = Store(engine)
    wasi = WasiConfig()
    wasi.argv = ["circom", *options]
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    wasi.preopen_dir("/", "/")
    store.set_wasi(wasi)
    instance = linker.instantiate(store, module)
    start = instance.exports(store)["_start"]
    try:
        start(store)  # type: ignore[operator]
    except ExitTrap as stop:
        return int(stop.code)
    except (Trap, WasmtimeError) as stop:
        sys.stderr.write(f"{stop}\n")
        return OUT_OF_MEMORY
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
