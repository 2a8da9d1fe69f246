// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {IGroth16Verifier, VerifyingKey} from "../src/interfaces/IGroth16Verifier.sol";
import {Groth16Verifier} from "../src/Groth16Verifier.sol";
import {Bn254} from "../src/libraries/Bn254.sol";
import {Trapdoor} from "./support/Trapdoor.sol";

contract Groth16VerifierTest is Test {
    uint256 private constant P = Bn254.SCALAR_MODULUS;
    uint256 private constant Q = Bn254.BASE_MODULUS;
    Groth16Verifier private verifier;

    function setUp() public {
        verifier = new Groth16Verifier(Trapdoor.key(Trapdoor.SETTLE_DELTA));
    }

    function proofOf(uint256[3] memory signals) private view returns (uint256[8] memory) {
        return Trapdoor.prove(Trapdoor.SETTLE_DELTA, signals, 0);
    }

    function outside() private pure returns (uint256[4] memory) {
        // On the twist, but not in the group of order P.
        return [
            0,
            1,
            5912654199736721486680175016176231956195085055698687135131307249486702594212,
            18278151005453108793778860132295291098363647455926340152056652516292830556603
        ];
    }

    /* WHAT VERIFIES */

    function testFuzz_acceptsProvedSignals(uint256[3] memory signals, uint256 salt) public view {
        for (uint256 i = 0; i < 3; i++) signals[i] %= P;
        verifier.verify(Trapdoor.prove(Trapdoor.SETTLE_DELTA, signals, salt), signals);
    }

    function test_acceptsEndsOfTheField() public view {
        verifier.verify(proofOf([uint256(0), 0, 0]), [uint256(0), 0, 0]);
        verifier.verify(proofOf([P - 1, P - 1, P - 1]), [P - 1, P - 1, P - 1]);
    }

    function test_proofsAreMalleable() public view {
        // The warning of the interface, shown: (-A, -B, C) proves what (A, B, C) proves.
        uint256[3] memory signals = [uint256(1), 2, 3];
        uint256[8] memory proof = proofOf(signals);
        proof[1] = Q - proof[1];
        proof[4] = Q - proof[4];
        proof[5] = Q - proof[5];
        verifier.verify(proof, signals);
    }

    function test_keyReadsBack() public view {
        bytes memory given = abi.encode(Trapdoor.key(Trapdoor.SETTLE_DELTA));
        assertEq(abi.encode(verifier.verifyingKey()), given);
    }

    /* WHAT DOES NOT */

    function testFuzz_refusesOtherSignals(uint256[3] memory signals, uint256 which, uint256 shift) public {
        for (uint256 i = 0; i < 3; i++) signals[i] %= P;
        uint256[8] memory proof = proofOf(signals);
        which %= 3;
        signals[which] = addmod(signals[which], bound(shift, 1, P - 1), P);
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        verifier.verify(proof, signals);
    }

    function test_refusesSwappedSignals() public {
        uint256[8] memory proof = proofOf([uint256(1), 2, 3]);
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        verifier.verify(proof, [uint256(2), 1, 3]);
    }

    function testFuzz_refusesSignalPlusModulus(uint256[3] memory signals, uint256 which, uint256 times) public {
        for (uint256 i = 0; i < 3; i++) signals[i] %= P;
        uint256[8] memory proof = proofOf(signals);
        which %= 3;
        // p fits 5 times into 2^256 for every remainder.
        signals[which] += P * bound(times, 1, 4);
        vm.expectRevert(
            abi.encodeWithSelector(IGroth16Verifier.SignalNotInField.selector, which, signals[which])
        );
        verifier.verify(proof, signals);
    }

    function testFuzz_refusesFlippedBit(uint8 word, uint8 bit) public {
        uint256[3] memory signals = [uint256(1), 2, 3];
        uint256[8] memory proof = proofOf(signals);
        proof[word % 8] ^= 1 << bit;
        vm.expectRevert();
        verifier.verify(proof, signals);
    }

    function testFuzz_refusesCoordinatePlusModulus(uint8 word) public {
        uint256[3] memory signals = [uint256(1), 2, 3];
        uint256[8] memory proof = proofOf(signals);
        proof[word % 8] += Q;
        vm.expectRevert(IGroth16Verifier.PointInvalid.selector);
        verifier.verify(proof, signals);
    }

    function test_refusesPointOffTheCurve() public {
        uint256[3] memory signals = [uint256(1), 2, 3];
        uint256[8] memory proof = proofOf(signals);
        (proof[0], proof[1]) = (1, 3);
        vm.expectRevert(IGroth16Verifier.PointInvalid.selector);
        verifier.verify(proof, signals);
    }

    function test_refusesPointOutsideTheGroup() public {
        uint256[3] memory signals = [uint256(1), 2, 3];
        uint256[8] memory proof = proofOf(signals);
        uint256[4] memory point = outside();
        for (uint256 i = 0; i < 4; i++) proof[2 + i] = point[i];
        vm.expectRevert(IGroth16Verifier.PointInvalid.selector);
        verifier.verify(proof, signals);
    }

    function test_refusesPointsAtInfinity() public {
        uint256[8] memory proof;
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        verifier.verify(proof, [uint256(1), 2, 3]);
    }

    function test_refusesProofOfOtherKey() public {
        uint256[3] memory signals = [uint256(1), 2, 3];
        uint256[8] memory proof = Trapdoor.prove(Trapdoor.TICK_DELTA, signals, 0);
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        verifier.verify(proof, signals);
    }

    /* GAS: TOO LITTLE IS NEVER MISTAKEN FOR AN ANSWER */

    function call(uint256 gas, uint256[8] memory proof) private view returns (bool done, bytes memory out) {
        bytes memory data = abi.encodeCall(verifier.verify, (proof, [uint256(1), 2, 3]));
        return address(verifier).staticcall{gas: gas}(data);
    }

    function testFuzz_littleGasIsNoVerdictOnGoodProof(uint256 gas) public view {
        (bool done, bytes memory out) = call(bound(gas, 0, 260_000), proofOf([uint256(1), 2, 3]));
        // Too little to run at all gives no data; else the reason is the gas and never the proof.
        if (!done && out.length != 0) assertEq(bytes4(out), IGroth16Verifier.GasTooLow.selector);
    }

    function testFuzz_littleGasNeverAcceptsBadProof(uint256 gas) public view {
        (bool done,) = call(bound(gas, 0, 260_000), proofOf([uint256(1), 2, 4]));
        assertFalse(done);
    }

    function test_gasNeededIsEnough() public view {
        // With exactly the gas asked for at the check, give or take the code before it, the answer is there.
        (bool done,) = call(Bn254.GAS_NEEDED + 3_000, proofOf([uint256(1), 2, 3]));
        assertTrue(done);
        bytes memory out;
        (done, out) = call(Bn254.GAS_NEEDED, proofOf([uint256(1), 2, 3]));
        assertEq(bytes4(out), IGroth16Verifier.GasTooLow.selector);
    }

    /* KEYS */

    function test_keyRefusesPointsAtInfinity() public {
        for (uint256 which = 0; which < 8; which++) {
            VerifyingKey memory key = Trapdoor.key(Trapdoor.SETTLE_DELTA);
            setPoint(key, which, [uint256(0), 0], [uint256(0), 0, 0, 0]);
            vm.expectRevert(IGroth16Verifier.KeyPointAtInfinity.selector);
            new Groth16Verifier(key);
        }
    }

    function test_keyRefusesPointsOutsideTheGroups() public {
        for (uint256 which = 0; which < 8; which++) {
            VerifyingKey memory key = Trapdoor.key(Trapdoor.SETTLE_DELTA);
            setPoint(key, which, [uint256(1), 3], outside());
            vm.expectRevert(IGroth16Verifier.PointInvalid.selector);
            this.deploy{gas: 5_000_000}(key); // a precompile burns what it is given when it refuses a point
        }
    }

    function test_keyRefusesGammaAsDelta() public {
        VerifyingKey memory key = Trapdoor.key(Trapdoor.SETTLE_DELTA);
        key.delta = key.gamma;
        vm.expectRevert(IGroth16Verifier.KeyGammaIsDelta.selector);
        new Groth16Verifier(key);

        key.delta[2] = Q - key.gamma[2];
        key.delta[3] = Q - key.gamma[3];
        vm.expectRevert(IGroth16Verifier.KeyGammaIsDelta.selector);
        new Groth16Verifier(key);
    }

    function deploy(VerifyingKey memory key) external {
        new Groth16Verifier(key);
    }

    function setPoint(VerifyingKey memory key, uint256 which, uint256[2] memory p1, uint256[4] memory p2) private pure {
        if (which == 0) key.alpha = p1;
        else if (which == 1) key.beta = p2;
        else if (which == 2) key.gamma = p2;
        else if (which == 3) key.delta = p2;
        else key.ic[which - 4] = p1;
    }
}
