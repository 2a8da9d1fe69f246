// SPDX-License-Identifier: GPL-3.0-or-later
#include "files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace zkm {

// The system would take a path only up to its first zero byte.
static const char* system_path(const std::string& path) {
    if (path.find('\0') != std::string::npos) throw BadInput("a path holds a zero byte: " + std::string(path.c_str()));
    return path.c_str();
}

InputFile::InputFile(const std::string& path) : path_(path) {
    file_ = open(system_path(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe would else wait for its other end
    if (file_ < 0) throw BadInput("cannot open " + path + ": " + std::strerror(errno));
    struct stat info;
    if (fstat(file_, &info) || !S_ISREG(info.st_mode)) {
        close(file_);
        throw BadInput(path + " is not a regular file");
    }
    size_ = static_cast<u64>(info.st_size);
}

InputFile::~InputFile() { close(file_); }

void InputFile::read(u64 at, void* into, u64 bytes) const {
    if (at > size_ || bytes > size_ - at) throw BadInput(path_ + " ends too early");
    u8* out = static_cast<u8*>(into);
    while (bytes) {
        const ssize_t got = pread(file_, out, bytes, static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw BadInput("cannot read " + path_ + ": " + std::strerror(errno));
        if (!got) throw BadInput(path_ + " ends too early");
        out += got;
        at += static_cast<u64>(got);
        bytes -= static_cast<u64>(got);
    }
}

SectionFile::SectionFile(const std::string& path, const char* magic) : path_(path), file_(path) {
    u8 head[12];
    u32 version, count, type;
    u64 at = sizeof head, size;
    if (file_.size() >= at) file_.read(0, head, sizeof head);
    if (file_.size() < at || std::memcmp(head, magic, 4)) throw BadInput(path + " is not a ." + magic + " file");
    std::memcpy(&version, head + 4, 4);
    std::memcpy(&count, head + 8, 4);
    if (version != 1) throw BadInput(path + " has an unknown version");
    if (count > MOST_SECTIONS) throw BadInput(path + " has too many sections: " + std::to_string(count));
    for (u32 i = 0; i < count; i++) {
        file_.read(at, head, sizeof head);
        at += sizeof head;
        std::memcpy(&type, head, 4);
        std::memcpy(&size, head + 4, 8);
        if (size > file_.size() - at) throw BadInput(path + " ends too early");
        if (!sections_.emplace(type, Span{at, size}).second)
            throw BadInput(path + " has section " + std::to_string(type) + " twice");
        at += size;
    }
    if (at != file_.size()) throw BadInput(path + " is longer than its contents");
}

const SectionFile::Span& SectionFile::find(u32 type) const {
    const auto found = sections_.find(type);
    if (found == sections_.end()) throw BadInput(path_ + " has no section " + std::to_string(type));
    return found->second;
}

Reader SectionFile::section(u32 type) const {
    const Span span = find(type);
    std::shared_ptr<u8[]> bytes(new u8[span.size]);
    file_.read(span.at, bytes.get(), span.size);
    return Reader(bytes, span.size, name(type));
}

Reader SectionFile::section(u32 type, u64 bytes) const {
    if (length(type) != bytes)
        throw BadInput(name(type) + " has " + std::to_string(length(type)) + " bytes instead of " + std::to_string(bytes));
    return section(type);
}

SectionWriter::SectionWriter(std::string path, const char* magic, u32 sections)
    : path_(std::move(path)), draft_(path_ + ".part") {
    file_ = std::fopen(system_path(draft_), "wb");
    if (!file_) throw BadInput("cannot write " + draft_ + ": " + std::strerror(errno));
    write(magic, 4);
    number(1);
    number(sections);
}

SectionWriter::~SectionWriter() {
    if (!file_) return;
    std::fclose(file_);
    std::remove(draft_.c_str());
}

void SectionWriter::fail(const char* what) const {
    throw BadInput(std::string("cannot ") + what + " " + draft_ + ": " + std::strerror(errno));
}

void SectionWriter::write(const void* data, size_t bytes) {
    if (bytes && std::fwrite(data, 1, bytes, file_) != bytes) fail("write");
}

void SectionWriter::begin(u32 type) {
    number(type);
    length_at_ = std::ftell(file_);
    const u64 unknown = 0;
    write(&unknown, 8);
}

void SectionWriter::end() {
    const u64 size = static_cast<u64>(std::ftell(file_) - length_at_ - 8);
    patch(length_at_, &size, 8);
}

void SectionWriter::patch(long position, const void* data, size_t bytes) {
    if (std::fseek(file_, position, SEEK_SET)) fail("seek in");
    write(data, bytes);
    if (std::fseek(file_, 0, SEEK_END)) fail("seek in");
}

void SectionWriter::finish() {
    std::FILE* file = file_;
    file_ = nullptr;
    if (std::fclose(file) || std::rename(draft_.c_str(), path_.c_str())) {
        const int reason = errno;
        std::remove(draft_.c_str());
        errno = reason;
        fail("finish");
    }
}

}  // namespace zkm
