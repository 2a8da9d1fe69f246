# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry point of `zkmargin`: errors turned into exit statuses.

Nothing that takes time is imported before `run` does it, so that an interrupt at the keyboard ends quietly
from the first moment on.
"""

from __future__ import annotations

import json
import sys

from zkmargin.errors import ExitStatus, InternalError, UsageError, ZkMarginError

_INTERRUPTED = 130


def _fail(error: ZkMarginError, as_json: bool) -> int:
    if as_json:
        print(json.dumps(error.as_json()), file=sys.stderr)
    else:
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
    return error.exit_status


def _run(arguments: list[str], as_json: bool) -> int:
    import typer
    from typer.exceptions import TyperException

    from zkmargin.cli.app import app

    try:
        result = app(args=arguments, standalone_mode=False)
        return int(result) if isinstance(result, int) else ExitStatus.VALID
    except typer.Exit as stop:
        return int(stop.exit_code)
    except typer.Abort:
        return _INTERRUPTED
    except TyperException as error:
        words = error.format_message() if hasattr(error, "format_message") else str(error)
        if not words:  # called with nothing: the help was shown
            return ExitStatus.USAGE
        return _fail(UsageError(str(words), hint="see `zkmargin --help`"), as_json)


def run(arguments: list[str]) -> int:
    """Run a command; returns its exit status."""
    as_json = "--json" in arguments
    try:
        return _run(arguments, as_json)
    except ZkMarginError as error:
        return _fail(error, as_json)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:
        import traceback

        traceback.print_exc()
        return _fail(InternalError(f"{type(error).__name__}: {error}", hint="please report this"), as_json)


def main() -> None:
    """Entry point of the command."""
    sys.exit(run(sys.argv[1:]))
