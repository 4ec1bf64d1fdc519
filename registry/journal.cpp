#include "registry/journal.h"

#include <fmt/core.h>
#include <sys/statfs.h>

#include <cerrno>

#include "core/error.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

struct KnownFileSystem {
  uint32_t magic;
  const char* name;
};

/// linux/magic.h, and for those that are not in it coreutils' stat. Shared between machines, or (FUSE, 9p,
/// those of virtual machines) with a program behind them that promises no shared memory.
constexpr KnownFileSystem kNetworkFileSystems[] = {
    {0x00006969, "NFS"},      {0x0000517b, "SMB"},          {0xff534d42, "CIFS"},       {0xfe534d42, "SMB2"},
    {0x0bd00bd0, "Lustre"},   {0x47504653, "GPFS"},         {0x19830326, "BeeGFS"},     {0x65735546, "FUSE"},
    {0x00c36400, "Ceph"},     {0x5346414f, "AFS"},          {0x6b414653, "kAFS"},       {0x73757245, "Coda"},
    {0x01021997, "9p"},       {0x01161970, "GFS2"},         {0x7461636f, "OCFS2"},      {0xaad7aaea, "PanFS"},
    {0x20030528, "OrangeFS"}, {0x0000564c, "NCP"},          {0xbeefdead, "StorNext"},   {0x013111a8, "IBRIX"},
    {0xbacbacbc, "VMware's"}, {0x786f4256, "VirtualBox's"}, {0x7c7c6673, "Parallels'"},
};

constexpr KnownFileSystem kLocalFileSystems[] = {
    {0x0000ef53, "ext4"},  {0x58465342, "XFS"},       {0x9123683e, "btrfs"}, {0x2fc12fc1, "ZFS"},
    {0x01021994, "tmpfs"}, {0x794c7630, "overlayfs"}, {0xf2f52010, "F2FS"},  {0xca451a4e, "bcachefs"},
};

}  // namespace

FileSystem file_system_of(uint32_t magic) {
  for (const auto& known : kNetworkFileSystems) {
    if (known.magic == magic) return {known.name, JournalMode::kTruncate};
  }
  for (const auto& known : kLocalFileSystems) {
    if (known.magic == magic) return {known.name, JournalMode::kWal};
  }
  return {fmt::format("0x{:08x}", magic), JournalMode::kWal};
}

FileSystem file_system_at(fs::path path) {
  path = fs::absolute(path);
  while (path.has_relative_path() && !fs::exists(path)) path = path.parent_path();
  struct statfs info {};
  if (::statfs(path.c_str(), &info) != 0)
    throw errno_error(fmt::format("cannot examine the file system of {}", path.string()), errno);
  return file_system_of(static_cast<uint32_t>(info.f_type));
}

std::string_view name_of(JournalMode mode) {
  return mode == JournalMode::kWal ? "wal" : "truncate";
}

}  // namespace expctl
