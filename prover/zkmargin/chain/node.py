# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection to a node, and its errors in the package's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from typing import Any

import requests
from web3 import HTTPProvider, Web3
from web3.exceptions import (
    BadResponseFormat,
    ContractLogicError,
    MethodUnavailable,
    ProviderConnectionError,
    RequestTimedOut,
    Web3RPCError,
)
from web3.types import RPCEndpoint

from zkmargin.chain.reverts import revert_error
from zkmargin.errors import BadInput, ChainRejected, ChainUnreachable

TIMEOUT_SECONDS = 30.0


def connect(url: str, *, timeout: float = TIMEOUT_SECONDS) -> Web3:
    """A client of the node at `url`, which answers; ChainUnreachable otherwise."""
    if not url.startswith(("http://", "https://")):
        raise BadInput(f"'{url}' is not the address of a node", hint="give http://HOST:PORT")
    web3 = Web3(HTTPProvider(url, request_kwargs={"timeout": timeout}, exception_retry_configuration=None))
    with chain_errors(url):
        _ = web3.eth.chain_id
    return web3


@contextmanager
def chain_errors(url: str = "") -> Iterator[None]:
    """Turn what web3 raises into the error tree: silence of the node, a revert, any other refusal."""
    at = f" at {url}" if url else ""
    try:
        yield
    except ContractLogicError as error:
        raise revert_error(error.data, error.message or "") from error
    except (requests.exceptions.RequestException, ProviderConnectionError, RequestTimedOut) as error:
        raise ChainUnreachable(f"the node{at} does not answer: {_cause(error)}") from error
    except (BadResponseFormat, MethodUnavailable, JSONDecodeError) as error:
        raise ChainUnreachable(f"what answers{at} is not an Ethereum node: {_cause(error)}") from error
    except Web3RPCError as error:
        raise ChainRejected(f"the node refused: {rpc_message(error)}") from error


def request(web3: Web3, method: RPCEndpoint, parameters: list[Any]) -> Any:
    """The result of a plain JSON-RPC call."""
    with chain_errors():
        return web3.manager.request_blocking(method, parameters)


def rpc_message(error: Web3RPCError) -> str:
    """The node's own words."""
    response = error.rpc_response
    if response is not None and "error" in response:
        detail = response["error"]
        return str(detail.get("message", detail)) if isinstance(detail, dict) else str(detail)
    return error.message or str(error)


def _cause(error: BaseException) -> str:
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "no connection"
    return str(error)[:200]
