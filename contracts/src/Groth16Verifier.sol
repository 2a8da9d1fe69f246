// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {CircuitKey, IGroth16Verifier, Statement, VerifyingKeys} from "./interfaces/IGroth16Verifier.sol";
import {Bn254} from "./libraries/Bn254.sol";

/// @title Groth16Verifier
/// @notice See the interface. The keys are the code of a contract of their own, which costs a twentieth of reading them from storage.
contract Groth16Verifier is IGroth16Verifier {
    // The keys as words: alpha 2, beta 4, gamma 4, then of each circuit delta 4, ic 8.
    uint256 private constant BETA = 2;
    uint256 private constant GAMMA = 6;
    uint256 private constant CIRCUITS = 10;
    uint256 private constant IC = 4;
    uint256 private constant CIRCUIT_WORDS = 12;

    /// @dev What the statements add up to, each times its exponent: of all, and of each circuit the signals (after the number of proofs) and C.
    struct Sums {
        uint256 exponents;
        uint256[4][] scalars;
        uint256[2][] points;
    }

    address private immutable _keys;

    /// @param keys Checked by the precompiles: points on their curves and in their groups, none at infinity; gamma and the deltas differ.
    constructor(VerifyingKeys memory keys) {
        Bn254.checkG1(keys.alpha);
        Bn254.checkG2(keys.beta);
        Bn254.checkG2(keys.gamma);
        bytes memory flat = abi.encode(keys.alpha, keys.beta, keys.gamma);
        for (uint256 i = 0; i < keys.circuits.length; i++) {
            CircuitKey memory key = keys.circuits[i];
            Bn254.checkG2(key.delta);
            for (uint256 j = 0; j < 4; j++) Bn254.checkG1(key.ic[j]);
            _requireOther(key.delta, keys.gamma);
            for (uint256 j = 0; j < i; j++) _requireOther(key.delta, keys.circuits[j].delta);
            flat = bytes.concat(flat, abi.encode(key.delta, key.ic));
        }
        _keys = SSTORE2.write(flat);
    }

    /// @inheritdoc IGroth16Verifier
    function verify(Statement[] calldata statements) external view {
        if (statements.length == 0) revert NothingToVerify();
        uint256[] memory key = _load();
        uint256 circuits = (key.length - CIRCUITS) / CIRCUIT_WORDS;
        Bn254.requireGas(statements.length, circuits);

        uint256[] memory pairs = new uint256[](6 * (statements.length + 2 + circuits));
        Sums memory sums = Sums(0, new uint256[4][](circuits), new uint256[2][](circuits));
        bytes32 seed = statements.length == 1 ? bytes32(0) : keccak256(abi.encode(address(this), statements));
        for (uint256 i = 0; i < statements.length; i++) {
            Statement calldata made = statements[i];
            if (made.circuit == 0 || made.circuit > circuits) revert CircuitUnknown(made.circuit);
            _add(sums, made, _exponent(seed, i), pairs, 6 * i);
        }
        if (!Bn254.pairing(pairs, _close(sums, key, pairs, 6 * statements.length))) revert ProofInvalid();
    }

    /// @inheritdoc IGroth16Verifier
    function verifyingKeys() external view returns (VerifyingKeys memory keys) {
        uint256[] memory key = _load();
        keys.alpha = [key[0], key[1]];
        keys.beta = _g2(key, BETA);
        keys.gamma = _g2(key, GAMMA);
        keys.circuits = new CircuitKey[]((key.length - CIRCUITS) / CIRCUIT_WORDS);
        for (uint256 i = 0; i < keys.circuits.length; i++) {
            uint256 offset = CIRCUITS + CIRCUIT_WORDS * i;
            keys.circuits[i].delta = _g2(key, offset);
            for (uint256 j = 0; j < 4; j++) {
                keys.circuits[i].ic[j] = [key[offset + IC + 2 * j], key[offset + IC + 2 * j + 1]];
            }
        }
    }

    /// @dev Adds a statement to the sums, and its pair (-exponent * A, B) to `pairs` at `offset`.
    function _add(Sums memory sums, Statement calldata made, uint256 exponent, uint256[] memory pairs, uint256 offset)
        private
        view
    {
        uint256[2] memory point;
        (point[0], point[1]) = Bn254.negate(made.proof[0], made.proof[1]);
        point = Bn254.multiply(point, exponent);
        (pairs[offset], pairs[offset + 1]) = (point[0], point[1]);
        for (uint256 i = 2; i < 6; i++) pairs[offset + i] = made.proof[i];

        uint256 p = Bn254.SCALAR_MODULUS;
        uint256 index = made.circuit - 1;
        sums.exponents = addmod(sums.exponents, exponent, p);
        uint256[4] memory scalars = sums.scalars[index];
        scalars[0] = addmod(scalars[0], exponent, p);
        for (uint256 i = 0; i < 3; i++) {
            uint256 signal = made.signals[i];
            if (signal >= p) revert SignalNotInField(i, signal);
            scalars[i + 1] = addmod(scalars[i + 1], mulmod(exponent, signal, p), p);
        }
        point = Bn254.multiply([made.proof[6], made.proof[7]], exponent);
        sums.points[index] = Bn254.add(sums.points[index], point);
    }

    /// @dev Adds the pairs that the statements share, from place `offset`; the number of words in all. A circuit without statements has no
    /// part in it: its sums are 0, which the precompiles take as the point at infinity.
    function _close(Sums memory sums, uint256[] memory key, uint256[] memory pairs, uint256 offset)
        private
        view
        returns (uint256)
    {
        _pair(pairs, offset, Bn254.multiply([key[0], key[1]], sums.exponents), key, BETA);
        uint256[2] memory inputs;
        uint256 next = offset + 12;
        for (uint256 i = 0; i < sums.scalars.length; i++) {
            if (sums.scalars[i][0] == 0) continue; // no statement: a sum of hashes is 0 by a chance of 1/p, and then the equation fails
            uint256 start = CIRCUITS + CIRCUIT_WORDS * i;
            for (uint256 j = 0; j < 4; j++) {
                uint256[2] memory term = [key[start + IC + 2 * j], key[start + IC + 2 * j + 1]];
                inputs = Bn254.add(inputs, Bn254.multiply(term, sums.scalars[i][j]));
            }
            _pair(pairs, next, sums.points[i], key, start);
            next += 6;
        }
        _pair(pairs, offset + 6, inputs, key, GAMMA);
        return next;
    }

    /// @dev Writes the pair of `point` and the key's point of G2 in words `from` to `from + 3`.
    function _pair(uint256[] memory pairs, uint256 offset, uint256[2] memory point, uint256[] memory key, uint256 from)
        private
        pure
    {
        (pairs[offset], pairs[offset + 1]) = (point[0], point[1]);
        for (uint256 i = 0; i < 4; i++) pairs[offset + 2 + i] = key[from + i];
    }

    /// @dev 1 for the first statement, for the others a hash of all statements, from 1 to p - 1.
    function _exponent(bytes32 seed, uint256 index) private pure returns (uint256) {
        if (index == 0) return 1;
        return uint256(keccak256(abi.encode(seed, index))) % (Bn254.SCALAR_MODULUS - 1) + 1;
    }

    /// @dev The keys as an array of words.
    function _load() private view returns (uint256[] memory words) {
        bytes memory flat = SSTORE2.read(_keys);
        // Yul: the same memory, its length counted in words instead of bytes.
        assembly ("memory-safe") {
            words := flat
            mstore(words, shr(5, mload(words)))
        }
    }

    function _g2(uint256[] memory key, uint256 offset) private pure returns (uint256[4] memory) {
        return [key[offset], key[offset + 1], key[offset + 2], key[offset + 3]];
    }

    /// @dev Points with one abscissa are equal or opposite.
    function _requireOther(uint256[4] memory point, uint256[4] memory other) private pure {
        if (point[0] == other[0] && point[1] == other[1]) revert KeysShareDelta();
    }
}
