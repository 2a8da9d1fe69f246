// SPDX-License-Identifier: GPL-3.0-or-later
// Splitting work over threads. An exception in a part is thrown again in the caller.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace zkm {

constexpr int MOST_THREADS = 256;

// Calls part(i) for i in [0, parts), in no particular order, on up to `threads` threads including the caller's.
template <class Part>
void parallel_for(size_t parts, int threads, const Part& part) {
    std::atomic<size_t> next{0};
    std::exception_ptr error;
    std::mutex guard;
    auto work = [&] {
        for (size_t i; (i = next++) < parts;) {
            try {
                part(i);
            } catch (...) {
                std::lock_guard<std::mutex> lock(guard);
                if (!error) error = std::current_exception();
                next = parts;
            }
        }
    };
    std::vector<std::thread> pool;
    const size_t workers = std::min<size_t>(parts, (size_t)std::min(std::max(threads, 1), MOST_THREADS));
    try {
        for (size_t i = 1; i < workers; i++) pool.emplace_back(work);
    } catch (const std::exception&) {
        // The system grants no more threads, or no memory for them; those there are do all the work.
    }
    work();
    for (auto& thread : pool) thread.join();
    if (error) std::rethrow_exception(error);
}

// Calls range(begin, end) over blocks of [0, count) of at least `least` elements.
template <class Range>
void parallel_ranges(size_t count, size_t least, int threads, const Range& range) {
    const size_t wanted = (size_t)std::min(std::max(threads, 1), MOST_THREADS) * 4;
    const size_t block = std::max(least, (count + wanted - 1) / wanted);
    const size_t parts = (count + block - 1) / block;
    if (threads <= 1) {
        if (count) range(size_t{0}, count);
        return;
    }
    parallel_for(parts, threads, [&](size_t i) { range(i * block, std::min(count, (i + 1) * block)); });
}

}  // namespace zkm
