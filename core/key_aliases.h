// What other training programs call expctl's training keys: a newcomer types the name that he knows.
#pragma once

#include <string_view>

namespace expctl {

/// "learning_rate" of "lr"; "" where no other program's name is known to be this. Dashes are underscores.
std::string_view own_key(std::string_view foreign);

}  // namespace expctl
