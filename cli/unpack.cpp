#include "cli/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>

#include "core/error.h"
#include "core/text.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

using Reader = std::unique_ptr<archive, int (*)(archive*)>;

std::string reason_of(archive* reader) {
  const char* text = archive_error_string(reader);
  return text == nullptr ? "it is damaged" : text;
}

/// What is wrong with an entry, whether it is wanted or not; "" for nothing.
std::string complaint_of(archive_entry* entry) {
  const char* name = archive_entry_pathname(entry);
  if (name == nullptr || *name == '\0') return "it holds a name that cannot be read";
  if (*name == '/') return fmt::format("it holds an absolute path, {}", name);
  const auto parts = split(name, '/');
  if (std::find(parts.begin(), parts.end(), "..") != parts.end())
    return fmt::format("it holds a path that leads out of it, {}", name);
  const auto type = archive_entry_filetype(entry);
  if ((type != AE_IFREG && type != AE_IFDIR) || archive_entry_hardlink(entry) != nullptr)
    return fmt::format("it holds {}, which is neither a file nor a folder", name);
  return "";
}

/// A new file, written from its beginning to its end.
class NewFile {
 public:
  explicit NewFile(const fs::path& path)
      : path_(path), fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666)) {
    if (fd_ < 0) throw write_error(errno);
  }
  ~NewFile() { ::close(fd_); }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(const char* bytes, size_t count) {
    while (count > 0) {
      const ssize_t written = ::write(fd_, bytes, count);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw write_error(errno);
      bytes += written;
      count -= static_cast<size_t>(written);
    }
  }

  void sync() {
    if (::fsync(fd_) != 0) throw write_error(errno);
  }

 private:
  Error write_error(int error_number) const {
    const std::string what = fmt::format("cannot write {}", path_.string());
    if (error_number != ENOSPC) return errno_error(what, error_number);
    return Error(what + ": No space left on device", "make room and call it again: the zip is kept");
  }

  fs::path path_;
  int fd_;
};

/// Writes the entry's content, of which `room` bytes may come; takes them off it.
std::string write_entry(archive* reader, archive_entry* entry, const fs::path& to, int64_t& room) {
  const std::string name = archive_entry_pathname(entry);
  NewFile file(to);
  std::string buffer(size_t{1} << 20, '\0');
  while (true) {
    const la_ssize_t count = archive_read_data(reader, buffer.data(), buffer.size());
    if (count < 0) return fmt::format("{} in it: {}", name, reason_of(reader));
    if (count == 0) break;
    room -= count;
    if (room < 0) return "it unpacks to more than it may";
    file.write(buffer.data(), static_cast<size_t>(count));
  }
  file.sync();
  return "";
}

}  // namespace

std::string unpack_zip(const fs::path& zip, const std::map<std::string, fs::path>& wanted,
                       int64_t most_bytes) {
  const Reader reader(archive_read_new(), archive_read_free);
  archive_read_support_format_zip_seekable(reader.get());
  constexpr size_t kBlock_bytes = 1 << 16;
  if (::access(zip.c_str(), R_OK) != 0) throw errno_error(fmt::format("cannot open {}", zip.string()), errno);
  if (archive_read_open_filename(reader.get(), zip.c_str(), kBlock_bytes) != ARCHIVE_OK)
    return reason_of(reader.get());
  std::set<std::string> seen;
  int64_t room = most_bytes;
  archive_entry* entry = nullptr;
  while (true) {
    const int result = archive_read_next_header(reader.get(), &entry);
    if (result == ARCHIVE_EOF) break;
    if (result != ARCHIVE_OK) return reason_of(reader.get());
    if (std::string complaint = complaint_of(entry); !complaint.empty()) return complaint;
    const std::string name = archive_entry_pathname(entry);
    if (!seen.insert(name).second) return fmt::format("it holds {} twice", name);
    const auto target = wanted.find(name);
    if (target == wanted.end()) continue;
    if (archive_entry_filetype(entry) != AE_IFREG) return fmt::format("{} in it is no file", name);
    if (std::string complaint = write_entry(reader.get(), entry, target->second, room); !complaint.empty())
      return complaint;
  }
  for (const auto& [name, target] : wanted) {
    if (!seen.contains(name)) return fmt::format("there is no {} in it", name);
  }
  return "";
}

}  // namespace expctl
