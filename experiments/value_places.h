// Where the values of a sweep file stand, for what turns out to be impossible only once they are put
// together. Private to experiments/.
#pragma once

#include <toml++/toml.h>

#include <map>
#include <string>

namespace expctl {

/// "12:14" by the key's whole name, "train.doc_stride"; of a list of texts also of each of them, by
/// "command.argv=TEXT".
std::map<std::string, std::string> value_places(const toml::table& root);

}  // namespace expctl
