#include "core/files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <glob.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <functional>

#include "core/error.h"
#include "core/hash.h"

namespace expctl {
namespace fs = std::filesystem;
namespace {

/// An owned file descriptor; the destructor closes without looking, close() reports.
class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags, mode_t mode = 0666)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

void write_all(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw errno_error(fmt::format("cannot write {}", path.string()), errno);
    content.remove_prefix(static_cast<size_t>(n));
  }
}

void sync_folder(const fs::path& folder) {
  const Descriptor fd(folder, O_RDONLY | O_DIRECTORY);
  if (fd.valid()) ::fsync(fd.get());
}

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

void sync_and_rename(int fd, const fs::path& temporary, const fs::path& path) {
  if (::fsync(fd) != 0) throw errno_error(fmt::format("cannot sync {}", temporary.string()), errno);
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    throw errno_error(fmt::format("cannot rename to {}", path.string()), errno);
  }
  sync_folder(parent_of(path));
}

/// Removes a temporary file unless it was renamed away before.
struct Cleanup {
  const fs::path& path;
  ~Cleanup() { ::unlink(path.c_str()); }
};

/// Calls see(piece) for what is left to read of a file, in order. Pieces fit a core's second cache.
void read_pieces(int from, const fs::path& path, const std::function<void(std::string_view)>& see) {
  std::string buffer(size_t{1} << 18, '\0');
  for (;;) {
    const ssize_t n = ::read(from, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw errno_error(fmt::format("cannot read while copying to {}", path.string()), errno);
    if (n == 0) return;
    see(std::string_view(buffer).substr(0, static_cast<size_t>(n)));
  }
}

bool clone(int from, int to) {
  return ::ioctl(to, FICLONE, from) == 0;
}

void copy_bytes(int from, int to, const fs::path& path) {
  if (clone(from, to)) return;
  for (;;) {
    const ssize_t n = ::copy_file_range(from, nullptr, to, nullptr, size_t{1} << 30, 0);
    if (n == 0) return;
    if (n < 0) break;
  }
  // Not possible between these two files: plain reads and writes from wherever the offsets stand now.
  read_pieces(from, path, [&](std::string_view piece) { write_all(to, piece, path); });
}

std::string copy_bytes_hashed(int from, int to, const fs::path& path) {
  constexpr off_t kAhead = 16 << 20;  // so much is handed to the disk at once
  const bool is_cloned = clone(from, to);
  Sha256 hash;
  off_t written = 0, handed = 0;
  read_pieces(from, path, [&](std::string_view piece) {
    hash.update(piece);
    if (is_cloned) return;
    write_all(to, piece, path);
    written += static_cast<off_t>(piece.size());
    if (written - handed < kAhead) return;
    ::sync_file_range(to, handed, written - handed, SYNC_FILE_RANGE_WRITE);  // where it fails, fsync does all
    handed = written;
  });
  return hash.hex();
}

/// Fills a file that becomes `to` by copy(from, to), which is given descriptors.
void make_copy(const fs::path& from, const fs::path& to, const std::function<void(int, int)>& copy) {
  const Descriptor in(from, O_RDONLY);
  if (!in.valid()) throw errno_error(fmt::format("cannot open {}", from.string()), errno);
  const fs::path temporary = draft_name(to);
  const Descriptor out(temporary, O_WRONLY | O_CREAT | O_TRUNC);
  if (!out.valid()) throw errno_error(fmt::format("cannot write {}", to.string()), errno);
  const Cleanup cleanup{temporary};
  copy(in.get(), out.get());
  sync_and_rename(out.get(), temporary, to);
}

/// Where a link leads; an Error for what a file must not take the place of.
fs::path file_to_write(const fs::path& name) {
  std::error_code unreadable;
  const fs::file_status status = fs::status(name, unreadable);
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw Error(fmt::format("{}: it is there, and no file", name.string()), "give another name");
  return fs::is_symlink(fs::symlink_status(name, unreadable)) ? fs::weakly_canonical(name) : name;
}

}  // namespace

fs::path draft_name(const fs::path& path) {
  return parent_of(path) / fmt::format(".{}.{}.tmp", path.filename().string(), ::getpid());
}

std::string read_file(const fs::path& path) {
  const Descriptor fd(path, O_RDONLY);
  if (!fd.valid()) throw errno_error(fmt::format("cannot open {}", path.string()), errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw errno_error(fmt::format("cannot stat {}", path.string()), errno);
  if (S_ISDIR(info.st_mode)) throw Error(fmt::format("{} is a folder, not a file", path.string()));
  std::string content(static_cast<size_t>(info.st_size), '\0');
  size_t got = 0;
  for (;;) {
    if (got == content.size()) content.resize(content.size() + 4096);
    const ssize_t n = ::read(fd.get(), content.data() + got, content.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw errno_error(fmt::format("cannot read {}", path.string()), errno);
    if (n == 0) break;
    got += static_cast<size_t>(n);
  }
  content.resize(got);
  return content;
}

void write_file(const fs::path& path, std::string_view content) {
  write_file(path, std::vector<std::string_view>{content});
}

void write_file(const fs::path& name, const std::vector<std::string_view>& pieces) {
  const fs::path path = file_to_write(name);
  const fs::path temporary = draft_name(path);
  const Descriptor fd(temporary, O_WRONLY | O_CREAT | O_TRUNC);
  if (!fd.valid()) throw errno_error(fmt::format("cannot write {}", path.string()), errno);
  const Cleanup cleanup{temporary};
  for (const auto piece : pieces) write_all(fd.get(), piece, path);
  sync_and_rename(fd.get(), temporary, path);
}

void rename_written(const fs::path& temporary, const fs::path& path) {
  const Descriptor fd(temporary, O_RDONLY);
  if (!fd.valid()) throw errno_error(fmt::format("cannot open {}", temporary.string()), errno);
  sync_and_rename(fd.get(), temporary, path);
}

bool create_file(const fs::path& path, std::string_view content) {
  const Descriptor fd(path, O_WRONLY | O_CREAT | O_EXCL);
  if (!fd.valid()) {
    if (errno == EEXIST) return false;
    throw errno_error(fmt::format("cannot create {}", path.string()), errno);
  }
  write_all(fd.get(), content, path);
  return true;
}

bool place_new_file(const fs::path& draft, const fs::path& path) {
  const Descriptor fd(draft, O_RDONLY);
  if (!fd.valid() || ::fsync(fd.get()) != 0)
    throw errno_error(fmt::format("cannot sync {}", draft.string()), errno);
  int failed = ::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE);
  if (failed != 0 && (errno == EINVAL || errno == ENOSYS)) {  // NFS and others cannot do it in one step
    if (fs::exists(fs::symlink_status(path))) return false;
    failed = ::rename(draft.c_str(), path.c_str());
  }
  if (failed != 0 && errno == EEXIST) return false;
  if (failed != 0) throw errno_error(fmt::format("cannot rename to {}", path.string()), errno);
  sync_folder(parent_of(path));
  return true;
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    throw Error(fmt::format("cannot create the folder {}: {}", path.string(), error.message()),
                "check the path and its permissions");
  }
}

void remove_folder_at(const fs::path& path) {
  if (fs::is_directory(fs::symlink_status(path))) fs::remove_all(path);
}

void copy_file(const fs::path& from, const fs::path& to) {
  make_copy(from, to, [&](int in, int out) { copy_bytes(in, out, to); });
}

std::string copy_and_hash(const fs::path& from, const fs::path& to) {
  std::string hash;
  make_copy(from, to, [&](int in, int out) { hash = copy_bytes_hashed(in, out, to); });
  return hash;
}

void copy_tree(const fs::path& from, const fs::path& to) {
  make_folder(to);
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    const fs::path target = to / fs::relative(entry.path(), from);
    if (entry.is_directory())
      make_folder(target);
    else if (entry.is_regular_file())
      expctl::copy_file(entry.path(), target);
  }
}

std::vector<fs::path> find_files(const fs::path& folder, const std::string& pattern) {
  if (pattern.empty()) return {};
  std::string escaped;  // the folder's own name is no pattern, whatever characters are in it
  for (const char c : folder.string()) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') escaped += '\\';
    escaped += c;
  }
  glob_t found{};
  std::vector<fs::path> paths;
  if (::glob((escaped + "/" + pattern).c_str(), 0, nullptr, &found) == 0)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return paths;
}

int64_t file_bytes(const fs::path& path) {
  std::error_code none;
  const auto size = static_cast<int64_t>(fs::file_size(path, none));
  return none ? 0 : size;
}

std::string file_tail(const fs::path& path, int64_t begin, int64_t bytes) {
  const int64_t size = file_bytes(path);
  const int64_t first = std::max({int64_t{0}, std::min(begin, size), size - bytes});
  if (first == size) return {};
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<size_t>(size - first), '\0');
  file.seekg(first);
  file.read(text.data(), size - first);
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

}  // namespace expctl
