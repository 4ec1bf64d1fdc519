// The flags of the programs whose command lines expctl reads, and what each means. Private to experiments/.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/recipe.h"

namespace expctl {

/// Programs whose flags have the same names.
enum class FlagFamily { kTensorFlow, kHuggingFace };

struct RecipeFlag {
  std::string name;                  ///< without dashes, with underscores
  std::optional<std::string> value;  ///< nothing: the flag stands alone
  std::string text;                  ///< as it was written
};

/// A recipe under way: what only makes sense once all flags are known.
struct RecipeDraft {
  Recipe recipe;
  int64_t gpu_batch = 8;  ///< features of one GPU and forward pass
  int64_t accumulation = 1;
  std::optional<int64_t> warmup_steps;
  std::vector<RecipeFlag> init_files;  ///< flags of files that expctl takes from the folder of `init`
  bool is_horovod = false;             ///< --horovod was given
};

/// "--a=b", "--a b", "--a", "-a b"; a word that belongs to no flag is one without a name.
std::vector<RecipeFlag> split_flags(const std::vector<std::string>& words);

/// Takes one flag in: into the hyper-parameters, or into `implied` or `unmapped`. Throws Error for a value
/// that cannot be (without a place: the caller knows it).
void apply_flag(RecipeDraft& draft, FlagFamily family, const RecipeFlag& flag);

/// Sets a training key from the text of a command line. Throws Error as set_train_key().
void set_from_text(TrainSpec& spec, const std::string& key, const std::string& text);

/// Everything up to the last '/'; "." where there is none.
std::string folder_of(const std::string& path);

/// A count of at least 1. Throws Error naming `what`.
int64_t positive_count(const std::string& what, const std::string& text);

}  // namespace expctl
