// SPDX-License-Identifier: GPL-3.0-or-later
// A loaded proving key.
#pragma once
#include <memory>
#include <string>

#include "limbs.hpp"
#include "parts.hpp"

namespace zkm {

constexpr size_t PROOF_BYTES = 256;

class Groth16 {
public:
    virtual ~Groth16() = default;
    u32 wires = 0, public_signals = 0;

    // Witness: `wires` canonical words. Proof: A.x A.y, B.x and B.y each imaginary part first, C.x C.y, as 32-byte
    // big-endian numbers: the order of the chain's precompile. Fresh blinding in every call; may run in several threads
    // at once. A witness that does not meet the constraints yields a proof that does not verify.
    // `parts` takes the CPU time of: rows, transforms, digits, the sums a b c h, and blinding.
    virtual void prove(const u8* witness, int threads, u8* proof, Parts& parts) const = 0;
};

}  // namespace zkm
