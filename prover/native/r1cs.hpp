// SPDX-License-Identifier: GPL-3.0-or-later
// Constraint systems as circom writes them (.r1cs): every constraint is <A_c, w> * <B_c, w> = <C_c, w>.
#pragma once
#include "files.hpp"

namespace zkm {

struct R1csHeader {
    u32 wires, outputs, inputs, constraints;
    u32 public_signals() const { return outputs + inputs; }
};

class R1cs {
public:
    explicit R1cs(const std::string& path) : file_(path, "r1cs"), header(read_header(file_)) {}

    // The constraints' bytes, for each_term().
    Reader constraints() const { return file_.section(2); }

    // term(matrix, constraint, wire, coefficient) for every term in file order; matrix 0, 1, 2 is A, B, C.
    template <class Term>
    void each_term(Reader reader, const Term& term) const {
        for (u32 c = 0; c < header.constraints; c++)
            for (int matrix = 0; matrix < 3; matrix++) {
                const u32 count = reader.number();
                for (u32 i = 0; i < count; i++) {
                    const u32 wire = reader.number();
                    if (wire >= header.wires) reader.fail("names a wire that does not exist");
                    term(matrix, c, wire, reader.element(ScalarField::p));
                }
            }
        reader.expect_end();
    }

private:
    static R1csHeader read_header(const SectionFile& file);
    SectionFile file_;

public:
    const R1csHeader header;
};

}  // namespace zkm
