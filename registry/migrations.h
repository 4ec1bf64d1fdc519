// The numbered schema scripts (registry/migrations/NNNN_verb_noun.sql), embedded at build time. Append only.
#pragma once

#include "core/embedded_file.h"

namespace expctl {

/// In order; PRAGMA user_version is the number of those applied.
const std::vector<EmbeddedFile>& embedded_migrations();

}  // namespace expctl
