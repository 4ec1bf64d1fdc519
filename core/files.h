// Reading and writing files so that a reader never sees half of one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace expctl {

/// The whole file. Throws Error (kNotFound where there is none).
std::string read_file(const std::filesystem::path& path);

/// Writes to a temporary name beside `path`, fsyncs, renames, fsyncs the folder: after a crash `path` holds
/// the old or the new content, whole. Creates no folders. Of a symbolic link the file that it leads to is
/// written. Throws Error and leaves `path` as it was, also where it is there and no file (a device, a pipe, a
/// folder).
void write_file(const std::filesystem::path& path, std::string_view content);
/// The same for a content in pieces, one after the other.
void write_file(const std::filesystem::path& path, const std::vector<std::string_view>& pieces);

/// Makes a file that another program has written to a temporary name in the same folder `path`, as
/// write_file() does: fsyncs it, renames it, fsyncs the folder. Throws Error and leaves both as they were.
void rename_written(const std::filesystem::path& temporary, const std::filesystem::path& path);

/// Creates `path` with O_EXCL and the content, which a crash of the machine may lose. Returns false, and
/// changes nothing, where it exists already.
bool create_file(const std::filesystem::path& path, std::string_view content);

/// The name beside `path` under which a file is made that is to become it: one a process.
std::filesystem::path draft_name(const std::filesystem::path& path);

/// Syncs `draft` and renames it to `path`, which must not exist: false, and nothing is done, where it does.
/// Throws Error.
bool place_new_file(const std::filesystem::path& draft, const std::filesystem::path& path);

/// Creates a folder and its parents. Throws Error naming the folder.
void make_folder(const std::filesystem::path& path);

/// Removes a folder that stands where a file is to be written; leaves anything else.
void remove_folder_at(const std::filesystem::path& path);

/// Copies one file as a file of its own: a reflink where the file system can, else copy_file_range, else read
/// and write; never a hard link. Replaces `to` atomically. Throws Error.
void copy_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// The same; returns the SHA-256 of what was copied. A large file goes to the disk while the rest of it is
/// still being hashed.
std::string copy_and_hash(const std::filesystem::path& from, const std::filesystem::path& to);

/// Copies every regular file below `from`, keeping the relative paths.
void copy_tree(const std::filesystem::path& from, const std::filesystem::path& to);

/// The files and folders in `folder` that a shell's pattern means ("out/*.log"), sorted; none for "".
std::vector<std::filesystem::path> find_files(const std::filesystem::path& folder,
                                              const std::string& pattern);

/// The size of a file; 0 where there is none.
int64_t file_bytes(const std::filesystem::path& path);

constexpr int64_t kTail_bytes = 4096;
/// The last `bytes` of what stands behind the first `begin` bytes of a file; "" where there is nothing.
std::string file_tail(const std::filesystem::path& path, int64_t begin = 0, int64_t bytes = kTail_bytes);

}  // namespace expctl
