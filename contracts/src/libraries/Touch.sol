// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Entry} from "../interfaces/ILedger.sol";
import {Posted} from "./Posted.sol";
import {Protocol} from "../generated/Protocol.sol";

/// @title Touch
/// @notice The words of one touch, as far as the contract reads or writes them.
library Touch {
    /// @notice Operation of a touch, from its word `touch`.
    function op(uint256 head) internal pure returns (uint256) {
        return (head >> Protocol.TOUCH_OP_SHIFT) & ((1 << Protocol.TOUCH_OP_BITS) - 1);
    }

    /// @notice Whether a deposit was performed; it is refunded if not.
    function performed(uint256 head) internal pure returns (bool) {
        return (head >> Protocol.TOUCH_FLAG_SHIFT) & 1 == 1;
    }

    /// @notice What a withdrawal pays, from its word `l1`, whose fields the circuit has put in their ranges.
    function payout(uint256 l1) internal pure returns (address account, uint16 asset, uint64 amount) {
        account = address(uint160(l1 >> Protocol.L1_ADDRESS_SHIFT));
        asset = uint16((l1 >> Protocol.L1_ASSET_SHIFT) & ((1 << Protocol.L1_ASSET_BITS) - 1));
        amount = uint64(l1 >> Protocol.L1_AMOUNT_SHIFT);
    }

    /// @notice Writes words `l1`, `target`, `owner_lo` of the deposit touch at word `start`; they are 0 in calldata.
    function writeEntry(uint256[] memory posted, uint256 start, Entry memory entry) internal pure {
        Posted.requireUnwritten(posted, start + Protocol.SETTLE_AT_L1);
        Posted.requireUnwritten(posted, start + Protocol.SETTLE_AT_TARGET);
        Posted.requireUnwritten(posted, start + Protocol.SETTLE_AT_OWNER_LO);
        uint256 owner = uint256(entry.owner);
        posted[start + Protocol.SETTLE_AT_L1] = (uint256(uint160(entry.depositor)) << Protocol.L1_ADDRESS_SHIFT)
            | (uint256(entry.amount) << Protocol.L1_AMOUNT_SHIFT) | (uint256(entry.asset) << Protocol.L1_ASSET_SHIFT)
            | (uint256(entry.kind) << Protocol.L1_KIND_SHIFT);
        posted[start + Protocol.SETTLE_AT_TARGET] = ((owner >> 128) << Protocol.TARGET_OWNER_HI_SHIFT)
            | (uint256(entry.target) << Protocol.TARGET_ACCOUNT_ID_SHIFT);
        posted[start + Protocol.SETTLE_AT_OWNER_LO] = uint128(owner);
    }
}
