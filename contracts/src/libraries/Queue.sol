// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Entry} from "../interfaces/ILedger.sol";

/// @title Queue
/// @notice What the ledger stores of a deposit.
library Queue {
    /// @notice keccak256(abi.encode(index, depositor, kind, asset, amount, target, owner)).
    function hash(uint64 index, Entry memory entry) internal pure returns (bytes32) {
        return keccak256(abi.encode(index, entry));
    }
}
