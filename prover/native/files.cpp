// SPDX-License-Identifier: GPL-3.0-or-later
#include "files.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace zkm {

MappedFile::MappedFile(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw BadInput("cannot open " + path + ": " + std::strerror(errno));
    struct stat info;
    if (fstat(fd, &info) || !S_ISREG(info.st_mode)) {
        close(fd);
        throw BadInput(path + " is not a regular file");
    }
    size_ = static_cast<size_t>(info.st_size);
    if (size_) {
        void* mapped = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
        if (mapped == MAP_FAILED) {
            const std::string reason = std::strerror(errno);
            close(fd);
            throw BadInput("cannot map " + path + ": " + reason);
        }
        data_ = static_cast<const u8*>(mapped);
    }
    close(fd);
}

MappedFile::~MappedFile() {
    if (data_) munmap(const_cast<u8*>(data_), size_);
}

SectionFile::SectionFile(const std::string& path, const char* magic) : path_(path), file_(path) {
    Reader reader(file_.data(), file_.size(), path);
    if (reader.left() < 12 || std::memcmp(reader.take(4), magic, 4))
        reader.fail(std::string("is not a .") + magic + " file");
    if (reader.number() != 1) reader.fail("has an unknown version");
    const u32 count = reader.number();
    for (u32 i = 0; i < count; i++) {
        const u32 type = reader.number();
        const u64 size = reader.long_number();
        if (!sections_.emplace(type, Span{reader.take(size), size}).second)
            reader.fail("has section " + std::to_string(type) + " twice");
    }
    reader.expect_end();
}

Reader SectionFile::section(u32 type) const {
    const auto found = sections_.find(type);
    if (found == sections_.end()) throw BadInput(path_ + " has no section " + std::to_string(type));
    return Reader(found->second.data, found->second.size, path_ + ", section " + std::to_string(type) + ",");
}

SectionWriter::SectionWriter(std::string path, const char* magic, u32 sections)
    : path_(std::move(path)), draft_(path_ + ".part") {
    file_ = std::fopen(draft_.c_str(), "wb");
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
