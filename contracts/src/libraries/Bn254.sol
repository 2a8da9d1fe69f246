// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IGroth16Verifier} from "../interfaces/IGroth16Verifier.sol";
import {Protocol} from "../generated/Protocol.sol";

/// @title Bn254
/// @notice The curve's precompiles, with every failure a named revert.
/// @dev A precompile that is handed bad input burns the gas it was given and fails exactly as when it was given too little.
/// `requireGas` rules the second out beforehand, so that a failure afterwards means bad input.
library Bn254 {
    uint256 internal constant SCALAR_MODULUS = Protocol.FIELD_MODULUS;
    uint256 internal constant BASE_MODULUS =
        21888242871839275222246405745257275088696311157297823662689037894645226208583;

    /// @notice Gas that must be left before a verification of `proofs` statements about at most `circuits` circuits: EIP-1108 prices (a pairing of n
    /// pairs 45,000 + 34,000 n, a multiplication 6,000, an addition 150), the 64th that a call keeps back, and the code around them.
    function gasNeeded(uint256 proofs, uint256 circuits) internal pure returns (uint256) {
        return 130_000 + 54_000 * proofs + 64_000 * (proofs < circuits ? proofs : circuits);
    }

    /// @notice Reverts unless that much gas is left.
    function requireGas(uint256 proofs, uint256 circuits) internal view {
        uint256 left = gasleft();
        uint256 needed = gasNeeded(proofs, circuits);
        if (left < needed) revert IGroth16Verifier.GasTooLow(left, needed);
    }

    /// @notice Reverts unless `point` is on the curve and not at infinity.
    function checkG1(uint256[2] memory point) internal view {
        if (point[0] == 0 && point[1] == 0) revert IGroth16Verifier.KeyPointAtInfinity();
        uint256[4] memory io = [point[0], point[1], uint256(0), 0];
        bool done;
        assembly ("memory-safe") {
            done := staticcall(gas(), 6, io, 0x80, io, 0x40)
        }
        if (!done) revert IGroth16Verifier.PointInvalid();
    }

    /// @notice Reverts unless `point` is in the group of the twist and not at infinity.
    function checkG2(uint256[4] memory point) internal view {
        if (point[0] == 0 && point[1] == 0 && point[2] == 0 && point[3] == 0) {
            revert IGroth16Verifier.KeyPointAtInfinity();
        }
        // A pairing with the generator of G1, whatever its value: the precompile fails for a point outside the group.
        uint256[6] memory io = [uint256(1), 2, point[0], point[1], point[2], point[3]];
        bool done;
        assembly ("memory-safe") {
            done := staticcall(gas(), 8, io, 0xc0, io, 0x20)
        }
        if (!done) revert IGroth16Verifier.PointInvalid();
    }

    /// @notice The opposite of (x, y), which is not checked to be on the curve: the pairing does that.
    function negate(uint256 x, uint256 y) internal pure returns (uint256, uint256) {
        if (y >= BASE_MODULUS) revert IGroth16Verifier.PointInvalid();
        return (x, y == 0 ? 0 : BASE_MODULUS - y);
    }

    /// @notice factor * point. Times 1 it is returned unchecked: whatever takes it next checks it.
    function multiply(uint256[2] memory point, uint256 factor) internal view returns (uint256[2] memory product) {
        if (factor == 1) return point;
        uint256[3] memory input = [point[0], point[1], factor];
        bool done;
        assembly ("memory-safe") {
            done := staticcall(gas(), 7, input, 0x60, product, 0x40)
        }
        if (!done) revert IGroth16Verifier.PointInvalid();
    }

    /// @notice first + second.
    function add(uint256[2] memory first, uint256[2] memory second) internal view returns (uint256[2] memory sum) {
        uint256[4] memory input = [first[0], first[1], second[0], second[1]];
        bool done;
        assembly ("memory-safe") {
            done := staticcall(gas(), 6, input, 0x80, sum, 0x40)
        }
        if (!done) revert IGroth16Verifier.PointInvalid();
    }

    /// @notice Whether the product of the pairings in the first `words` words, six to a pair, is one.
    function pairing(uint256[] memory pairs, uint256 words) internal view returns (bool) {
        uint256[1] memory result;
        bool done;
        assembly ("memory-safe") {
            done := staticcall(gas(), 8, add(pairs, 0x20), shl(5, words), result, 0x20)
        }
        if (!done) revert IGroth16Verifier.PointInvalid();
        return result[0] == 1;
    }
}
