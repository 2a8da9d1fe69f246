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

    /// @notice Gas that must be left before a verification: EIP-1108 prices of three multiplications, three additions and a
    /// pairing of four (199,450), the 64th that a call keeps back (3,166), and the code around them (less than 7,384).
    uint256 internal constant GAS_NEEDED = 210_000;

    function requireGas() internal view {
        uint256 left = gasleft();
        if (left < GAS_NEEDED) revert IGroth16Verifier.GasTooLow(left, GAS_NEEDED);
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

    /// @notice (x, y) + factor * (px, py).
    function addMultiple(uint256 x, uint256 y, uint256 px, uint256 py, uint256 factor)
        internal
        view
        returns (uint256, uint256)
    {
        uint256[4] memory io = [px, py, factor, uint256(0)];
        bool done;
        assembly ("memory-safe") {
            done := staticcall(gas(), 7, io, 0x60, io, 0x40)
            mstore(add(io, 0x40), x)
            mstore(add(io, 0x60), y)
            done := and(done, staticcall(gas(), 6, io, 0x80, io, 0x40))
        }
        if (!done) revert IGroth16Verifier.PointInvalid();
        return (io[0], io[1]);
    }

    /// @notice Whether the product of four pairings is one.
    function pairing(uint256[24] memory pairs) internal view returns (bool) {
        uint256[1] memory result;
        bool done;
        assembly ("memory-safe") {
            done := staticcall(gas(), 8, pairs, 0x300, result, 0x20)
        }
        if (!done) revert IGroth16Verifier.PointInvalid();
        return result[0] == 1;
    }
}
