// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {IGroth16Verifier, Statement, VerifyingKeys} from "../src/interfaces/IGroth16Verifier.sol";
import {Groth16Verifier} from "../src/Groth16Verifier.sol";
import {Bn254} from "../src/libraries/Bn254.sol";
import {Trapdoor} from "./support/Trapdoor.sol";

contract Groth16VerifierTest is Test {
    uint256 private constant P = Bn254.SCALAR_MODULUS;
    uint256 private constant Q = Bn254.BASE_MODULUS;
    uint256 private constant SETTLE = 2;
    uint256 private constant CIRCUITS = 6;
    Groth16Verifier private verifier;

    function setUp() public {
        verifier = new Groth16Verifier(Trapdoor.keys());
    }

    function proofOf(uint256[3] memory signals) private view returns (uint256[8] memory) {
        return Trapdoor.prove(Trapdoor.SETTLE_DELTA, signals, 0);
    }

    function check(uint256[8] memory proof, uint256[3] memory signals) private view {
        Statement[] memory made = new Statement[](1);
        made[0] = Statement(SETTLE, signals, proof);
        verifier.verify(made);
    }

    /// @dev Sound statements, the first of circuit `first`, then each of the next.
    function several(uint256 count, uint256 first) private view returns (Statement[] memory made) {
        made = new Statement[](count);
        for (uint256 i = 0; i < count; i++) {
            uint256 circuit = (first + i - 1) % CIRCUITS + 1;
            uint256[3] memory signals = [i, uint256(keccak256(abi.encode(i, first))) % P, P - 1 - i];
            made[i] = Statement(circuit, signals, Trapdoor.prove(Trapdoor.deltaOf(circuit), signals, i));
        }
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
        check(Trapdoor.prove(Trapdoor.SETTLE_DELTA, signals, salt), signals);
    }

    function test_acceptsEndsOfTheField() public view {
        check(proofOf([uint256(0), 0, 0]), [uint256(0), 0, 0]);
        check(proofOf([P - 1, P - 1, P - 1]), [P - 1, P - 1, P - 1]);
    }

    function test_proofsAreMalleable() public view {
        // The warning of the interface, shown: (-A, -B, C) proves what (A, B, C) proves.
        uint256[3] memory signals = [uint256(1), 2, 3];
        uint256[8] memory proof = proofOf(signals);
        proof[1] = Q - proof[1];
        proof[4] = Q - proof[4];
        proof[5] = Q - proof[5];
        check(proof, signals);
    }

    function test_keyReadsBack() public view {
        assertEq(abi.encode(verifier.verifyingKeys()), abi.encode(Trapdoor.keys()));
    }

    /* WHAT DOES NOT */

    function testFuzz_refusesOtherSignals(uint256[3] memory signals, uint256 which, uint256 shift) public {
        for (uint256 i = 0; i < 3; i++) signals[i] %= P;
        uint256[8] memory proof = proofOf(signals);
        which %= 3;
        signals[which] = addmod(signals[which], bound(shift, 1, P - 1), P);
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        check(proof, signals);
    }

    function test_refusesSwappedSignals() public {
        uint256[8] memory proof = proofOf([uint256(1), 2, 3]);
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        check(proof, [uint256(2), 1, 3]);
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
        check(proof, signals);
    }

    function testFuzz_refusesFlippedBit(uint8 word, uint8 bit) public {
        uint256[3] memory signals = [uint256(1), 2, 3];
        uint256[8] memory proof = proofOf(signals);
        proof[word % 8] ^= 1 << bit;
        vm.expectRevert();
        check(proof, signals);
    }

    function testFuzz_refusesCoordinatePlusModulus(uint8 word) public {
        uint256[3] memory signals = [uint256(1), 2, 3];
        uint256[8] memory proof = proofOf(signals);
        proof[word % 8] += Q;
        vm.expectRevert(IGroth16Verifier.PointInvalid.selector);
        check(proof, signals);
    }

    function test_refusesPointOffTheCurve() public {
        uint256[3] memory signals = [uint256(1), 2, 3];
        uint256[8] memory proof = proofOf(signals);
        (proof[0], proof[1]) = (1, 3);
        vm.expectRevert(IGroth16Verifier.PointInvalid.selector);
        check(proof, signals);
    }

    function test_refusesPointOutsideTheGroup() public {
        uint256[3] memory signals = [uint256(1), 2, 3];
        uint256[8] memory proof = proofOf(signals);
        uint256[4] memory point = outside();
        for (uint256 i = 0; i < 4; i++) proof[2 + i] = point[i];
        vm.expectRevert(IGroth16Verifier.PointInvalid.selector);
        check(proof, signals);
    }

    function test_refusesPointsAtInfinity() public {
        uint256[8] memory proof;
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        check(proof, [uint256(1), 2, 3]);
    }

    function test_refusesProofOfOtherKey() public {
        uint256[3] memory signals = [uint256(1), 2, 3];
        uint256[8] memory proof = Trapdoor.prove(Trapdoor.TICK_DELTA, signals, 0);
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        check(proof, signals);
    }

    /* SEVERAL AT ONCE */

    function testFuzz_acceptsSeveral(uint256 count, uint256 first) public view {
        verifier.verify(several(bound(count, 1, 2 * CIRCUITS), bound(first, 1, CIRCUITS)));
    }

    function test_acceptsOneStatementTwice() public view {
        Statement[] memory made = several(2, 3);
        made[1] = made[0];
        verifier.verify(made);
    }

    function testFuzz_refusesOneFalseAmongMany(uint256 count, uint256 which, uint256 signal) public {
        Statement[] memory made = several(bound(count, 1, CIRCUITS + 3), 1);
        which %= made.length;
        made[which].signals[signal % 3] = addmod(made[which].signals[signal % 3], 1, P);
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        verifier.verify(made);
    }

    function testFuzz_refusesAnotherCircuitsProof(uint256 which) public {
        Statement[] memory made = several(CIRCUITS, 1);
        which %= made.length;
        made[which].circuit = made[which].circuit % CIRCUITS + 1;
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        verifier.verify(made);
    }

    function test_refusesSwappedProofs() public {
        Statement[] memory made = several(CIRCUITS + 1, 2);
        (made[0].proof, made[CIRCUITS].proof) = (made[CIRCUITS].proof, made[0].proof); // of one circuit
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        verifier.verify(made);
    }

    /// Two false proofs whose errors cancel in a plain product: C + X and C' - X of one circuit.
    function testFuzz_errorsDoNotCancel(uint256 factor) public {
        Statement[] memory made = several(CIRCUITS + 1, 1);
        shift(made[0].proof, bound(factor, 1, P - 1));
        shift(made[CIRCUITS].proof, P - bound(factor, 1, P - 1));
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        verifier.verify(made);
    }

    function shift(uint256[8] memory proof, uint256 factor) private view {
        uint256[2] memory moved = Bn254.add([proof[6], proof[7]], Trapdoor.g1(factor));
        (proof[6], proof[7]) = (moved[0], moved[1]);
    }

    function test_refusesNothingAndUnknownCircuits() public {
        vm.expectRevert(IGroth16Verifier.NothingToVerify.selector);
        verifier.verify(new Statement[](0));
        Statement[] memory made = several(2, 1);
        uint256[3] memory unknown = [uint256(0), CIRCUITS + 1, type(uint256).max];
        for (uint256 i = 0; i < 3; i++) {
            made[1].circuit = unknown[i];
            vm.expectRevert(abi.encodeWithSelector(IGroth16Verifier.CircuitUnknown.selector, unknown[i]));
            verifier.verify(made);
        }
    }

    /// What the ledger posts for a tick: tick, settle, two sweeps, carry, coverage. At most 62 % of verifying them one by one.
    function test_gasOfATickAtOnce() public view {
        Statement[] memory made = several(6, 1);
        made[4].circuit = made[2].circuit;
        made[4].proof = Trapdoor.prove(Trapdoor.deltaOf(3), made[4].signals, 0);
        uint256 apart = 0;
        for (uint256 i = 0; i < made.length; i++) {
            Statement[] memory single = new Statement[](1);
            single[0] = made[i];
            uint256 before = gasleft();
            verifier.verify(single);
            apart += before - gasleft();
        }
        uint256 start = gasleft();
        verifier.verify(made);
        assertLe((start - gasleft()) * 100, apart * 62);
    }

    /* GAS: TOO LITTLE IS NEVER MISTAKEN FOR AN ANSWER */

    function call(uint256 gas, Statement[] memory made) private view returns (bool done, bytes memory out) {
        return address(verifier).staticcall{gas: gas}(abi.encodeCall(verifier.verify, (made)));
    }

    function testFuzz_littleGasIsNoVerdictOnGoodProofs(uint256 gas, uint256 count) public view {
        count = bound(count, 1, 6);
        (bool done, bytes memory out) = call(bound(gas, 0, 250_000 + 120_000 * count), several(count, 1));
        // Too little to run at all gives no data; else the reason is the gas and never the proof.
        if (!done && out.length != 0) assertEq(bytes4(out), IGroth16Verifier.GasTooLow.selector);
    }

    function testFuzz_littleGasNeverAcceptsBadProofs(uint256 gas, uint256 count) public view {
        Statement[] memory made = several(bound(count, 1, 6), 1);
        made[0].signals[0] = 99;
        (bool done,) = call(bound(gas, 0, 250_000 + 120_000 * made.length), made);
        assertFalse(done);
    }

    function test_gasNeededIsEnough() public view {
        for (uint256 count = 1; count <= 16; count++) {
            // With the gas asked for at the check, give or take the code before it, the answer is there.
            (bool done,) = call(Bn254.gasNeeded(count, CIRCUITS) + 15_000, several(count, 1));
            assertTrue(done);
            bytes memory out;
            (done, out) = call(Bn254.gasNeeded(count, CIRCUITS), several(count, 1));
            assertEq(bytes4(out), IGroth16Verifier.GasTooLow.selector);
        }
    }

    /* KEYS */

    function test_keyRefusesPointsAtInfinity() public {
        for (uint256 which = 0; which < 8; which++) {
            VerifyingKeys memory keys = Trapdoor.keys();
            setPoint(keys, which, [uint256(0), 0], [uint256(0), 0, 0, 0]);
            vm.expectRevert(IGroth16Verifier.KeyPointAtInfinity.selector);
            new Groth16Verifier(keys);
        }
    }

    function test_keyRefusesPointsOutsideTheGroups() public {
        for (uint256 which = 0; which < 8; which++) {
            VerifyingKeys memory keys = Trapdoor.keys();
            setPoint(keys, which, [uint256(1), 3], outside());
            vm.expectRevert(IGroth16Verifier.PointInvalid.selector);
            this.deploy{gas: 5_000_000}(keys); // a precompile burns what it is given when it refuses a point
        }
    }

    function test_keyRefusesSharedDeltas() public {
        for (uint256 which = 0; which < CIRCUITS; which++) {
            for (uint256 other = 0; other <= which; other++) {
                VerifyingKeys memory keys = Trapdoor.keys();
                uint256[4] memory point = other == which ? keys.gamma : keys.circuits[other].delta;
                keys.circuits[which].delta = [point[0], point[1], point[2], point[3]];
                vm.expectRevert(IGroth16Verifier.KeysShareDelta.selector);
                new Groth16Verifier(keys);
                keys.circuits[which].delta = [point[0], point[1], Q - point[2], Q - point[3]];
                vm.expectRevert(IGroth16Verifier.KeysShareDelta.selector);
                new Groth16Verifier(keys);
            }
        }
    }

    function deploy(VerifyingKeys memory keys) external {
        new Groth16Verifier(keys);
    }

    function setPoint(VerifyingKeys memory keys, uint256 which, uint256[2] memory p1, uint256[4] memory p2) private pure {
        if (which == 0) keys.alpha = p1;
        else if (which == 1) keys.beta = p2;
        else if (which == 2) keys.gamma = p2;
        else if (which == 3) keys.circuits[1].delta = p2;
        else keys.circuits[2].ic[which - 4] = p1;
    }
}
