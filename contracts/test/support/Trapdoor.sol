// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {CircuitKey, VerifyingKeys} from "../../src/interfaces/IGroth16Verifier.sol";
import {Protocol} from "../../src/generated/Protocol.sol";

/// @notice A verifying key whose secret scalars are known, and sound proofs for any signals under it.
/// @dev Whoever knows alpha, beta, gamma, delta can prove anything: that is why a real setup forgets them. Here it lets the real verifier,
/// with its real pairing, accept or refuse in tests of the ledger's own rules, with no circuit and no mock. What the circuits
/// themselves accept is tested where they are.
library Trapdoor {
    uint256 private constant P = Protocol.FIELD_MODULUS;
    uint256 private constant ALPHA = 5;
    uint256 private constant BETA = 7;
    uint256 private constant GAMMA = 11;
    uint256 private constant IC0 = 19;
    uint256 private constant IC1 = 23;
    uint256 private constant IC2 = 29;
    uint256 private constant IC3 = 31;
    uint256 private constant B = 3;

    uint256 internal constant SETTLE_DELTA = 13;
    uint256 internal constant TICK_DELTA = 17;
    uint256 internal constant SWEEP_DELTA = 37;
    uint256 internal constant COVERAGE_DELTA = 41;
    uint256 internal constant REGROUP_DELTA = 43;
    uint256 internal constant CARRY_DELTA = 47;

    /// @notice The keys of tick, settle, sweep, coverage, regroup and carry: the circuits numbered 1 to 6.
    function keys() internal view returns (VerifyingKeys memory made) {
        made.alpha = g1(ALPHA);
        made.beta = g2(BETA);
        made.gamma = g2(GAMMA);
        made.circuits = new CircuitKey[](6);
        uint256[6] memory deltas =
            [TICK_DELTA, SETTLE_DELTA, SWEEP_DELTA, COVERAGE_DELTA, REGROUP_DELTA, CARRY_DELTA];
        for (uint256 i = 0; i < 6; i++) {
            made.circuits[i].delta = g2(deltas[i]);
            made.circuits[i].ic = [g1(IC0), g1(IC1), g1(IC2), g1(IC3)];
        }
    }

    /// @notice The delta of a circuit, by its number.
    function deltaOf(uint256 circuit) internal pure returns (uint256) {
        return [uint256(0), TICK_DELTA, SETTLE_DELTA, SWEEP_DELTA, COVERAGE_DELTA, REGROUP_DELTA, CARRY_DELTA][circuit];
    }

    /// @notice A proof of `signals`; another `salt` gives another proof.
    function prove(uint256 delta, uint256[3] memory signals, uint256 salt)
        internal
        view
        returns (uint256[8] memory proof)
    {
        uint256 a = addmod(uint256(keccak256(abi.encode(signals, salt))), 1, P);
        uint256 sum = IC0;
        sum = addmod(sum, mulmod(signals[0], IC1, P), P);
        sum = addmod(sum, mulmod(signals[1], IC2, P), P);
        sum = addmod(sum, mulmod(signals[2], IC3, P), P);
        // a*b = alpha*beta + sum*gamma + c*delta
        uint256 c = addmod(mulmod(a, B, P), P - ALPHA * BETA, P);
        c = addmod(c, P - mulmod(sum, GAMMA, P), P);
        c = mulmod(c, inverse(delta), P);

        uint256[2] memory first = g1(a);
        uint256[4] memory second = g2(B);
        uint256[2] memory third = g1(c);
        return [first[0], first[1], second[0], second[1], second[2], second[3], third[0], third[1]];
    }

    /// @notice `factor` times the generator of G1.
    function g1(uint256 factor) internal view returns (uint256[2] memory point) {
        (bool done, bytes memory out) = address(7).staticcall(abi.encode(1, 2, factor));
        require(done, "precompile 7");
        return abi.decode(out, (uint256[2]));
    }

    /// @notice `factor` times the generator of G2, for the factors used here: no precompile multiplies in G2.
    function g2(uint256 factor) internal pure returns (uint256[4] memory) {
        if (factor == B) {
            return [
                7273165102799931111715871471550377909735733521218303035754523677688038059653,
                2725019753478801796453339367788033689375851816420509565303521482350756874229,
                957874124722006818841961785324909313781880061366718538693995380805373202866,
                2512659008974376214222774206987427162027254181373325676825515531566330959255
            ];
        }
        if (factor == BETA) {
            return [
                18551411094430470096460536606940536822990217226529861227533666875800903099477,
                15512671280233143720612069991584289591749188907863576513414377951116606878472,
                1711576522631428957817575436337311654689480489843856945284031697403898093784,
                13376798835316611669264291046140500151806347092962367781523498857425536295743
            ];
        }
        if (factor == GAMMA) {
            return [
                15624790064206502667756020446826209080711344272800176518784649088946231692936,
                8472151341754925747860535367990505955708751825377817860727104273184244800723,
                19488077321171448217727198730828487286865984357780136663388739985720647978898,
                1196137947243150610106053819405501111182787323156221967342356892090037828244
            ];
        }
        if (factor == SETTLE_DELTA) {
            return [
                280672898440571232725436467950720547829638241593507531241322547969961007057,
                16137324789686743234629608741537369181251990815455155257427276976918350071287,
                17641806683785498955878869918183868440783188556637975525088932771694068429840,
                12136420650226457477690750437223209427924916790606163705631661913973995426040
            ];
        }
        if (factor == SWEEP_DELTA) {
            return [
                2019050928575347605638490762886992026922085924959710776569383806797571971069,
                21740656624264531918905957436349160317178065932174634873434489096384118284193,
                9386111668168143378799867099066976687163019156923561176364278935596535020065,
                768940004759184688611731872359665907813921273999645987556749132562407031847
            ];
        }
        if (factor == COVERAGE_DELTA) {
            return [
                7753820733870010007002567610296293542789734490422667563726262060646954483828,
                9196454279045833558964584763522054629402264714430462349585327397513246589059,
                20541522916252121878823226344242781501445438469839352658759729302896506657102,
                16884217140014367286894274128397983223598541959667992086512433551579010917438
            ];
        }
        if (factor == REGROUP_DELTA) {
            return [
                7845190333332611579059375269712219588001082514016463187265102229501305628304,
                11683355594198628277867101479148924098003295844467591356664655577802436828376,
                12037413188043621803844228850281501247620648322744218788163332304502256498262,
                14919273092448452255380334163335215255859678604153340442713369365074601302
            ];
        }
        if (factor == CARRY_DELTA) {
            return [
                822435006703578052486693894169224547345703592349272250848591985464208633346,
                2692814912520575729226129929209630491708211716927626490178905154495324601590,
                41883883948930588489467675904734695546291555795208938439205792414842558744,
                20794359489898606635317049499271193195256862397986252819237273234051208271942
            ];
        }
        require(factor == TICK_DELTA, "no such multiple here");
        return [
            15577308679414974642168536368096450326086203870944559758314800234684337462316,
            5571996575954125260736435753480252954196528247617148060558631406349160775832,
            3949072583587836530885517791345259776526014207612010591436388615095276192789,
            11302850696403459405052467769487663388868168369318255751101607320138145101673
        ];
    }

    function inverse(uint256 value) private view returns (uint256) {
        (bool done, bytes memory out) = address(5).staticcall(abi.encode(32, 32, 32, value, P - 2, P));
        require(done, "precompile 5");
        return abi.decode(out, (uint256));
    }
}
