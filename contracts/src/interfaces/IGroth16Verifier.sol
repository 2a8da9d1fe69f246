// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @notice A Groth16 verifying key over BN254 for three public signals.
/// @dev Points of G2 are in the order of the pairing precompile: x imaginary, x real, y imaginary, y real.
struct VerifyingKey {
    uint256[2] alpha;
    uint256[4] beta;
    uint256[4] gamma;
    uint256[4] delta;
    uint256[2][4] ic;
}

/// @title Verifier of one circuit
/// @notice Holds one verifying key, fixed at deployment, and checks proofs against it.
///
/// Assumptions:
/// - The precompiles at addresses 6, 7 and 8 are those of EIP-196 and EIP-197, priced as in EIP-1108 or cheaper.
/// - Nobody knows the discrete logarithms behind the key, nor a ratio between gamma and delta.
interface IGroth16Verifier {
    /// @notice Thrown for public signal number `index`, which is not below the scalar field's modulus: it would alias one that is.
    error SignalNotInField(uint256 index, uint256 signal);

    /// @notice Thrown when a point is not on its curve or in its group, or a coordinate is not below the base field's modulus.
    error PointInvalid();

    /// @notice Thrown when the points are sound but the pairing equation does not hold.
    error ProofInvalid();

    /// @notice Thrown when too little gas is left for the precompiles: nothing is known about the proof then.
    error GasTooLow(uint256 left, uint256 needed);

    /// @notice Thrown at deployment for a key with a point at infinity, where the precompiles would drop a term.
    error KeyPointAtInfinity();

    /// @notice Thrown at deployment for a key whose gamma and delta are equal or opposite: anybody could forge proofs.
    error KeyGammaIsDelta();

    /// @notice Returns when `proof` proves `signals`, and reverts otherwise.
    /// @dev Warning: proofs are malleable. Anyone can turn one into another of the same statement; never identify anything by it.
    /// @param proof A (x, y), B (x imaginary, x real, y imaginary, y real), C (x, y).
    /// @param signals The public signals C, r, y, each below the scalar field's modulus.
    function verify(uint256[8] calldata proof, uint256[3] calldata signals) external view;

    /// @notice The key, for comparison with the one whose circuit was audited.
    function verifyingKey() external view returns (VerifyingKey memory);
}
