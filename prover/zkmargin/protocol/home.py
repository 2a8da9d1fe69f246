# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the project stands on this machine.

The home folder holds the sources, `node_modules/` and `build/`. It is $ZKMARGIN_HOME if that is set, else
the source tree this package is imported from, else the nearest folder at or above the working directory that
has them.
"""

from __future__ import annotations

import os
from pathlib import Path

from zkmargin.errors import MissingData, UsageError

_MARKS = ("foundry.toml", "package.json")


def _is_home(folder: Path) -> bool:
    return all((folder / mark).exists() for mark in _MARKS)


def home() -> Path:
    """The home folder; raises UsageError for a wrong $ZKMARGIN_HOME, MissingData when there is none."""
    named = os.environ.get("ZKMARGIN_HOME")
    if named:
        folder = Path(named).resolve()
        if not folder.is_dir():
            raise UsageError(
                f"ZKMARGIN_HOME names {named}, which is not a folder", hint="set it to the source tree"
            )
        return folder
    here = Path(__file__).resolve()
    for folder in (*here.parents, Path.cwd(), *Path.cwd().parents):
        if _is_home(folder):
            return folder
    raise MissingData(
        "the source tree of zkmargin is not to be found from here",
        hint="run the command inside it, or set ZKMARGIN_HOME to it",
    )


def build_folder() -> Path:
    """The folder of everything generated; $ZKMARGIN_BUILD overrides `build/` of the home folder."""
    named = os.environ.get("ZKMARGIN_BUILD")
    return Path(named).resolve() if named else home() / "build"
