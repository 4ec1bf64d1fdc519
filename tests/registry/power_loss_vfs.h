// A disk that forgets at a loss of power what was not synced: SQLite's own file layer, whose every write is
// noted, and what would be on the disk had the power been lost at any moment since.
#pragma once

#include <sqlite3.h>

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace expctl::test {

struct FileOperation {
  enum Kind { kWrite, kTruncate, kSync, kDelete, kSyncedDelete };
  Kind kind = kWrite;
  std::string file;
  int64_t offset = 0;  ///< of kTruncate the size
  std::string bytes;
};

/// While one lives, every database is opened through it. Syncs are noted, not made.
class RecordingVfs {
 public:
  RecordingVfs() {
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.zName = "recording";
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.pNext = nullptr;
    vfs_.xOpen = open;
    vfs_.xDelete = remove;
    self_ = this;
    sqlite3_vfs_register(&vfs_, 1);
  }
  ~RecordingVfs() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_, 1);
    self_ = nullptr;
  }
  RecordingVfs(const RecordingVfs&) = delete;
  RecordingVfs& operator=(const RecordingVfs&) = delete;

  bool is_recording = true;
  std::vector<FileOperation> operations;

 private:
  struct File {
    sqlite3_file base;
    sqlite3_file* real;  ///< in the memory behind this
    const char* name;    ///< SQLite's, which lives as long as the file is open; null for a temporary file
  };

  static File* own(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
  static sqlite3_file* real(sqlite3_file* file) { return own(file)->real; }

  static void note(FileOperation::Kind kind, const char* name, int64_t offset, std::string bytes) {
    if (self_ != nullptr && self_->is_recording && name != nullptr)
      self_->operations.push_back({kind, name, offset, std::move(bytes)});
  }

  static int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    File* opened = own(file);
    opened->real = reinterpret_cast<sqlite3_file*>(opened + 1);
    opened->name = name;
    const int result = self_->real_->xOpen(self_->real_, name, opened->real, flags, out_flags);
    opened->base.pMethods = opened->real->pMethods == nullptr ? nullptr : &kMethods;
    return result;
  }

  static int remove(sqlite3_vfs*, const char* name, int sync_folder) {
    note(sync_folder != 0 ? FileOperation::kSyncedDelete : FileOperation::kDelete, name, 0, "");
    return self_->real_->xDelete(self_->real_, name, 0);
  }

  static int close(sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); }
  static int read(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
    return real(f)->pMethods->xRead(real(f), to, n, at);
  }
  static int write(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
    note(FileOperation::kWrite, own(f)->name, at, {static_cast<const char*>(from), static_cast<size_t>(n)});
    return real(f)->pMethods->xWrite(real(f), from, n, at);
  }
  static int truncate(sqlite3_file* f, sqlite3_int64 size) {
    note(FileOperation::kTruncate, own(f)->name, size, "");
    return real(f)->pMethods->xTruncate(real(f), size);
  }
  static int sync(sqlite3_file* f, int) {
    note(FileOperation::kSync, own(f)->name, 0, "");
    return SQLITE_OK;
  }
  static int size(sqlite3_file* f, sqlite3_int64* bytes) {
    return real(f)->pMethods->xFileSize(real(f), bytes);
  }
  static int lock(sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); }
  static int unlock(sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
  static int reserved(sqlite3_file* f, int* out) {
    return real(f)->pMethods->xCheckReservedLock(real(f), out);
  }
  static int control(sqlite3_file* f, int what, void* argument) {
    return real(f)->pMethods->xFileControl(real(f), what, argument);
  }
  static int sector(sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); }
  static int device(sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }
  static int shm_map(sqlite3_file* f, int page, int bytes, int extend, void volatile** out) {
    return real(f)->pMethods->xShmMap(real(f), page, bytes, extend, out);
  }
  static int shm_lock(sqlite3_file* f, int at, int n, int flags) {
    return real(f)->pMethods->xShmLock(real(f), at, n, flags);
  }
  static void shm_barrier(sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); }
  static int shm_unmap(sqlite3_file* f, int remove_it) {
    return real(f)->pMethods->xShmUnmap(real(f), remove_it);
  }

  /// Version 2: no reading and writing through mapped memory, which could not be noted.
  static constexpr sqlite3_io_methods kMethods = {
      2,       close,  read,   write,   truncate, sync,        size,      lock,    unlock, reserved,
      control, sector, device, shm_map, shm_lock, shm_barrier, shm_unmap, nullptr, nullptr};

  static inline RecordingVfs* self_ = nullptr;
  sqlite3_vfs* real_ = nullptr;
  sqlite3_vfs vfs_{};
};

/// What is on the disk after some operations: of each file what was synced, and what was not.
class ForgetfulDisk {
 public:
  using Files = std::map<std::string, std::string>;

  void add(const FileOperation& operation) {
    State& state = files_[operation.file];
    if (operation.kind == FileOperation::kSync) {
      if (!state.synced && !operation.file.ends_with(".db")) sync_folder();
      for (const auto* pending : state.pending) apply(*pending, state.synced, nullptr);
      if (!state.synced) state.synced = "";
      state.pending.clear();
    } else if (operation.kind == FileOperation::kSyncedDelete) {
      state = {};
    } else {
      state.pending.push_back(&operation);
    }
  }

  /// The files that are left: nothing of what was not synced, or with `chance` a part of it, down to the
  /// sector.
  Files after_loss(std::mt19937* chance) const {
    Files left;
    for (const auto& [name, state] : files_) {
      std::optional<std::string> content = state.synced;
      for (const auto* pending : state.pending) {
        if (chance != nullptr) apply(*pending, content, chance);
      }
      if (content) left[name] = std::move(*content);
    }
    return left;
  }

 private:
  static constexpr int64_t kSector_bytes = 512;

  /// SQLite's own file layer syncs the folder with the first sync of a new journal or log: what was deleted
  /// in it before stays so.
  void sync_folder() {
    for (auto& [name, state] : files_) {
      for (auto last = state.pending.size(); last > 0; --last) {
        if (state.pending[last - 1]->kind != FileOperation::kDelete) continue;
        state.pending.erase(state.pending.begin(), state.pending.begin() + static_cast<std::ptrdiff_t>(last));
        state.synced.reset();
        break;
      }
    }
  }

  struct State {
    std::optional<std::string> synced;  ///< nothing: there is no such file
    std::vector<const FileOperation*> pending;
  };

  static void put(std::string& content, int64_t offset, std::string_view bytes) {
    const size_t end = static_cast<size_t>(offset) + bytes.size();
    if (content.size() < end) content.resize(end, '\0');
    content.replace(static_cast<size_t>(offset), bytes.size(), bytes);
  }

  /// All of it, or by chance whatever the disk has got to.
  static void apply(const FileOperation& operation, std::optional<std::string>& content,
                    std::mt19937* chance) {
    const auto happens = [&] { return chance == nullptr || (*chance)() % 2 == 0; };
    if (operation.kind == FileOperation::kDelete) {
      if (happens()) content.reset();
    } else if (operation.kind == FileOperation::kTruncate) {
      if (happens())
        content.emplace(content.value_or("")).resize(static_cast<size_t>(operation.offset), '\0');
    } else {
      const std::string_view bytes = operation.bytes;
      for (size_t at = 0; at < bytes.size();) {
        const auto place = operation.offset + static_cast<int64_t>(at);
        const auto length =
            std::min(bytes.size() - at, static_cast<size_t>(kSector_bytes - place % kSector_bytes));
        if (happens()) {
          if (!content) content = "";
          put(*content, place, bytes.substr(at, length));
        }
        at += length;
      }
    }
  }

  std::map<std::string, State> files_;
};

}  // namespace expctl::test
