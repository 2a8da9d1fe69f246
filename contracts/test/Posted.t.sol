// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {Entry} from "../src/interfaces/ILedger.sol";
import {Posted} from "../src/libraries/Posted.sol";
import {Queue} from "../src/libraries/Queue.sol";
import {Touch} from "../src/libraries/Touch.sol";
import {Protocol} from "../src/generated/Protocol.sol";

/// @notice Agreement with Python on packing, r, y and the queue: cases of tests/vectors/posted.json, and with plain arithmetic.
contract PostedTest is Test {
    uint256 private constant P = Protocol.FIELD_MODULUS;
    string private _json;

    function setUp() public {
        _json = vm.readFile("tests/vectors/posted.json");
    }

    function path(string memory list, uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(i), "].", field);
    }

    function number(string memory list, uint256 i, string memory field) private view returns (uint256) {
        return vm.parseJsonUint(_json, path(list, i, field));
    }

    function count(string memory list) private view returns (uint256 total) {
        while (vm.keyExistsJson(_json, path(list, total, "name"))) total++;
        assertGt(total, 2, "the vectors are there");
    }

    function test_challengeAndEvaluation() public {
        for (uint256 i = 0; i < count("batches"); i++) {
            string memory name = vm.parseJsonString(_json, path("batches", i, "name"));
            uint256[] memory words = vm.parseJsonUintArray(_json, path("batches", i, "words"));
            vm.chainId(number("batches", i, "chain_id"));
            uint256[3] memory signals = Posted.signals(
                words,
                number("batches", i, "commitment"),
                vm.parseJsonAddress(_json, path("batches", i, "ledger"))
            );
            assertEq(signals[0], number("batches", i, "commitment"), name);
            assertEq(signals[1], number("batches", i, "r"), name);
            assertEq(signals[2], number("batches", i, "y"), name);
            assertEq(words[0], Posted.header(words.length, number("batches", i, "circuit")), name);
            assertEq(words[1], Posted.domain(vm.parseJsonAddress(_json, path("batches", i, "ledger"))), name);
        }
    }

    function test_entriesAndQueue() public view {
        for (uint256 i = 0; i < count("entries"); i++) {
            string memory name = vm.parseJsonString(_json, path("entries", i, "name"));
            Entry memory entry = Entry(
                vm.parseJsonAddress(_json, path("entries", i, "depositor")),
                uint8(number("entries", i, "kind")),
                uint16(number("entries", i, "asset")),
                uint64(number("entries", i, "amount")),
                uint32(number("entries", i, "target")),
                bytes32(number("entries", i, "owner"))
            );
            assertEq(
                Queue.hash(uint64(number("entries", i, "index")), entry),
                bytes32(number("entries", i, "hash")),
                name
            );
            uint256[] memory posted = new uint256[](4);
            Touch.writeEntry(posted, 0, entry);
            uint256[] memory words = vm.parseJsonUintArray(_json, path("entries", i, "words"));
            for (uint256 k = 0; k < 3; k++) assertEq(posted[k + 1], words[k], name);
        }
    }

    function test_payoutsAndFlags() public view {
        for (uint256 i = 0; i < count("touches"); i++) {
            string memory name = vm.parseJsonString(_json, path("touches", i, "name"));
            uint256[] memory words = vm.parseJsonUintArray(_json, path("touches", i, "words"));
            assertEq(Touch.op(words[0]), number("touches", i, "op"), name);
            assertEq(Touch.performed(words[0]), number("touches", i, "flag") == 1, name);
            (address account, uint16 asset, uint64 amount) = Touch.payout(words[1]);
            assertEq(account, vm.parseJsonAddress(_json, path("touches", i, "recipient")), name);
            assertEq(asset, number("touches", i, "asset"), name);
            assertEq(amount, number("touches", i, "amount"), name);
        }
    }

    function testFuzz_evaluateIsTheSumOfPowers(uint256[] memory words, uint256 point) public pure {
        point %= P;
        uint256 sum = 0;
        uint256 power = 1;
        for (uint256 i = 0; i < words.length; i++) {
            words[i] %= 1 << 248;
            sum = addmod(sum, mulmod(words[i], power, P), P);
            power = mulmod(power, point, P);
        }
        assertEq(Posted.evaluate(words, point), sum);
    }

    function testFuzz_putAndTake(uint256 value) public pure {
        value %= P;
        uint256[] memory posted = new uint256[](3);
        Posted.put(posted, 1, value);
        assertEq(posted[0], 0);
        assertEq(Posted.take(posted, 1), value);
    }
}
