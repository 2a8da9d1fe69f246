// SPDX-License-Identifier: GPL-3.0-or-later
// Development proving keys: one party draws all secrets, uses them and forgets them. Anybody who kept them could forge
// proofs, so such keys are for development and demonstrations; real ones come from a ceremony.
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace zkm {

struct SetupJob {
    std::string r1cs, zkey;
};

// Called between steps with the circuit's index and the step's name; may throw to stop.
using SetupProgress = std::function<void(size_t circuit, const char* step)>;

}  // namespace zkm
