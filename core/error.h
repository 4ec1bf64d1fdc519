// The one exception type of expctl. Libraries throw it; only a program's main.cpp turns it into an exit code.
//
// Expected outcomes (a failed run, a metric that is not there yet) are values, never errors.
#pragma once

#include <stdexcept>
#include <string>

namespace expctl {

/// What a command ends with; the numbers are the exit codes that scripts rely on (docs/architecture.md).
enum class ErrorCode {
  kError = 1,        ///< bad input, a failed write: anything that has no code of its own
  kUsage = 2,        ///< the command line itself is wrong
  kNotFound = 3,     ///< a file, run or checkpoint that was named does not exist
  kRunsFailed = 4,   ///< the command worked, but some runs did not succeed
  kRegistry = 5,     ///< the registry is busy, or newer than this program
  kCheckFailed = 6,  ///< a check of a submission failed
};

/// `message` says what and where ("lr.toml:12:1: unknown key 'x'"), `hint` what to do about it; the hint may
/// be empty.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, std::string hint = {}, ErrorCode code = ErrorCode::kError)
      : std::runtime_error(message), hint_(std::move(hint)), code_(code) {}

  const std::string& hint() const { return hint_; }
  ErrorCode code() const { return code_; }

 private:
  std::string hint_;
  ErrorCode code_;
};

/// "cannot open /x/y: No such file or directory", with kNotFound where errno says so.
Error errno_error(const std::string& what, int error_number);

}  // namespace expctl
