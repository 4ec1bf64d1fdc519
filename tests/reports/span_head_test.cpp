// Submissions whose runs have an MLP for a head, and what may be done to any head.
#include "formats/new_head.h"
#include "tests/reports/spoilt.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;

namespace {

/// Under the contest's rules; verified as a judge does who has every file.
std::map<std::string, Check> checks_of(const Spoilt& s) {
  std::map<std::string, Check> checks;
  for (const auto& check : verify_submission(s.folder, s.options).checks) checks[check.rule] = check;
  return checks;
}

/// The head's tensor of this name in run1 as the seed of its run makes it, everything else made to fit.
void leave_untrained(const Spoilt& s, const std::string& tensor) {
  s.renew();
  const auto seed = read_json(s.at("run1/training/spec.json"))["train"]["seed_init"].get<uint64_t>();
  BertConfig config = read_bert_config(s.at("run1/checkpoint/config.json"));
  s.change_weights("run1", [&](const std::string& name, std::vector<float>& numbers) {
    for (const auto& shape : bert_tensors(config)) {
      if (name == tensor && shape.name == tensor) numbers = new_head_values(shape, seed);
    }
    return true;
  });
  s.mend_record("run1");
  s.mend_manifests();
}

void replace_config(const Spoilt& s, const std::function<void(Json&)>& how) {
  s.renew();
  s.change("run1/checkpoint/config.json", how);
  s.mend_record("run1");
  s.mend_manifests();
}

}  // namespace

TEST_CASE("span head: another than BERT's is unproven with what the rules say of it, and nothing else is",
          "[reports]") {
  const Spoilt s(SpanHead::kMlp);
  s.renew();
  for (const auto& [rule, check] : checks_of(s)) {
    INFO(rule << ": " << check.why);
    const bool unproven = rule == "architecture" || rule == "no file can show";
    CHECK(check.result == (unproven ? CheckResult::kUnproven : CheckResult::kPassed));
  }
  CHECK_THAT(checks_of(s).at("architecture").why,
             Contains("run1/checkpoint/: its output layer is changed (expctl_head 'mlp')") &&
                 Contains("8 June 2020") && Contains("judges' approval"));
  CHECK_THAT(read_file(s.at("methodology.md")), Contains("## Output layer") &&
                                                    Contains("- run2: its model") &&
                                                    Contains("- ens1: all of its members"));
  CHECK(read_json(s.at("run1/checkpoint/config.json"))["expctl_head"] == "mlp");
  // Rules that prescribe an architecture and are silent about heads leave it open too.
  s.change("rules.json", [](Json& rules) {
    rules.erase("changed_head");
    rules["name"] = "silent";
  });
  VerifyOptions silent = s.options;
  silent.rules = s.at("rules.json").string();
  for (const auto& check : verify_submission(s.folder, silent).checks) {
    if (check.rule != "architecture") continue;
    CHECK(check.result == CheckResult::kUnproven);
    CHECK_THAT(check.why, Contains("the rules do not say whether it may be"));
  }
}

TEST_CASE("span head: BERT's own is not spoken of", "[reports]") {
  const Spoilt s;
  s.renew();
  CHECK(checks_of(s).at("architecture").result == CheckResult::kPassed);
  CHECK_THAT(read_file(s.at("methodology.md")), !Contains("## Output layer"));
}

TEST_CASE("span head: one that is as its seed made it was not trained", "[reports]") {
  for (const auto& [head, tensors] : std::vector<std::pair<SpanHead, std::vector<std::string>>>{
           {SpanHead::kLinear, {"qa_outputs.weight"}},
           {SpanHead::kMlp, {"qa_head.dense.weight", "qa_head.dense.bias", "qa_outputs.weight"}}}) {
    const Spoilt s(head);
    for (const auto& tensor : tensors) {
      leave_untrained(s, tensor);
      INFO(tensor);
      const Check check = checks_of(s).at("whole model trained");
      CHECK(check.result == CheckResult::kFailed);
      CHECK_THAT(check.why, Contains("1 tensors are as they were before fine-tuning (e.g. " + tensor + ")"));
    }
    leave_untrained(s, "qa_outputs.bias");  // its gradient is zero: nothing need move it
    CHECK(checks_of(s).at("whole model trained").result == CheckResult::kPassed);
  }
}

TEST_CASE("span head: the last LayerNorm's bias has a gradient where an MLP stands behind it", "[reports]") {
  for (const SpanHead head : {SpanHead::kLinear, SpanHead::kMlp}) {
    const Spoilt s(head);
    s.renew();
    const std::string norm = "bert.encoder.layer.0.output.LayerNorm.bias";
    s.change_weights("run1", [&](const std::string& name, std::vector<float>& numbers) {
      if (name == norm) std::fill(numbers.begin(), numbers.end(), 0.0f);  // as in the init
      return true;
    });
    s.mend_record("run1");
    s.mend_manifests();
    CHECK(checks_of(s).at("whole model trained").result ==
          (head == SpanHead::kMlp ? CheckResult::kFailed : CheckResult::kPassed));
  }
}

TEST_CASE("span head: one that config.json denies, or says and has not, is found", "[reports]") {
  const Spoilt mlp(SpanHead::kMlp), linear;
  replace_config(mlp, [](Json& j) { j.erase("expctl_head"); });
  CHECK(checks_of(mlp).at("checkpoints").result == CheckResult::kFailed);
  CHECK_THAT(checks_of(mlp).at("checkpoints").why,
             Contains("is not of the span head that config.json says (linear)"));
  replace_config(linear, [](Json& j) { j["expctl_head"] = "mlp"; });
  CHECK_THAT(checks_of(linear).at("checkpoints").why, Contains("a part of the span head (mlp) is missing"));
  replace_config(linear, [](Json& j) { j["expctl_head"] = "linear-ish"; });
  for (const char* rule : {"checkpoints", "architecture"})
    CHECK_THAT(checks_of(linear).at(rule).why, Contains("expctl has no span head 'linear-ish'"));
  // All made to fit but the settings: the dense layer is taken out of the model.
  replace_config(mlp, [](Json& j) { j.erase("expctl_head"); });
  mlp.change_weights(
      "run1", [](const std::string& name, std::vector<float>&) { return !name.starts_with("qa_head."); });
  mlp.mend_record("run1");
  mlp.mend_manifests();
  CHECK(checks_of(mlp).at("checkpoints").result == CheckResult::kFailed);
  CHECK_THAT(checks_of(mlp).at("checkpoints").why,
             Contains("its span head is 'linear', its run was to train 'mlp'"));
}
