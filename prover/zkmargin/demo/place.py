# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder a demo writes into: its own, which the next demo replaces, or a new one.

A mark tells a demo's folder from any other. One without it, or with a file in it that no demo writes, is left
alone.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from zkmargin.errors import UsageError

MARK = ".zkmargin-demo"
_FOLDERS = ("sequencer", "bundle", "keys", "proofs", "operations")
_FILES = ("deployment.json", "summary.json", "people.json")
NAMES = (MARK, *_FOLDERS, *_FILES)
"""Everything a demo writes into its folder."""

_WORDS = "`zkmargin demo` made this folder, and replaces it when it runs again.\n"


def check_place(folder: Path) -> None:
    """Raise `UsageError` unless a demo may write to `folder`; nothing is changed."""
    hint = "name a new or empty folder with --out"
    if folder.is_symlink() or folder.exists():
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder", hint=hint)
        held = sorted(path.name for path in folder.iterdir())
        if held and MARK not in held:
            raise UsageError(f"{folder} is not empty, and no demo made it (it holds {held[0]})", hint=hint)
        strange = [name for name in held if name not in NAMES]
        if strange:
            raise UsageError(f"{folder} holds {strange[0]}, which no demo wrote", hint=hint)
    above = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise UsageError(f"{folder} can't be made or written: {above} is not writable", hint=hint)


def take_place(folder: Path) -> None:
    """Make `folder` ready and empty, with the mark; what an earlier demo left in it goes."""
    check_place(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(_WORDS)
    for path in (folder / name for name in NAMES if name != MARK):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
