// The numbered schema scripts (registry/migrations/NNNN_verb_noun.sql), embedded at build time. Append only.
#pragma once

#include <string>
#include <vector>

namespace expctl {

struct Migration {
  std::string name;  ///< "0001_create_registry"
  std::string sql;
};

/// In order; PRAGMA user_version is the number of those applied.
std::vector<Migration> embedded_migrations();

}  // namespace expctl
