# SPDX-License-Identifier: GPL-3.0-or-later
"""The node process and what is said when there is none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from zkmargin.chain.anvil import anvil
from zkmargin.chain.client import LedgerClient
from zkmargin.chain.node import connect
from zkmargin.errors import BadInput, ChainUnreachable, ExitStatus

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("chain")]

_PARENT = """
import time
from zkmargin.chain.anvil import anvil
with anvil() as node:
    print(node.pid, flush=True)
    time.sleep(60)
"""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_nodes_side_by_side() -> None:
    with anvil() as first, anvil(chain_id=1337, timestamp=1_000_000) as second:
        assert first.url != second.url
        assert (first.web3.eth.chain_id, second.web3.eth.chain_id) == (31337, 1337)
        assert second.web3.eth.get_block(0)["timestamp"] == 1_000_000
        second.next_block_at(1_003_600)
        second.mine()
        assert second.web3.eth.get_block("latest")["timestamp"] == 1_003_600
        pids = (first.pid, second.pid)
    assert not any(_alive(pid) for pid in pids)


def test_state_is_kept(tmp_path: Path) -> None:
    account, state = "0x" + "22" * 20, tmp_path / "state.json"
    with anvil(state=state) as node:
        node.fund(account, 12345)
        node.mine(3)
    with anvil(state=state) as node:
        assert node.web3.eth.get_balance(node.web3.to_checksum_address(account)) == 12345
        assert node.web3.eth.block_number == 3


def test_port_in_use_is_said() -> None:
    with anvil() as node:
        port = int(node.url.rsplit(":", 1)[1])
        with pytest.raises(ChainUnreachable, match="did not start"), anvil(port=port):
            pass


def test_node_ends_with_its_parent() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": _path()}
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert _alive(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(pid)


def _path() -> str:
    import zkmargin

    return str(Path(zkmargin.__file__).parents[1])


def test_no_node_is_retryable() -> None:
    with pytest.raises(ChainUnreachable) as caught:
        LedgerClient.at("http://127.0.0.1:9", "0x" + "11" * 20)
    assert caught.value.exit_status == ExitStatus.UNREACHABLE
    assert caught.value.retryable
    assert "127.0.0.1:9" in str(caught.value)


def test_node_that_goes_away() -> None:
    with anvil() as node:
        web3 = node.web3
    with pytest.raises(ChainUnreachable):
        connect(node.url)
    del web3


def test_address_that_is_none() -> None:
    with pytest.raises(BadInput, match="not the address of a node"):
        connect("ledger.example")


class _NotANode(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, *_: object) -> None:
        pass


def test_server_that_is_no_node() -> None:
    server = HTTPServer(("127.0.0.1", 0), _NotANode)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with pytest.raises(ChainUnreachable):
            connect(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
