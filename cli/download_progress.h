// How far a download is, on stderr: a line at its beginning and, on a terminal, a live one below it.
#pragma once

#include <cstdint>
#include <string>

namespace expctl {

/// "train-v1.1.json  12.1 of 30.3 MB  40%  5.1 MB/s  4 s left"; what is not known (0) is left out. A pure
/// function.
std::string download_line(const std::string& name, int64_t got_bytes, int64_t all_bytes, double bytes_per_s);

class DownloadProgress {
 public:
  DownloadProgress(bool quiet, bool animated) : quiet_(quiet), animated_(animated && !quiet) {}
  ~DownloadProgress() { end(); }
  DownloadProgress(const DownloadProgress&) = delete;
  DownloadProgress& operator=(const DownloadProgress&) = delete;

  /// A download of which `got_bytes` are there already.
  void begin(const std::string& url, const std::string& name, int64_t got_bytes, int64_t all_bytes);
  void tick(int64_t got_bytes);
  /// Takes the live line away.
  void end();

 private:
  bool quiet_;
  bool animated_;
  bool shown_ = false;
  std::string name_;
  int64_t got_at_begin_ = 0;
  int64_t all_ = 0;
  double begun_s_ = 0;
  double ticked_s_ = 0;
};

}  // namespace expctl
