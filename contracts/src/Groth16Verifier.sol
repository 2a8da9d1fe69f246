// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IGroth16Verifier, VerifyingKey} from "./interfaces/IGroth16Verifier.sol";
import {Bn254} from "./libraries/Bn254.sol";

/// @title Groth16Verifier
/// @notice See the interface. The key stands in immutables, so a verification reads no storage.
contract Groth16Verifier is IGroth16Verifier {
    uint256 private immutable _alphaX;
    uint256 private immutable _alphaY;
    uint256 private immutable _betaXi;
    uint256 private immutable _betaXr;
    uint256 private immutable _betaYi;
    uint256 private immutable _betaYr;
    uint256 private immutable _gammaXi;
    uint256 private immutable _gammaXr;
    uint256 private immutable _gammaYi;
    uint256 private immutable _gammaYr;
    uint256 private immutable _deltaXi;
    uint256 private immutable _deltaXr;
    uint256 private immutable _deltaYi;
    uint256 private immutable _deltaYr;
    uint256 private immutable _ic0X;
    uint256 private immutable _ic0Y;
    uint256 private immutable _ic1X;
    uint256 private immutable _ic1Y;
    uint256 private immutable _ic2X;
    uint256 private immutable _ic2Y;
    uint256 private immutable _ic3X;
    uint256 private immutable _ic3Y;

    /// @param key Checked by the precompiles: points on their curves and in their groups, none at infinity, gamma not +-delta.
    constructor(VerifyingKey memory key) {
        Bn254.checkG1(key.alpha);
        Bn254.checkG2(key.beta);
        Bn254.checkG2(key.gamma);
        Bn254.checkG2(key.delta);
        for (uint256 i = 0; i < 4; i++) Bn254.checkG1(key.ic[i]);
        // Points with one abscissa are equal or opposite.
        if (key.gamma[0] == key.delta[0] && key.gamma[1] == key.delta[1]) revert KeyGammaIsDelta();

        (_alphaX, _alphaY) = (key.alpha[0], key.alpha[1]);
        (_betaXi, _betaXr, _betaYi, _betaYr) = (key.beta[0], key.beta[1], key.beta[2], key.beta[3]);
        (_gammaXi, _gammaXr, _gammaYi, _gammaYr) = (key.gamma[0], key.gamma[1], key.gamma[2], key.gamma[3]);
        (_deltaXi, _deltaXr, _deltaYi, _deltaYr) = (key.delta[0], key.delta[1], key.delta[2], key.delta[3]);
        (_ic0X, _ic0Y) = (key.ic[0][0], key.ic[0][1]);
        (_ic1X, _ic1Y) = (key.ic[1][0], key.ic[1][1]);
        (_ic2X, _ic2Y) = (key.ic[2][0], key.ic[2][1]);
        (_ic3X, _ic3Y) = (key.ic[3][0], key.ic[3][1]);
    }

    /// @inheritdoc IGroth16Verifier
    function verify(uint256[8] calldata proof, uint256[3] calldata signals) external view {
        for (uint256 i = 0; i < 3; i++) {
            if (signals[i] >= Bn254.SCALAR_MODULUS) revert SignalNotInField(i, signals[i]);
        }
        Bn254.requireGas();

        // e(-A, B) * e(alpha, beta) * e(IC0 + sum signals_i * IC_i, gamma) * e(C, delta) = 1
        uint256[24] memory pairs;
        (pairs[0], pairs[1]) = Bn254.negate(proof[0], proof[1]);
        (pairs[2], pairs[3], pairs[4], pairs[5]) = (proof[2], proof[3], proof[4], proof[5]);
        (pairs[6], pairs[7]) = (_alphaX, _alphaY);
        (pairs[8], pairs[9], pairs[10], pairs[11]) = (_betaXi, _betaXr, _betaYi, _betaYr);
        (pairs[12], pairs[13]) = _combine(signals);
        (pairs[14], pairs[15], pairs[16], pairs[17]) = (_gammaXi, _gammaXr, _gammaYi, _gammaYr);
        (pairs[18], pairs[19]) = (proof[6], proof[7]);
        (pairs[20], pairs[21], pairs[22], pairs[23]) = (_deltaXi, _deltaXr, _deltaYi, _deltaYr);
        if (!Bn254.pairing(pairs)) revert ProofInvalid();
    }

    /// @inheritdoc IGroth16Verifier
    function verifyingKey() external view returns (VerifyingKey memory key) {
        key.alpha = [_alphaX, _alphaY];
        key.beta = [_betaXi, _betaXr, _betaYi, _betaYr];
        key.gamma = [_gammaXi, _gammaXr, _gammaYi, _gammaYr];
        key.delta = [_deltaXi, _deltaXr, _deltaYi, _deltaYr];
        key.ic = [[_ic0X, _ic0Y], [_ic1X, _ic1Y], [_ic2X, _ic2Y], [_ic3X, _ic3Y]];
    }

    /// @dev IC0 + sum signals_i * IC_i.
    function _combine(uint256[3] calldata signals) private view returns (uint256 x, uint256 y) {
        (x, y) = Bn254.addMultiple(_ic0X, _ic0Y, _ic1X, _ic1Y, signals[0]);
        (x, y) = Bn254.addMultiple(x, y, _ic2X, _ic2Y, signals[1]);
        (x, y) = Bn254.addMultiple(x, y, _ic3X, _ic3Y, signals[2]);
    }
}
