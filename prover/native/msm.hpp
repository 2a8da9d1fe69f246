// SPDX-License-Identifier: GPL-3.0-or-later
// Sums of multiples of many points (Pippenger's bucket method). For each window of the scalars' digits, points with the
// same digit are added up pair by pair, all buckets at once, so that nearly every addition is a batched affine one.
#pragma once
#include <cstdlib>
#include <vector>

#include "digits.hpp"
#include "pair_adder.hpp"
#include "parts.hpp"

namespace zkm::ZKM_ARCH {

// What weighing a bucket costs, in batched additions. Fewer of the steps involved profit from IFMA than for adding up.
constexpr double BUCKET_COST = ZKM_IFMA ? 4 : 2.5;

// Points of a proving key without those at infinity, in stored form; point i belongs to scalar index[i].
template <class F>
struct Bases {
    std::vector<Affine<F>> points;
    std::vector<u32> index;
};

template <class F>
class WindowSum {
public:
    WindowSum(const Bases<F>& bases, const int16_t* digits, int bits)
        : bases_(bases), digits_(digits), buckets_(size_t{1} << (bits - 1)) {}

    Extended<F> compute() {
        sort();
        if (order_.empty()) return Extended<F>::infinity();
        add_up();
        return buckets_ >= 32 * SEGMENT ? weigh_by_segments() : weigh();
    }

private:
    static constexpr size_t SEGMENT = 16;

    // Counting sort of the points by bucket; an entry is a point's number and, lowest, its sign.
    void sort() {
        const size_t n = bases_.index.size();
        length_.assign(buckets_ + 1, 0);
        for (size_t i = 0; i < n; i++) length_[std::abs(digits_[bases_.index[i]])]++;
        length_[0] = 0;
        start_.resize(buckets_ + 1);
        u32 total = 0;
        for (size_t b = 1; b <= buckets_; b++) {
            start_[b] = total;
            total += length_[b];
        }
        order_.resize(total);
        std::vector<u32> next = start_;
        for (size_t i = 0; i < n; i++) {
            const int d = digits_[bases_.index[i]];
            if (d) order_[next[std::abs(d)]++] = static_cast<u32>(i) << 1 | (d < 0);
        }
    }

    inline auto base(u32 entry) const { return signed_point(bases_.points[entry >> 1], entry & 1); }

    // Halves every bucket until one point is left.
    void add_up() {
        sums_.resize(order_.size() / 2 + buckets_);
        u32 longest = halve([&](u32 i) { return base(order_[i]); });
        std::vector<Affine<F>> previous(sums_.size());
        while (longest > 1) {
            previous.swap(sums_);
            longest = halve([&](u32 i) { return signed_point(previous[i]); });
        }
    }

    // One round, from the points that `source` gives by position into sums_; the size of the fullest bucket then.
    template <class Source>
    u32 halve(const Source& source) {
        u32 at = 0, longest = 0;
        for (size_t b = 1; b <= buckets_; b++) {
            const u32 from = start_[b], length = length_[b];
            start_[b] = at;
            for (u32 j = 0; j + 1 < length; j += 2) adder_.push(source(from + j), source(from + j + 1), &sums_[at++]);
            if (length & 1) sums_[at++] = value_of<F>(source(from + length - 1));
            length_[b] = (length + 1) / 2;
            longest = std::max(longest, length_[b]);
        }
        adder_.flush();
        return longest;
    }

    // Sum of b times bucket b, by adding running sums from the top.
    Extended<F> weigh() {
        from_stored(sums_.data(), start_[buckets_] + length_[buckets_]);
        Extended<F> running = Extended<F>::infinity(), total = running;
        for (size_t b = buckets_; b >= 1; b--) {
            if (length_[b]) running.add(sums_[start_[b]]);
            total.add(running);
        }
        return total;
    }

    // The same when there are many buckets: running sums of many short segments side by side, in batched additions.
    Extended<F> weigh_by_segments() {
        const size_t segments = buckets_ / SEGMENT;
        std::vector<Affine<F>> running(segments, Affine<F>::infinity()), total = running;
        for (size_t k = SEGMENT; k-- > 0;) {
            for (size_t s = 0; s < segments; s++) {
                add_into(total[s], running[s]);
                const size_t b = s * SEGMENT + k + 1;
                if (length_[b]) add_into(running[s], sums_[start_[b]]);
            }
            adder_.flush();
        }
        from_stored(running.data(), segments);
        from_stored(total.data(), segments);
        Extended<F> sum = Extended<F>::infinity(), tail = sum, tails = sum;
        for (size_t s = segments; s-- > 0;) {
            sum.add(total[s]);
            sum.add(running[s]);
            tails.add(tail);  // after the last step: sum of s * running[s]
            tail.add(running[s]);
        }
        for (size_t weight = SEGMENT; weight > 1; weight /= 2) tails = tails.dbl();
        sum.add(tails);
        return sum;
    }

    void add_into(Affine<F>& to, const Affine<F>& p) {
        if (p.is_infinity()) return;
        if (to.is_infinity())
            to = p;
        else
            adder_.push(signed_point(to), signed_point(p), &to);
    }

    const Bases<F>& bases_;
    const int16_t* digits_;
    size_t buckets_;
    std::vector<u32> start_, length_, order_;
    std::vector<Affine<F>> sums_;
    PairAdder<F> adder_;
};

// One multi-scalar multiplication, as tasks to run in any order and a result to take when all are done.
template <class F>
class Msm {
public:
    Msm(const Bases<F>& bases, const DigitTable& digits) : bases_(bases), digits_(digits), windows_(digits.windows) {}

    void add_tasks(const char* part, std::vector<Task>& tasks) {
        for (int w = 0; w < digits_.windows; w++)
            tasks.push_back({part, [this, w] {
                windows_[w] = WindowSum<F>(bases_, digits_.window(w), digits_.bits).compute();
            }});
    }

    Extended<F> result() const {
        Extended<F> sum = Extended<F>::infinity();
        for (int w = digits_.windows; w-- > 0;) {
            for (int i = 0; i < digits_.bits; i++) sum = sum.dbl();
            sum.add(windows_[w]);
        }
        return sum;
    }

private:
    const Bases<F>& bases_;
    const DigitTable& digits_;
    std::vector<Extended<F>> windows_;
};

}  // namespace zkm::ZKM_ARCH
