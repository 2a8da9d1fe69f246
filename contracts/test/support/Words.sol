// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Entry} from "../../src/interfaces/ILedger.sol";
import {Protocol} from "../../src/generated/Protocol.sol";

/// @notice What a poster computes: the contract's words filled in, and C, r, y. Written apart from the contract's libraries, with literal
/// places and powers instead of Horner's rule, so that the two can disagree.
library Words {
    uint256 private constant P = Protocol.FIELD_MODULUS;

    function fillSettle(
        uint256[] memory words,
        Entry[] memory entries,
        address ledger,
        uint256 root,
        uint256 tick
    ) internal view returns (uint256[] memory filled) {
        filled = copy(words);
        filled[0] = words.length | (2 << 16) | (1 << 32);
        filled[1] = uint256(uint160(ledger)) | (block.chainid << 160);
        (filled[2], filled[3]) = (root >> 128, root & type(uint128).max);
        (filled[4], filled[5]) = (tick >> 128, tick & type(uint128).max);
        uint256 used;
        for (uint256 i = 8; i + 4 <= words.length && used < entries.length; i += 4) {
            if (words[i] & 0xff != 1) continue;
            Entry memory entry = entries[used++];
            filled[i + 1] = uint256(uint160(entry.depositor)) | (uint256(entry.amount) << 160)
                | (uint256(entry.asset) << 224) | (uint256(entry.kind) << 236);
            filled[i + 2] = (uint256(entry.owner) >> 128) | (uint256(entry.target) << 128);
            filled[i + 3] = uint256(entry.owner) & type(uint128).max;
        }
    }

    function fillRoots(uint256[] memory words, uint256 circuit, address ledger, uint256 root, uint256 tick)
        internal
        view
        returns (uint256[] memory filled)
    {
        filled = copy(words);
        filled[0] = words.length | (circuit << 16) | (1 << 32);
        filled[1] = uint256(uint160(ledger)) | (block.chainid << 160);
        (filled[2], filled[3]) = (root >> 128, root & type(uint128).max);
        (filled[4], filled[5]) = (tick >> 128, tick & type(uint128).max);
    }

    function fillTick(uint256[] memory words, address ledger, uint256 previous, uint256 params)
        internal
        view
        returns (uint256[] memory filled)
    {
        filled = copy(words);
        filled[0] = words.length | (1 << 16) | (1 << 32);
        filled[1] = uint256(uint160(ledger)) | (block.chainid << 160);
        (filled[2], filled[3]) = (previous >> 128, previous & type(uint128).max);
        (filled[4], filled[5]) = (params >> 128, params & type(uint128).max);
    }

    function signals(uint256[] memory filled, address ledger, uint256 commitment)
        internal
        view
        returns (uint256[3] memory)
    {
        bytes32 label = keccak256("zkmargin.challenge.v1");
        uint256 r = uint256(keccak256(abi.encode(label, block.chainid, ledger, commitment, filled))) % P;
        uint256 y = 0;
        uint256 power = 1;
        for (uint256 i = 0; i < filled.length; i++) {
            y = addmod(y, mulmod(filled[i], power, P), P);
            power = mulmod(power, r, P);
        }
        return [commitment, r, y];
    }

    function copy(uint256[] memory words) internal pure returns (uint256[] memory made) {
        made = new uint256[](words.length);
        for (uint256 i = 0; i < words.length; i++) made[i] = words[i];
    }
}
