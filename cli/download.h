// Downloads one file with the curl program, going on where an earlier try has stopped.
//
// curl and not libcurl: the library draws in some thirty others, which every start of expctl would pay for.
// Proxies are those of the environment (https_proxy, no_proxy); a person's ~/.curlrc is not read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "cli/download_progress.h"

namespace expctl {

struct DownloadRequest {
  std::string url;
  std::string name;            ///< as progress calls it
  std::filesystem::path part;  ///< absolute; the bytes that it holds are not asked for again
  int64_t bytes = 0;           ///< of the whole file; 0: not known
  std::string by_hand;         ///< the hint where the address cannot be had
};

/// Appends to `part` until the server has no more. Redirects are followed, from https to https only. A
/// connection that breaks is taken up again, up to five times without a byte more; where the server cannot
/// begin in the middle, all is asked for anew. Whether the bytes are right is not looked at, but no more than
/// `bytes` are taken. Throws Error (address, reason) when it gives up; `part` then keeps what has come.
void download(const DownloadRequest& request, DownloadProgress& progress);

}  // namespace expctl
