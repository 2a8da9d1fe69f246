// SPDX-License-Identifier: GPL-3.0-or-later
// Generated from protocol.toml; do not edit.
pragma solidity ^0.8.30;

/// @notice Constants of the protocol: field, opcodes, packings (shift and bits, least significant first), order of words.
library Protocol {
    uint256 internal constant VERSION = 1;
    bytes32 internal constant PROTOCOL_HASH = 0x0e239bae1efe037f9774af2a34d783614a6dc362d8c2965e13a659179b4c7b05;
    uint256 internal constant FIELD_MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    bytes32 internal constant CHALLENGE_DOMAIN = keccak256("zkmargin.challenge.v1");

    uint256 internal constant BITS_MAGNITUDE = 48;
    uint256 internal constant BITS_AMOUNT = 64;
    uint256 internal constant BITS_WORD = 248;

    uint256 internal constant CIRCUIT_TICK = 1;
    uint256 internal constant CIRCUIT_SETTLE = 2;
    uint256 internal constant CIRCUIT_SWEEP = 3;
    uint256 internal constant CIRCUIT_COVERAGE = 4;
    uint256 internal constant CIRCUIT_REGROUP = 5;
    uint256 internal constant CIRCUIT_CARRY = 6;
    uint256 internal constant CIRCUITS = 6;

    uint256 internal constant OP_NOOP = 0;
    uint256 internal constant OP_DEPOSIT = 1;
    uint256 internal constant OP_WITHDRAW = 2;
    uint256 internal constant OP_TRADE = 3;
    uint256 internal constant OP_TRADE_MATCH = 4;
    uint256 internal constant OP_LIQUIDATE = 5;
    uint256 internal constant OP_TAKE_BID = 6;
    uint256 internal constant OP_TAKE_BACKSTOP = 7;
    uint256 internal constant OP_REFUSE = 8;
    uint256 internal constant OP_DELEVERAGE = 9;
    uint256 internal constant OP_OFFSET = 10;
    uint256 internal constant OP_ABSORB = 11;

    uint256 internal constant ENTRY_FUND = 0;
    uint256 internal constant ENTRY_OPEN = 1;
    uint256 internal constant ENTRY_ACCOUNT = 2;

    uint256 internal constant HEADER_WORDS_SHIFT = 0;
    uint256 internal constant HEADER_WORDS_BITS = 16;
    uint256 internal constant HEADER_CIRCUIT_SHIFT = 16;
    uint256 internal constant HEADER_CIRCUIT_BITS = 16;
    uint256 internal constant HEADER_VERSION_SHIFT = 32;
    uint256 internal constant HEADER_VERSION_BITS = 16;

    uint256 internal constant DOMAIN_LEDGER_SHIFT = 0;
    uint256 internal constant DOMAIN_LEDGER_BITS = 160;
    uint256 internal constant DOMAIN_CHAIN_ID_SHIFT = 160;
    uint256 internal constant DOMAIN_CHAIN_ID_BITS = 64;

    uint256 internal constant TOUCH_OP_SHIFT = 0;
    uint256 internal constant TOUCH_OP_BITS = 8;
    uint256 internal constant TOUCH_FLAG_SHIFT = 8;
    uint256 internal constant TOUCH_FLAG_BITS = 1;
    uint256 internal constant TOUCH_LEAF_INDEX_SHIFT = 9;
    uint256 internal constant TOUCH_LEAF_INDEX_BITS = 32;
    uint256 internal constant TOUCH_ACCOUNT_ID_SHIFT = 41;
    uint256 internal constant TOUCH_ACCOUNT_ID_BITS = 32;
    uint256 internal constant TOUCH_INSTRUMENT_SHIFT = 73;
    uint256 internal constant TOUCH_INSTRUMENT_BITS = 12;
    uint256 internal constant TOUCH_SIDE_SHIFT = 85;
    uint256 internal constant TOUCH_SIDE_BITS = 1;
    uint256 internal constant TOUCH_SIZE_SHIFT = 86;
    uint256 internal constant TOUCH_SIZE_BITS = 64;
    uint256 internal constant TOUCH_PRICE_SHIFT = 150;
    uint256 internal constant TOUCH_PRICE_BITS = 64;
    uint256 internal constant TOUCH_KEPT_SHIFT = 214;
    uint256 internal constant TOUCH_KEPT_BITS = 1;

    uint256 internal constant L1_ADDRESS_SHIFT = 0;
    uint256 internal constant L1_ADDRESS_BITS = 160;
    uint256 internal constant L1_AMOUNT_SHIFT = 160;
    uint256 internal constant L1_AMOUNT_BITS = 64;
    uint256 internal constant L1_ASSET_SHIFT = 224;
    uint256 internal constant L1_ASSET_BITS = 12;
    uint256 internal constant L1_KIND_SHIFT = 236;
    uint256 internal constant L1_KIND_BITS = 8;

    uint256 internal constant TARGET_OWNER_HI_SHIFT = 0;
    uint256 internal constant TARGET_OWNER_HI_BITS = 128;
    uint256 internal constant TARGET_ACCOUNT_ID_SHIFT = 128;
    uint256 internal constant TARGET_ACCOUNT_ID_BITS = 32;

    uint256 internal constant TICK_HEAD_SLOT_SHIFT = 0;
    uint256 internal constant TICK_HEAD_SLOT_BITS = 32;
    uint256 internal constant TICK_HEAD_PREVIOUS_SLOT_SHIFT = 32;
    uint256 internal constant TICK_HEAD_PREVIOUS_SLOT_BITS = 32;
    uint256 internal constant TICK_HEAD_TIME_SHIFT = 64;
    uint256 internal constant TICK_HEAD_TIME_BITS = 64;
    uint256 internal constant TICK_HEAD_PRESENT_SHIFT = 128;
    uint256 internal constant TICK_HEAD_PRESENT_BITS = 16;

    uint256 internal constant COVER_HEAD_SOLVENT_SHIFT = 0;
    uint256 internal constant COVER_HEAD_SOLVENT_BITS = 1;

    uint256 internal constant SETTLE_WORD_HEADER = 0;
    uint256 internal constant SETTLE_WORD_DOMAIN = 1;
    uint256 internal constant SETTLE_WORD_ROOT_HI = 2;
    uint256 internal constant SETTLE_WORD_ROOT_LO = 3;
    uint256 internal constant SETTLE_WORD_TICK_HI = 4;
    uint256 internal constant SETTLE_WORD_TICK_LO = 5;
    uint256 internal constant SETTLE_WORD_NEW_ROOT_HI = 6;
    uint256 internal constant SETTLE_WORD_NEW_ROOT_LO = 7;
    uint256 internal constant SETTLE_FIXED = 8;
    uint256 internal constant SETTLE_WRITTEN = 6;
    uint256 internal constant SETTLE_AT_TOUCH = 0;
    uint256 internal constant SETTLE_AT_L1 = 1;
    uint256 internal constant SETTLE_AT_TARGET = 2;
    uint256 internal constant SETTLE_AT_OWNER_LO = 3;
    uint256 internal constant SETTLE_PER_TOUCH = 4;

    uint256 internal constant TICK_WORD_HEADER = 0;
    uint256 internal constant TICK_WORD_DOMAIN = 1;
    uint256 internal constant TICK_WORD_PREVIOUS_HI = 2;
    uint256 internal constant TICK_WORD_PREVIOUS_LO = 3;
    uint256 internal constant TICK_WORD_PARAMS_HI = 4;
    uint256 internal constant TICK_WORD_PARAMS_LO = 5;
    uint256 internal constant TICK_WORD_TICK_HI = 6;
    uint256 internal constant TICK_WORD_TICK_LO = 7;
    uint256 internal constant TICK_WORD_TICK_HEAD = 8;
    uint256 internal constant TICK_FIXED = 9;
    uint256 internal constant TICK_WRITTEN = 6;
    uint256 internal constant TICK_AT_TICK_INSTRUMENT = 0;
    uint256 internal constant TICK_PER_INSTRUMENT = 1;

    uint256 internal constant SWEEP_WORD_HEADER = 0;
    uint256 internal constant SWEEP_WORD_DOMAIN = 1;
    uint256 internal constant SWEEP_WORD_ROOT_HI = 2;
    uint256 internal constant SWEEP_WORD_ROOT_LO = 3;
    uint256 internal constant SWEEP_WORD_TICK_HI = 4;
    uint256 internal constant SWEEP_WORD_TICK_LO = 5;
    uint256 internal constant SWEEP_WORD_NEW_ROOT_HI = 6;
    uint256 internal constant SWEEP_WORD_NEW_ROOT_LO = 7;
    uint256 internal constant SWEEP_WORD_SWEEP_HEAD = 8;
    uint256 internal constant SWEEP_FIXED = 9;
    uint256 internal constant SWEEP_WRITTEN = 6;
    uint256 internal constant SWEEP_AT_PAGE = 0;
    uint256 internal constant SWEEP_PER_PAGE = 1;

    uint256 internal constant REGROUP_WORD_HEADER = 0;
    uint256 internal constant REGROUP_WORD_DOMAIN = 1;
    uint256 internal constant REGROUP_WORD_ROOT_HI = 2;
    uint256 internal constant REGROUP_WORD_ROOT_LO = 3;
    uint256 internal constant REGROUP_WORD_TICK_HI = 4;
    uint256 internal constant REGROUP_WORD_TICK_LO = 5;
    uint256 internal constant REGROUP_WORD_NEW_ROOT_HI = 6;
    uint256 internal constant REGROUP_WORD_NEW_ROOT_LO = 7;
    uint256 internal constant REGROUP_WORD_REGROUP_HEAD = 8;
    uint256 internal constant REGROUP_FIXED = 9;
    uint256 internal constant REGROUP_WRITTEN = 6;
    uint256 internal constant REGROUP_AT_PAGE = 0;
    uint256 internal constant REGROUP_AT_ORIGINS_0 = 1;
    uint256 internal constant REGROUP_AT_ORIGINS_1 = 2;
    uint256 internal constant REGROUP_AT_ORIGINS_2 = 3;
    uint256 internal constant REGROUP_AT_ORIGINS_3 = 4;
    uint256 internal constant REGROUP_PER_PAGE = 5;

    uint256 internal constant CARRY_WORD_HEADER = 0;
    uint256 internal constant CARRY_WORD_DOMAIN = 1;
    uint256 internal constant CARRY_WORD_ROOT_HI = 2;
    uint256 internal constant CARRY_WORD_ROOT_LO = 3;
    uint256 internal constant CARRY_WORD_TICK_HI = 4;
    uint256 internal constant CARRY_WORD_TICK_LO = 5;
    uint256 internal constant CARRY_WORD_NEW_ROOT_HI = 6;
    uint256 internal constant CARRY_WORD_NEW_ROOT_LO = 7;
    uint256 internal constant CARRY_FIXED = 8;
    uint256 internal constant CARRY_WRITTEN = 6;
    uint256 internal constant CARRY_AT_BLOCK = 0;
    uint256 internal constant CARRY_PER_BLOCK = 1;

    uint256 internal constant COVERAGE_WORD_HEADER = 0;
    uint256 internal constant COVERAGE_WORD_DOMAIN = 1;
    uint256 internal constant COVERAGE_WORD_ROOT_HI = 2;
    uint256 internal constant COVERAGE_WORD_ROOT_LO = 3;
    uint256 internal constant COVERAGE_WORD_TICK_HI = 4;
    uint256 internal constant COVERAGE_WORD_TICK_LO = 5;
    uint256 internal constant COVERAGE_WORD_COVER_HEAD = 6;
    uint256 internal constant COVERAGE_FIXED = 7;
    uint256 internal constant COVERAGE_WRITTEN = 6;
}
