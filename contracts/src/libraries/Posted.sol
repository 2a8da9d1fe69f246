// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {ILedger} from "../interfaces/ILedger.sol";
import {Protocol} from "../generated/Protocol.sol";

/// @title Posted
/// @notice The words of a batch and what binds them to a proof.
///
/// A proof speaks about words d_0 .. d_(n-1) below 2^248 through three public signals: C, a Poseidon hash of them that this
/// contract can't afford to compute; r, a challenge that depends on C and on every word; and y = sum d_i r^i. The circuit computes
/// C and y from its own words. Would these differ from the posted ones, two polynomials of degree below n would agree at r, which
/// was drawn after both were fixed: a chance of about n * 2^-248 for each hash tried.
library Posted {
    /// @notice A copy of the calldata words, ready for the contract's own.
    /// @param count How many words this batch has.
    /// @param written How many leading words the contract writes: 0 in calldata.
    function read(uint256[] calldata words, uint256 count, uint256 written)
        internal
        pure
        returns (uint256[] memory posted)
    {
        if (words.length != count) revert ILedger.WordCountWrong(words.length, count);
        posted = words;

        // Yul: one comparison for all words instead of two bounds checks and a branch for each, some 60 gas a word.
        uint256 union;
        assembly ("memory-safe") {
            let end := add(add(posted, 0x20), shl(5, count))
            for { let at := add(posted, 0x20) } lt(at, end) { at := add(at, 0x20) } { union := or(union, mload(at)) }
        }
        if (union >> Protocol.BITS_WORD != 0) _revertOversized(posted);
        for (uint256 i = 0; i < written; i++) requireUnwritten(posted, i);
    }

    /// @notice Reverts unless word `index`, which the contract is about to write, is 0 in calldata.
    function requireUnwritten(uint256[] memory posted, uint256 index) internal pure {
        if (posted[index] != 0) revert ILedger.WordNotZero(index);
    }

    /// @notice Writes `value` as words `index` (above 128 bits) and `index + 1`.
    function put(uint256[] memory posted, uint256 index, uint256 value) internal pure {
        posted[index] = value >> 128;
        posted[index + 1] = uint128(value);
    }

    /// @notice The field element in words `index` and `index + 1`.
    function take(uint256[] memory posted, uint256 index) internal pure returns (uint256 value) {
        (uint256 hi, uint256 lo) = (posted[index], posted[index + 1]);
        if (hi >> 128 != 0 || lo >> 128 != 0) revert ILedger.HalfTooLarge(index);
        value = (hi << 128) | lo;
        requireInField(value);
    }

    /// @notice Reverts for a value at or above the scalar field's modulus, which would alias a smaller one.
    function requireInField(uint256 value) internal pure {
        if (value >= Protocol.FIELD_MODULUS) revert ILedger.NotInField(value);
    }

    /// @notice The first word: number of words, circuit, version of the protocol.
    function header(uint256 count, uint256 circuit) internal pure returns (uint256) {
        return (count << Protocol.HEADER_WORDS_SHIFT) | (circuit << Protocol.HEADER_CIRCUIT_SHIFT)
            | (Protocol.VERSION << Protocol.HEADER_VERSION_SHIFT);
    }

    /// @notice The second word: this ledger on this chain.
    function domain(address ledger) internal view returns (uint256) {
        return (uint256(uint160(ledger)) << Protocol.DOMAIN_LEDGER_SHIFT)
            | (block.chainid << Protocol.DOMAIN_CHAIN_ID_SHIFT);
    }

    /// @notice The public signals C, r, y.
    /// @param commitment C, below the modulus (checked here, before it is hashed or multiplied).
    function signals(uint256[] memory posted, uint256 commitment, address ledger)
        internal
        view
        returns (uint256[3] memory)
    {
        requireInField(commitment);
        uint256 r = challenge(posted, commitment, ledger);
        return [commitment, r, evaluate(posted, r)];
    }

    /// @notice r, below the modulus. Another chain, ledger, commitment or word gives another.
    /// @dev Not of the batch's number: root and tick are among the words, so a proof fits where the ledger stands as it did when it was made, whatever
    /// others posted before.
    function challenge(uint256[] memory posted, uint256 commitment, address ledger)
        internal
        view
        returns (uint256)
    {
        bytes32 label = Protocol.CHALLENGE_DOMAIN;
        uint256 digest;
        // Yul: keccak256(abi.encode(label, chain id, ledger, commitment, posted)). The compiler's encoder goes through an
        // array word by word, some 100 gas each; a copy of memory costs 3.
        assembly ("memory-safe") {
            let data := mload(0x40)
            let size := add(0x20, shl(5, mload(posted)))
            mstore(data, label)
            mstore(add(data, 0x20), chainid())
            mstore(add(data, 0x40), and(ledger, 0xffffffffffffffffffffffffffffffffffffffff))
            mstore(add(data, 0x60), commitment)
            mstore(add(data, 0x80), 0xa0)
            mcopy(add(data, 0xa0), posted, size)
            digest := keccak256(data, add(0xa0, size))
        }
        return digest % Protocol.FIELD_MODULUS;
    }

    /// @notice y = sum posted[i] * point^i modulo the field's modulus, by Horner's rule.
    /// @param point Below the modulus; the words are below 2^248, so below it too.
    function evaluate(uint256[] memory posted, uint256 point) internal pure returns (uint256 total) {
        uint256 modulus = Protocol.FIELD_MODULUS;
        // Yul: 48 gas a word; Solidity's bounds checks and its test for a modulus of 0 would double that.
        assembly ("memory-safe") {
            for { let at := add(posted, shl(5, mload(posted))) } gt(at, posted) { at := sub(at, 0x20) } {
                total := addmod(mulmod(total, point, modulus), mload(at), modulus)
            }
        }
    }

    function _revertOversized(uint256[] memory posted) private pure {
        uint256 index = 0;
        while (posted[index] >> Protocol.BITS_WORD == 0) index++;
        revert ILedger.WordTooLarge(index);
    }
}
