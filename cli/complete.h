// What could come next on a command line: a function of the words so far and of the names there are.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace expctl {

/// Words that begin as the last of `words` does, which may be empty; those before it are the line without the
/// program's name. `names` gives ids and tags of runs, and with `true` ids of sweeps too; it is asked only
/// where a verb takes one. Nothing where a file or a value of its own is wanted.
std::vector<std::string> completions(const CLI::App& app, const std::vector<std::string>& words,
                                     const std::function<std::vector<std::string>(bool)>& names);

}  // namespace expctl
