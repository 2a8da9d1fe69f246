# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin demo`: replay a crash through the whole system."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zkmargin.demo.population import TRADERS
from zkmargin.demo.run import Options, run_demo


def demo_command(
    out: Annotated[
        Path, typer.Option(help="Folder for the summary, the bundle and the sequencer's files.")
    ] = Path("build/demo"),
    prices: Annotated[
        Path | None, typer.Option(help="Price file to replay in place of the project's own table.")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(help="native, groth16py or snarkjs; the fastest built if not given.")
    ] = None,
    ticks: Annotated[int | None, typer.Option(help="Replay fewer ticks.", min=1)] = None,
    traders: Annotated[
        int, typer.Option(help="How many people trade, besides market makers.", min=4)
    ] = TRADERS,
    cluster: Annotated[
        str | None,
        typer.Option(envvar="ZKMARGIN_CLUSTER", help="HOST:PORT of a Ray cluster to prove on."),
    ] = None,
    keep_running: Annotated[
        bool,
        typer.Option(
            "--keep-running",
            help="Then keep node and sequencer running, at the last prices, and take what is submitted.",
        ),
    ] = False,
) -> None:
    """Replay a crash: margin, liquidate, prove, post and audit every batch on a node of its own.

    The folder is replaced, unless anything but a demo made it.
    """
    run_demo(out, Options(prices, backend, ticks, traders, cluster, keep_running))
