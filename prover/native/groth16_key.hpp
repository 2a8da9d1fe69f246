// SPDX-License-Identifier: GPL-3.0-or-later
// Reading a snarkjs .zkey into the form the prover works on. Lengths, indices, ranges and curve equations are checked, so
// that no file can lead the prover out of its memory or into endless work. Not checked: that G2 points are in the
// subgroup (a multiplication a point: minutes for a large key) and that points and coefficients belong to the circuit
// (nothing in the file could tell). For both the key file's hash must vouch, which the caller compares; a key that is
// well formed but wrong gives proofs that do not verify. Section 10, the ceremony's log, is not read.
#pragma once
#include "files.hpp"
#include "msm.hpp"
#include "random.hpp"

namespace zkm::ZKM_ARCH {

// Rows of A and B as (wire, code): codes 0 and 1 stand for the coefficients 1 and -1, others for values[code].
struct SparseMatrix {
    std::vector<u32> row_end;  // one a row
    struct Term {
        u32 wire, code;
    };
    std::vector<Term> terms;
};

// Distinct coefficients: circuits repeat a few thousand values millions of times. The hash is keyed at random, so that no
// file can make all its values collide.
class ValueTable {
public:
    ValueTable() : slots_(1024, EMPTY), key_(random_scalar()) {
        code(Fr::r2);  // the file holds v R^2
        code(Fr::wrap(Fr::r2).neg());
    }
    u32 code(const Limbs& value) {
        if (2 * values.size() >= slots_.size()) grow();
        for (size_t i = slot(value);; i = (i + 1) & (slots_.size() - 1)) {
            if (slots_[i] == EMPTY) {
                slots_[i] = static_cast<u32>(values.size());
                values.push_back(value);
                return slots_[i];
            }
            if (values[slots_[i]] == value) return slots_[i];
        }
    }
    std::vector<Limbs> values;

private:
    static constexpr u32 EMPTY = ~u32{0};
    size_t slot(const Limbs& x) const {
        const u128 low = (u128)(x.v[0] ^ key_.v[0]) * (x.v[1] ^ key_.v[1]);
        const u128 high = (u128)(x.v[2] ^ key_.v[2]) * (x.v[3] ^ key_.v[3]);
        return ((u64)low ^ (u64)(low >> 64) ^ (u64)high ^ (u64)(high >> 64)) & (slots_.size() - 1);
    }
    void grow() {
        slots_.assign(2 * slots_.size(), EMPTY);
        for (size_t k = 0; k < values.size(); k++) {
            size_t i = slot(values[k]);
            while (slots_[i] != EMPTY) i = (i + 1) & (slots_.size() - 1);
            slots_[i] = static_cast<u32>(k);
        }
    }
    std::vector<u32> slots_;
    const Limbs key_;
};

struct Groth16Key {
    u32 wires, public_signals;
    int log_domain = 0;
    Affine<Fq> alpha1, beta1, delta1;
    Affine<Fq2> beta2, gamma2, delta2;
    Bases<Fq> a, c, h;
    Bases<Fq2> b;
    SparseMatrix matrix[2];
    std::vector<Limbs> values;

    size_t domain_size() const { return size_t{1} << log_domain; }

    Groth16Key(const std::string& path, int threads) {
        const SectionFile file(path, "zkey");
        Reader protocol = file.section(1, 4);
        if (protocol.number() != 1) protocol.fail("is of another proof system than Groth16");
        read_header(file.section(2, HEADER_BYTES));
        read_points<Fq>(file, 3, (u64)public_signals + 1, 0, threads, nullptr);
        read_points(file, 5, wires, 0, threads, &a);
        read_points<Fq>(file, 6, wires, 0, threads, nullptr);
        read_points(file, 7, wires, 0, threads, &b);
        read_points(file, 8, wires - public_signals - 1, public_signals + 1, threads, &c);
        read_points(file, 9, domain_size(), 0, threads, &h);
        read_coefficients(file);
    }

private:
    static constexpr u32 MOST_WIRES = ~u32{0} >> 1;  // WindowSum numbers points in 31 bits
    static constexpr u64 HEADER_BYTES = 2 * 36 + 3 * 4 + 3 * sizeof(Affine<Fq>) + 3 * sizeof(Affine<Fq2>);

    void read_header(Reader reader) {
        if (reader.number() != 32 || !(reader.word() == BaseField::p) || reader.number() != 32 ||
            !(reader.word() == ScalarField::p))
            reader.fail("is over another curve than BN254");
        wires = reader.number();
        public_signals = reader.number();
        const u32 size = reader.number();
        if (public_signals >= wires) reader.fail("has more public signals than wires");
        if (wires > MOST_WIRES) reader.fail("has more than 2^31 - 1 wires");
        while (log_domain < ScalarField::two_adicity - 1 && domain_size() < size) log_domain++;
        if (domain_size() != size) reader.fail("has a domain that is no power of two up to 2^27");
        point(reader, alpha1);
        point(reader, beta1);
        point(reader, beta2);
        point(reader, gamma2);
        point(reader, delta1);
        point(reader, delta2);
    }

    static bool element(const Fq& x) { return less(x, BaseField::p); }
    static bool element(const Fq2& x) { return element(x.a) && element(x.b); }

    template <class F>
    static bool valid(const Affine<F>& p) {
        return element(p.x) && element(p.y) && on_curve(p);
    }

    template <class F>
    static void point(Reader& reader, Affine<F>& p) {
        std::memcpy(static_cast<void*>(&p), reader.take(sizeof p), sizeof p);
        if (!valid(p) || p.is_infinity()) reader.fail("holds a point that is not on the curve");
    }

    // Points at infinity are left out; the scalar of point i has number first + i. Without `into`, checks only.
    template <class F>
    static void read_points(const SectionFile& file, u32 section, u64 count, u32 first, int threads, Bases<F>* into) {
        Reader reader = file.section(section, count * sizeof(Affine<F>));
        const u8* bytes = reader.take(reader.left());
        std::atomic<bool> all_valid{true};
        parallel_ranges(count, 1024, threads, [&](size_t begin, size_t end) {
            for (size_t i = begin; i < end; i++) {
                Affine<F> p;
                std::memcpy(static_cast<void*>(&p), bytes + i * sizeof p, sizeof p);
                if (!valid(p)) all_valid = false;
            }
        });
        if (!all_valid) reader.fail("holds a point that is not on the curve");
        if (!into) return;
        const std::string nothing(sizeof(Affine<F>), '\0');
        for (u64 i = 0; i < count; i++) {
            const u8* at = bytes + i * sizeof(Affine<F>);
            if (!std::memcmp(at, nothing.data(), nothing.size())) continue;
            into->index.push_back(first + static_cast<u32>(i));
            into->points.emplace_back();
            std::memcpy(static_cast<void*>(&into->points.back()), at, sizeof(Affine<F>));
        }
        parallel_ranges(into->points.size(), 1024, threads, [&](size_t begin, size_t end) {
            to_stored(&into->points[begin], end - begin);
        });
    }

    void read_coefficients(const SectionFile& file) {
        Reader reader = file.section(4);
        const u32 count = reader.number();
        if (reader.left() != (u64)count * 44) reader.fail("has a length that does not fit its count");
        for (SparseMatrix& m : matrix) m.row_end.assign(domain_size(), 0);
        Reader first = reader;
        for (u32 i = 0; i < count; i++) {
            const u32 which = first.number(), row = first.number(), wire = first.number();
            first.element(ScalarField::p);
            if (which > 1 || row >= domain_size() || wire >= wires) first.fail("names a cell that does not exist");
            matrix[which].row_end[row]++;
        }
        std::vector<u32> next[2];
        for (int k = 0; k < 2; k++) {
            u32 total = 0;
            for (u32& end : matrix[k].row_end) {
                next[k].push_back(total);
                total += end;
                end = total;
            }
            matrix[k].terms.resize(total);
        }
        ValueTable table;
        for (u32 i = 0; i < count; i++) {
            const u32 which = reader.number(), row = reader.number(), wire = reader.number();
            matrix[which].terms[next[which][row]++] = {wire, table.code(reader.word())};
        }
        values = std::move(table.values);
    }
};

}  // namespace zkm::ZKM_ARCH
