// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @notice What a Groth16 verifying key over BN254 for three public signals has of its own circuit.
/// @dev Points of G2 are in the order of the pairing precompile: x imaginary, x real, y imaginary, y real.
struct CircuitKey {
    uint256[4] delta;
    uint256[2][4] ic;
}

/// @notice Verifying keys of circuits that share one setup; `circuits[i]` is that of circuit number i + 1.
struct VerifyingKeys {
    uint256[2] alpha;
    uint256[4] beta;
    uint256[4] gamma;
    CircuitKey[] circuits;
}

/// @notice That `proof` proves `signals` for a circuit.
/// @param circuit Its number, from 1.
/// @param signals The public signals C, r, y, each below the scalar field's modulus.
/// @param proof A (x, y), B (x imaginary, x real, y imaginary, y real), C (x, y).
struct Statement {
    uint256 circuit;
    uint256[3] signals;
    uint256[8] proof;
}

/// @title Verifier of several circuits
/// @notice Holds the verifying keys of all circuits, fixed at deployment, and checks any number of proofs at once.
///
/// The equation of each proof is e(A, B) = e(alpha, beta) * e(IC(signals), gamma) * e(C, delta). Raised to random exponents rho_i and multiplied, the
/// equations share the pairings with alpha, with gamma and with each circuit's delta: n proofs cost n + 2 + (number of circuits)
/// pairings instead of 4n. All terms lie in a group of prime order p (the precompile refuses points of G2 outside the group), so a product that holds while some
/// equation does not has a chance of 1/p for each choice of statements: the exponents are hashes of all of them, the first is 1.
///
/// Assumptions:
/// - The precompiles at addresses 6, 7 and 8 are those of EIP-196 and EIP-197, priced as in EIP-1108 or cheaper.
/// - Nobody knows the discrete logarithms behind the keys, nor a ratio between two of gamma and the deltas.
interface IGroth16Verifier {
    /// @notice Thrown for public signal number `index`, which is not below the scalar field's modulus: it would alias one that is.
    error SignalNotInField(uint256 index, uint256 signal);

    /// @notice Thrown for a statement about a circuit that there is no key of.
    error CircuitUnknown(uint256 circuit);

    /// @notice Thrown when no statement is given.
    error NothingToVerify();

    /// @notice Thrown when a point is not on its curve or in its group, or a coordinate is not below the base field's modulus.
    error PointInvalid();

    /// @notice Thrown when the points are sound but the pairing equation does not hold: at least one of the proofs is none.
    error ProofInvalid();

    /// @notice Thrown when too little gas is left for the precompiles: nothing is known about the proofs then.
    error GasTooLow(uint256 left, uint256 needed);

    /// @notice Thrown at deployment for a key with a point at infinity, where the precompiles would drop a term.
    error KeyPointAtInfinity();

    /// @notice Thrown at deployment where two of gamma and the deltas are equal or opposite: proofs could be forged, or bent to another circuit.
    error KeysShareDelta();

    /// @notice Returns when every statement is proved, and reverts otherwise.
    /// @dev Warning: proofs are malleable. Anyone can turn one into another of the same statement; never identify anything by it.
    function verify(Statement[] calldata statements) external view;

    /// @notice The keys, for comparison with those whose circuits were audited.
    function verifyingKeys() external view returns (VerifyingKeys memory);
}
