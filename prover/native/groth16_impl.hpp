// SPDX-License-Identifier: GPL-3.0-or-later
// The Groth16 prover (eprint 2016/260), with snarkjs's choice of domain and quotient.
#pragma once
#include <optional>

#include "groth16.hpp"
#include "groth16_key.hpp"
#include "ntt.hpp"
#include "random.hpp"

namespace zkm::ZKM_ARCH {

class Groth16Prover final : public Groth16 {
public:
    Groth16Prover(const std::string& path, int threads) : key_(path, threads), coset_(key_.log_domain, threads) {
        wires = key_.wires;
        public_signals = key_.public_signals;
    }

    void prove(const u8* witness, int threads, u8* proof, Parts& parts) const override {
        std::vector<Limbs> w(wires);
        std::memcpy(w.data(), witness, 32 * (size_t)wires);
        std::optional<DigitTable> digits, quotient_digits;
        parts.time("digits", [&] { digits.emplace(w.data(), wires, choose_bits(w.data(), wires, BUCKET_COST), threads); });
        Msm<Fq> a(key_.a, *digits), c(key_.c, *digits);
        Msm<Fq2> b(key_.b, *digits);

        std::vector<Fr> va, vb, vc;
        parts.time("rows", [&] {
            va = rows(0, w, threads);
            vb = rows(1, w, threads);
            vc.resize(va.size());
            parallel_ranges(va.size(), 1024, threads, [&](size_t begin, size_t end) {
                for (size_t i = begin; i < end; i++) vc[i] = va[i] * vb[i];
            });
        });
        std::vector<Task> tasks;
        for (std::vector<Fr>* v : {&va, &vb, &vc}) tasks.push_back({"transforms", [this, v] { coset_.apply(v->data()); }});
        b.add_tasks("b", tasks);
        a.add_tasks("a", tasks);
        c.add_tasks("c", tasks);
        run_tasks(tasks, threads, parts);

        std::vector<Limbs> quotient(va.size());
        parts.time("rows", [&] {
            parallel_ranges(va.size(), 1024, threads, [&](size_t begin, size_t end) {
                for (size_t i = begin; i < end; i++) quotient[i] = (va[i] * vb[i] - vc[i]).canonical();
            });
        });
        parts.time("digits", [&] {
            quotient_digits.emplace(quotient.data(), quotient.size(),
                                    choose_bits(quotient.data(), quotient.size(), BUCKET_COST), threads);
        });
        Msm<Fq> h(key_.h, *quotient_digits);
        tasks.clear();
        h.add_tasks("h", tasks);
        run_tasks(tasks, threads, parts);

        parts.time("blinding", [&] {
            Extended<Fq> sum_c = c.result();
            sum_c.add(h.result());
            blind(a.result(), b.result(), sum_c, proof);
        });
    }

private:
    // <row, w> for every row of a matrix, in Montgomery form. Values hold v R^2, so one reduction of v R^2 w gives v w R.
    std::vector<Fr> rows(int which, const std::vector<Limbs>& w, int threads) const {
        constexpr int most_products = 22;
        const SparseMatrix& m = key_.matrix[which];
        std::vector<Fr> out(key_.domain_size());
        parallel_ranges(out.size(), 256, threads, [&](size_t begin, size_t end) {
            u32 at = begin ? m.row_end[begin - 1] : 0;
            for (size_t row = begin; row < end; row++) {
                Fr plain = Fr::zero(), sum = plain;
                ProductSum<ScalarField> products;
                int held = 0;
                for (; at < m.row_end[row]; at++) {
                    const Fr signal = Fr::wrap(w[m.terms[at].wire]);
                    const u32 code = m.terms[at].code;
                    if (code == 0) {
                        plain = plain + signal;
                    } else if (code == 1) {
                        plain = plain - signal;
                    } else {
                        products.add(Fr::wrap(key_.values[code]), signal);
                        if (++held == most_products) {
                            sum = sum + products.reduced();
                            products = {};
                            held = 0;
                        }
                    }
                }
                if (held) sum = sum + products.reduced();
                out[row] = plain.is_zero() ? sum : sum + Fr::from_canonical(plain);
            }
        });
        return out;
    }

    // Groth16 draws r and s and proves with A + r delta, B + s delta and a C that needs B in G1 as well. The same
    // distribution comes from (A/r, r (B + s delta), C + s A): of proofs that hold, A and B are uniform and independent,
    // and they leave one C. So the sum over the key's section 6, B in G1, an eighth of a proof, is never made.
    void blind(Extended<Fq> a, Extended<Fq2> b, Extended<Fq> c, u8* proof) const {
        Limbs r = random_scalar(), s = random_scalar(), inverse = Fr::from_canonical(r).inverse().canonical();
        a.add(key_.alpha1);
        c.add(multiply(a, s));
        a = multiply(a, inverse);
        b.add(key_.beta2);
        b.add(multiply(key_.delta2, s));
        b = multiply(b, r);
        wipe(r);
        wipe(s);
        wipe(inverse);
        const Affine<Fq> pa = a.affine(), pc = c.affine();
        const Affine<Fq2> pb = b.affine();
        for (const Fq* coordinate : {&pa.x, &pa.y, &pb.x.b, &pb.x.a, &pb.y.b, &pb.y.a, &pc.x, &pc.y}) {
            const Limbs word = coordinate->canonical();
            for (int i = 0; i < 32; i++) *proof++ = static_cast<u8>(word.v[3 - i / 8] >> (56 - 8 * (i % 8)));
        }
    }

    Groth16Key key_;
    CosetShift coset_;
};

inline std::unique_ptr<Groth16> load_prover(const std::string& path, int threads) {
    return std::make_unique<Groth16Prover>(path, threads);
}

// Sum of scalars[i] * points[i], canonical affine words; for tests.
template <class F>
void msm_on(const u8* points, const Limbs* scalars, size_t count, int bits, int threads, u8* out) {
    Bases<F> bases;
    for (size_t i = 0; i < count; i++) {
        Affine<F> p;
        std::memcpy(static_cast<void*>(&p), points + i * sizeof p, sizeof p);
        for (size_t k = 0; k < sizeof p / 32; k++) {
            Fq& word = reinterpret_cast<Fq*>(&p)[k];
            word = Fq::from_canonical(word);
        }
        if (!on_curve(p)) throw BadInput("point " + std::to_string(i) + " is not on the curve");
        if (p.is_infinity()) continue;
        bases.points.push_back(p);
        bases.index.push_back(static_cast<u32>(i));
    }
    to_stored(bases.points.data(), bases.points.size());
    const DigitTable digits(scalars, count, bits ? bits : choose_bits(scalars, count, BUCKET_COST), threads);
    Msm<F> msm(bases, digits);
    std::vector<Task> tasks;
    Parts parts;
    msm.add_tasks("sum", tasks);
    run_tasks(tasks, threads, parts);
    const Affine<F> sum = msm.result().affine();
    for (size_t k = 0; k < sizeof sum / 32; k++) {
        const Limbs word = reinterpret_cast<const Fq*>(&sum)[k].canonical();
        std::memcpy(out + 32 * k, &word, 32);
    }
}

inline void msm(bool g2, const u8* points, const Limbs* scalars, size_t count, int bits, int threads, u8* out) {
    g2 ? msm_on<Fq2>(points, scalars, count, bits, threads, out) : msm_on<Fq>(points, scalars, count, bits, threads, out);
}

// Values on the subgroup of order 2^log_size to values on its coset, canonical words in place; for tests.
inline void coset_shift(Limbs* values, int log_size) {
    const size_t n = size_t{1} << log_size;
    std::vector<Fr> a(n);
    for (size_t i = 0; i < n; i++) a[i] = Fr::from_canonical(values[i]);
    CosetShift(log_size, 1).apply(a.data());
    for (size_t i = 0; i < n; i++) values[i] = a[i].canonical();
}

}  // namespace zkm::ZKM_ARCH
