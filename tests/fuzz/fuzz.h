// One fuzz target: an outside file's parser may refuse any bytes with an Error and must do nothing else to
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/error.h"

/// Defines the entry point of libFuzzer; BODY see the input as `std::string_view text`.
#define FUZZ_TARGET(...)                                                     \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) { \
    const std::string_view text(reinterpret_cast<const char*>(bytes), size); \
    try {                                                                    \
      __VA_ARGS__;                                                           \
    } catch (const expctl::Error&) {                                         \
    }                                                                        \
    return 0;                                                                \
  }
