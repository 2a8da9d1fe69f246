// SPDX-License-Identifier: GPL-3.0-or-later
// Where the CPU time of a proof goes, part by part.
#pragma once
#include <ctime>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "parallel.hpp"

namespace zkm {

// CPU seconds by part. Each measurement is of the thread that makes it, so a part that hands work to other threads is
// told in full only when it runs in one.
class Parts {
public:
    template <class Work>
    void time(const char* part, const Work& work) {
        const double start = thread_seconds();
        work();
        const double spent = thread_seconds() - start;
        std::lock_guard<std::mutex> lock(guard_);
        seconds_[part] += spent;
    }
    const std::map<std::string, double>& seconds() const { return seconds_; }

private:
    static double thread_seconds() {
        timespec now;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
    }
    std::map<std::string, double> seconds_;
    std::mutex guard_;
};

// Work that may be done in any order, and the part it belongs to.
struct Task {
    const char* part;
    std::function<void()> work;
};

inline void run_tasks(const std::vector<Task>& tasks, int threads, Parts& parts) {
    parallel_for(tasks.size(), threads, [&](size_t i) { parts.time(tasks[i].part, tasks[i].work); });
}

}  // namespace zkm
