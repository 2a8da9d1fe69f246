// SPDX-License-Identifier: GPL-3.0-or-later
#include "r1cs.hpp"

namespace zkm {

R1csHeader R1cs::read_header(const SectionFile& file) {
    if (file.has(4) || file.has(5)) throw BadInput(file.path() + " uses custom gates, which Groth16 has not");
    Reader reader = file.section(1, 64);
    if (reader.number() != 32 || !(reader.word() == ScalarField::p))
        reader.fail("is over another field than BN254's scalars");
    R1csHeader h{};
    h.wires = reader.number();
    h.outputs = reader.number();
    h.inputs = reader.number();
    const u32 private_inputs = reader.number();
    reader.long_number();  // labels
    h.constraints = reader.number();
    if ((u64)h.outputs + h.inputs + private_inputs + 1 > h.wires) reader.fail("declares more signals than wires");
    // Counts are believed only as far as the file's length bears them out, before any memory is asked for.
    if (file.length(2) < 12 * (u64)h.constraints) reader.fail("declares more constraints than the file holds");
    if (file.length(3) != 8 * (u64)h.wires) reader.fail("declares another number of wires than it labels");
    return h;
}

}  // namespace zkm
