#include "cli/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "core/draft_folder.h"
#include "core/error.h"
#include "core/files.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

using Writer = std::unique_ptr<archive, int (*)(archive*)>;
using Entry = std::unique_ptr<archive_entry, void (*)(archive_entry*)>;

void check(archive* writer, la_ssize_t result, const fs::path& path) {
  if (result >= 0 || result == ARCHIVE_WARN) return;
  const std::string what = fmt::format("cannot write {}", path.string());
  if (archive_errno(writer) > 0) throw errno_error(what, archive_errno(writer));
  const char* reason = archive_error_string(writer);
  throw Error(fmt::format("{}: {}", what, reason == nullptr ? "the archive cannot be made" : reason));
}

struct OpenFile {
  int fd;
  explicit OpenFile(const fs::path& path) : fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {
    if (fd < 0) throw errno_error(fmt::format("cannot open {}", path.string()), errno);
  }
  ~OpenFile() { ::close(fd); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
};

void add_file(archive* writer, const fs::path& file, const fs::path& name, const fs::path& archive_path,
              std::string& buffer) {
  const OpenFile in(file);
  struct stat info {};
  if (::fstat(in.fd, &info) != 0) throw errno_error(fmt::format("cannot stat {}", file.string()), errno);
  const Entry entry(archive_entry_new(), archive_entry_free);
  archive_entry_set_pathname(entry.get(), name.generic_string().c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), info.st_mode & 0777);
  archive_entry_set_size(entry.get(), info.st_size);
  archive_entry_set_mtime(entry.get(), info.st_mtim.tv_sec, 0);
  check(writer, archive_write_header(writer, entry.get()), archive_path);
  for (;;) {
    const ssize_t count = ::read(in.fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw errno_error(fmt::format("cannot read {}", file.string()), errno);
    if (count == 0) break;
    check(writer, archive_write_data(writer, buffer.data(), static_cast<size_t>(count)), archive_path);
  }
  check(writer, archive_write_finish_entry(writer), archive_path);
}

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && !entry.is_symlink()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool is_ascii(const fs::path& path) {
  const std::string& text = path.native();
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 128; });
}

}  // namespace

void pack_folder(const fs::path& folder, const fs::path& archive_path) {
  const DraftFolder draft(archive_path);  // what a killed one has left goes too
  const fs::path written = draft.path() / archive_path.filename();
  const Writer writer(archive_write_new(), archive_write_free);
  check(writer.get(), archive_write_set_format_pax_restricted(writer.get()), archive_path);
  check(writer.get(), archive_write_add_filter_zstd(writer.get()), archive_path);
  // Weights hardly shrink at any level. A libarchive without threads for zstd goes on with one.
  archive_write_set_filter_option(writer.get(), "zstd", "compression-level", "1");
  archive_write_set_filter_option(writer.get(), "zstd", "threads", "2");
  const auto files = files_of(folder);
  // Names as they are; said only where one needs it, since GNU tar warns of it for every file.
  if (!std::all_of(files.begin(), files.end(), is_ascii))
    archive_write_set_format_option(writer.get(), nullptr, "hdrcharset", "BINARY");
  check(writer.get(), archive_write_open_filename(writer.get(), written.c_str()), archive_path);
  std::string buffer(size_t{1} << 20, '\0');
  for (const auto& file : files)
    add_file(writer.get(), file, folder.filename() / file.lexically_relative(folder), archive_path, buffer);
  check(writer.get(), archive_write_close(writer.get()), archive_path);
  rename_written(written, archive_path);
}

}  // namespace expctl
