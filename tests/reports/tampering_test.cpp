// Spoilt submissions: what a careless or dishonest hand may change, with every manifest hash made to fit
// again, under a contest's rules and under none.
#include "tests/reports/spoilt.h"

using namespace expctl;
using namespace expctl::test;
namespace fs = std::filesystem;

namespace {

struct Tampering {
  const char* what;
  const char* found_by;             ///< the rule that must fail under the contest's rules
  const char* found_without_rules;  ///< and under none; "": only a contest forbids it
  std::function<void(const Spoilt&, VerifyOptions&)> spoil;
};

void replace_in_file(const fs::path& file, const std::string& from, const std::string& to) {
  std::string text = read_file(file);
  REQUIRE(text.find(from) != std::string::npos);
  write_file(file, text.replace(text.find(from), from.size(), to));
}

const std::vector<Tampering> kTamperings = {
    {"an edited prediction", "scores", "scores",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run4/predictions.json", [](Json& j) { j["q2"] = "green"; });
     }},
    {"edited answers with the scores that follow", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       for (const char* file : {"predictions.json", "nbest_predictions.json", "eval.json"})
         fs::copy_file(s.at(std::string("run1/") + file), s.at(std::string("run2/") + file),
                       fs::copy_options::overwrite_existing);
       s.change("run2/predictions.json", [](Json& j) { j["q1"] = "the blue"; });
       s.change("run2/nbest_predictions.json", [](Json& j) { j["q1"][0]["text"] = "the blue"; });
     }},
    {"an edited F1", "scores", "scores",
     [](const Spoilt& s, VerifyOptions&) {
       write_file(s.at("run5/eval.json"), "{\"exact_match\": 50.0, \"f1\": 50.1}\n");
     }},
    {"an edited F1, in the summary too", "scores", "scores",
     [](const Spoilt& s, VerifyOptions&) {
       write_file(s.at("run5/eval.json"), "{\"exact_match\": 50.0, \"f1\": 49.9}\n");
       s.change("summary.json", [](Json& j) { j["entries"][4]["f1"] = 49.9; });
     }},
    {"a rounded score", "scores", "scores",
     [](const Spoilt& s, VerifyOptions&) { s.change("run3/eval.json", [](Json& j) { j["f1"] = 83.33; }); }},
    {"a rounded score in the summary", "summary", "summary",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("summary.json", [](Json& j) { j["entries"][2]["f1"] = 83.33; });
     }},
    {"a wrong top-3 mean", "summary", "summary",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("summary.json", [](Json& j) { j["top3_mean"] = 99.0; });
     }},
    {"a mean of fewer", "summary", "",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("summary.json", [](Json& j) {
         j["average"] = 2;
         j["top3_mean"] = 100.0;
       });
     }},
    {"an n-best probability", "n-best", "n-best",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/nbest_predictions.json", [](Json& j) { j["q1"][0]["probability"] = 0.9; });
     }},
    {"an n-best text", "n-best", "n-best",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/nbest_predictions.json", [](Json& j) { j["q1"][0]["text"] = "red"; });
     }},
    {"a checkpoint byte", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       std::string bytes = read_file(s.at("run1/checkpoint/model.safetensors"));
       bytes[bytes.size() - 2] ^= 1;
       write_file(s.at("run1/checkpoint/model.safetensors"), bytes);
     }},
    {"a member's checkpoint byte", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       std::string bytes = read_file(s.at("run3/checkpoint/run2/model.safetensors"));
       bytes[bytes.size() - 2] ^= 1;
       write_file(s.at("run3/checkpoint/run2/model.safetensors"), bytes);
     }},
    {"a frozen layer, the record made to fit", "whole model trained", "",
     [](const Spoilt& s, VerifyOptions&) {
       const SafeTensors init = SafeTensors::read(CheckpointPaths{s.w.init}.weights());
       s.change_weights("run1", [&](const std::string& name, std::vector<float>& numbers) {
         const std::string frozen = "encoder.layer.0.intermediate.dense.weight";
         for (const auto& [of_init, view] : init.tensors()) {
           if (name.ends_with(frozen) && of_init.ends_with(frozen)) numbers = view.copy_as<float>();
         }
         return true;
       });
       s.mend_record("run1");
     }},
    {"a weight that is no number, the record made to fit", "checkpoints", "checkpoints",
     [](const Spoilt& s, VerifyOptions&) {
       s.change_weights("run1", [](const std::string&, std::vector<float>& numbers) {
         numbers[0] = NAN;
         return true;
       });
       s.mend_record("run1");
     }},
    {"a tensor left out, the record made to fit", "checkpoints", "checkpoints",
     [](const Spoilt& s, VerifyOptions&) {
       s.change_weights("run1", [](const std::string& name, std::vector<float>&) {
         return !name.ends_with("attention.output.dense.bias");
       });
       s.mend_record("run1");
     }},
    {"fewer layers in config.json, the record made to fit", "architecture", "checkpoints",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/checkpoint/config.json", [](Json& j) { j["num_hidden_layers"] = 3; });
       s.mend_record("run1");
     }},
    {"a swapped vocabulary", "architecture", "records",
     [](const Spoilt& s, VerifyOptions&) {
       write_file(s.at("run1/checkpoint/vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nb\n");
     }},
    {"a swapped vocabulary, the record made to fit", "architecture", "init",
     [](const Spoilt& s, VerifyOptions&) {
       write_file(s.at("run1/checkpoint/vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nb\n");
       s.mend_record("run1");
     }},
    {"an init that is another", "init", "init",
     [](const Spoilt& s, VerifyOptions& options) {
       options.init = s.w.dir / "other-init";
       make_folder(options.init);
       write_tiny_bert(options.init, {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"}, 8,
                       {8, 1, 2, 8, 384});
     }},
    {"an init that is not the contest's, and said to be so", "init", "",
     [](const Spoilt& s, VerifyOptions& options) {
       options.init = s.w.dir / "own-init";
       fs::remove_all(options.init);
       make_folder(options.init);
       write_tiny_bert(options.init, {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"}, 9,
                       {8, 1, 2, 8, 384});
       const std::string own = sha256_folder(options.init);
       for (const auto& spec : {"run1/training", "run2/training", "run3/training/run1", "run3/training/run2",
                                "run4/training", "run5/training"}) {
         s.change(std::string(spec) + "/spec.json", [&](Json& j) { j["model"]["init"]["sha256"] = own; });
         s.change(std::string(spec) + "/run.json", [&](Json& j) {
           j["config_hash"] = config_hash(
               run_spec_from_json(read_json(s.at(std::string(spec) + "/spec.json")), "spec.json"));
         });
       }
     }},
    {"another training file", "training data", "training data",
     [](const Spoilt& s, VerifyOptions& options) {
       options.train = s.w.dir / "other-train.json";
       write_file(options.train, std::string(kTrainText) + " ");
     }},
    {"a dev article in the training file", "dev data kept out", "training data",
     [](const Spoilt& s, VerifyOptions& options) {
       options.train = s.w.dir / "leaking.json";
       write_file(options.train, kDevText);
     }},
    {"another dev file", "dev data", "scores",
     [](const Spoilt& s, VerifyOptions& options) {
       options.dev = s.w.dir / "other-dev.json";
       write_file(options.dev, kDevText);
       replace_in_file(options.dev, "\"text\":\"blue\"", "\"text\":\"the sky\"");
     }},
    {"a missing log", "items", "items",
     [](const Spoilt& s, VerifyOptions&) { fs::remove(s.at("run1/logs/train.log")); }},
    {"a member's missing log", "items", "items",
     [](const Spoilt& s, VerifyOptions&) { fs::remove(s.at("run3/logs/run1/train.log")); }},
    {"an edited log", "records", "records",
     [](const Spoilt& s, VerifyOptions&) { write_file(s.at("run1/logs/train.log"), "all went well\n"); }},
    {"edited metrics", "records", "records",
     [](const Spoilt& s, VerifyOptions&) { write_file(s.at("run1/logs/metrics.jsonl"), "{\"step\":1}\n"); }},
    {"an emptied command line", "records", "records",
     [](const Spoilt& s, VerifyOptions&) { write_file(s.at("run1/training/command.txt"), ""); }},
    {"a missing evaluation script", "items", "",
     [](const Spoilt& s, VerifyOptions&) { fs::remove(s.at("run1/eval_only.py")); }},
    {"missing n-best", "items", "records",
     [](const Spoilt& s, VerifyOptions&) { fs::remove(s.at("run1/nbest_predictions.json")); }},
    {"another seed", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/training/spec.json", [](Json& j) { j["train"]["seed"] = 77; });
     }},
    {"another learning rate", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/training/spec.json", [](Json& j) { j["train"]["learning_rate"] = 1e-3; });
     }},
    {"a run that failed", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/training/run.json", [](Json& j) { j["state"] = "failed"; });
     }},
    {"other weights of an ensemble's members", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run3/manifest.json", [](Json& j) { j["models"][0]["weight"] = 5.0; });
     }},
    {"a member left out of the list", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run3/manifest.json", [](Json& j) { j["runs"] = {"run1"}; });
       fs::remove_all(s.at("run3/training/run2"));
       fs::remove_all(s.at("run3/logs/run2"));
     }},
    {"another run's record for the entry's own", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/manifest.json", [](Json& j) { j["runs"] = {"run5"}; });
       fs::copy(s.at("run2/training"), s.at("run1/training/run5"), fs::copy_options::recursive);
       fs::copy(s.at("run2/logs"), s.at("run1/logs/run5"), fs::copy_options::recursive);
     }},
    {"an ensemble's description removed", "records", "records",
     [](const Spoilt& s, VerifyOptions&) { fs::remove(s.at("run3/training/ensemble.json")); }},
    {"nothing on record", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/training/run.json", [](Json& j) { j["artifacts"] = Json::array(); });
     }},
    {"models that are not named", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/manifest.json", [](Json& j) {
         j["models"] = Json::array();
         j["evaluation"] = nullptr;
       });
     }},
    {"another tokenizer in the checkpoint", "records", "records",
     [](const Spoilt& s, VerifyOptions&) { write_file(s.at("run1/checkpoint/tokenizer.json"), "{}"); }},
    {"a script that prints what it should", "scripts", "scripts",
     [](const Spoilt& s, VerifyOptions&) {
       write_file(s.at("run1/eval_only.sh"), "#!/bin/sh\ncat eval.json\n");
     }},
    {"n-best without logits in one question", "n-best", "n-best",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run3/nbest_predictions.json", [](Json& j) { j["q1"][0].erase("start_logit"); });
     }},
    {"an evaluation that is not said", "evaluation", "evaluation",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/manifest.json", [](Json& j) { j["evaluation"].erase("max_seq_length"); });
     }},
    {"no answers to the unseen questions", "unseen", "unseen",
     [](const Spoilt& s, VerifyOptions&) {
       for (const char* entry : {"run1", "run2", "run3", "run4", "run5"})
         fs::remove_all(s.at(std::string(entry) + "/unseen"));
       s.change("manifest.json", [](Json& j) { j["unseen"] = nullptr; });
       s.change("summary.json", [](Json& j) {
         for (auto& entry : j["entries"]) entry["probability_score"] = nullptr;
       });
     }},
    {"an evaluation at another length", "evaluation", "evaluation",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/manifest.json", [](Json& j) { j["evaluation"]["max_seq_length"] = 128; });
     }},
    {"answers decoded otherwise than the run's", "evaluation", "evaluation",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/manifest.json", [](Json& j) { j["evaluation"]["max_answer_length"] = 300; });
     }},
    {"inference at another length", "evaluation", "evaluation",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/inference_stats.json", [](Json& j) { j["sequence_length"] = 128; });
     }},
    {"an unseen question left out", "unseen", "unseen",
     [](const Spoilt& s, VerifyOptions&) {
       for (const char* file : {"predictions.json", "nbest_predictions.json"})
         s.change(std::string("run1/unseen/") + file, [](Json& j) { j.erase("u2"); });
     }},
    {"another probability score", "summary", "summary",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("summary.json", [](Json& j) { j["entries"][0]["probability_score"] = 0.75; });
     }},
    {"other unseen questions", "unseen", "unseen",
     [](const Spoilt& s, VerifyOptions& options) {
       options.unseen = s.w.dir / "other-unseen.json";
       write_file(options.unseen, read_file(s.options.unseen) + " ");
     }},
    {"swapped folders", "ids", "ids",
     [](const Spoilt& s, VerifyOptions&) {
       fs::rename(s.at("run1"), s.at("x"));
       fs::rename(s.at("run4"), s.at("run1"));
       fs::rename(s.at("x"), s.at("run4"));
     }},
    {"swapped folders whose manifests say so", "summary", "summary",
     [](const Spoilt& s, VerifyOptions&) {
       fs::rename(s.at("run1"), s.at("x"));
       fs::rename(s.at("run4"), s.at("run1"));
       fs::rename(s.at("x"), s.at("run4"));
       const std::string first = read_json(s.at("run1/manifest.json"))["id"],
                         fourth = read_json(s.at("run4/manifest.json"))["id"];
       s.change("run1/manifest.json", [](Json& j) { j["folder"] = "run1"; });
       s.change("run4/manifest.json", [](Json& j) { j["folder"] = "run4"; });
       for (const char* file : {"manifest.json", "summary.json"}) {
         s.change(file, [&](Json& j) {
           j["entries"][0]["id"] = first;
           j["entries"][3]["id"] = fourth;
         });
       }
     }},
    {"a folder with another name", "ids", "ids",
     [](const Spoilt& s, VerifyOptions&) {
       fs::rename(s.at("run5"), s.at("best"));
       s.change("best/manifest.json", [](Json& j) { j["folder"] = "best"; });
       for (const char* file : {"manifest.json", "summary.json"})
         s.change(file, [](Json& j) { j["entries"][4]["folder"] = "best"; });
     }},
    {"two folders of one run", "ids", "ids",
     [](const Spoilt& s, VerifyOptions&) {
       fs::remove_all(s.at("run2"));
       fs::copy(s.at("run1"), s.at("run2"), fs::copy_options::recursive);
       s.change("run2/manifest.json", [](Json& j) {
         j["folder"] = "run2";
         j["id"] = "run5";
       });
     }},
    {"the same entry named twice", "files", "files",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("manifest.json", [](Json& j) { j["entries"][1] = j["entries"][0]; });
     }},
    {"four entries", "items", "",
     [](const Spoilt& s, VerifyOptions&) {
       fs::remove_all(s.at("run5"));
       for (const char* file : {"manifest.json", "summary.json"})
         s.change(file, [](Json& j) { j["entries"].erase(4); });
     }},
    {"a symbolic link out of the folder", "files", "files",
     [](const Spoilt& s, VerifyOptions&) {
       fs::remove(s.at("run1/training/environment.json"));
       fs::create_symlink(s.w.dev, s.at("run1/training/environment.json"));
     }},
    {"a path with ..", "files", "files",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("manifest.json", [](Json& j) { j["entries"][0]["folder"] = "../good/run1"; });
     }},
    {"a member's name with ..", "checkpoints", "checkpoints",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run3/manifest.json", [](Json& j) { j["models"][0]["member"] = "../../run1/checkpoint"; });
     }},
};

}  // namespace

TEST_CASE("tampering: the good submission passes under the contest's rules and under none", "[reports]") {
  const Spoilt s;
  s.renew();
  for (const std::string& rules : {s.rules.string(), std::string("none")}) {
    VerifyOptions options = s.options;
    options.rules = rules;
    for (const auto& check : verify_submission(s.folder, options).checks) {
      INFO(rules << ": " << check.rule << ": " << check.why);
      CHECK((check.rule == "no file can show" ? check.result == CheckResult::kUnproven
                                              : check.result == CheckResult::kPassed));
    }
  }
}

TEST_CASE("tampering: each is found although every hash fits, and named", "[reports]") {
  const Spoilt s;
  CHECK(kTamperings.size() >= 25);
  for (const auto& tampering : kTamperings) {
    s.renew();
    VerifyOptions options = s.options;
    tampering.spoil(s, options);
    try {
      s.mend_manifests();
    } catch (const Error&) {  // a link, or a folder that leads out
    }
    for (const std::string& rules : {s.rules.string(), std::string("none")}) {
      options.rules = rules;
      const std::string expected = rules == "none" ? tampering.found_without_rules : tampering.found_by;
      const auto failed = s.failed(options);
      std::string all;
      for (const auto& [rule, why] : failed) all += "\n  " + rule + ": " + why;
      INFO(tampering.what << " under " << rules << ":" << all);
      CHECK((expected.empty() ? failed.empty() : failed.contains(expected)));
    }
  }
}

TEST_CASE("tampering: of one entry alone the folder that it is of is named", "[reports]") {
  const Spoilt s;
  try {
    verify_submission(s.good / "run1", s.options);
    FAIL("an entry was verified as a submission");
  } catch (const Error& e) {
    CHECK(e.code() == ErrorCode::kNotFound);
    CHECK_THAT(e.what(), Catch::EndsWith("run1 is one entry of a submission"));
    CHECK_THAT(e.hint(), Catch::StartsWith("verify its parent: expctl verify ") && Catch::EndsWith("good"));
  }
  CHECK_THROWS_WITH(verify_submission(s.good / "run9", s.options), Catch::EndsWith("run9: no such folder"));
}

TEST_CASE("tampering: a manifest without one of its keys fails a check, and nothing worse", "[reports]") {
  const Spoilt s;
  s.renew();
  VerifyOptions options = s.options;
  options.rules = "";  // those that the manifest names
  for (const std::string file :
       {"manifest.json", "run1/manifest.json", "run3/manifest.json"}) {  // run3: an average
    std::vector<std::string> keys;
    const Json whole = read_json(s.at(file));
    for (const auto& [key, value] : whole.items()) keys.push_back(key);
    for (const auto& key : keys) {
      INFO(file << " without " << key);
      s.change(file, [&](Json& json) { json.erase(key); });
      // Nothing that is checked follows from these two of the whole.
      const bool is_needed = file != "manifest.json" || (key != "schema_version" && key != "unseen");
      CHECK((!s.failed(options).empty() || !is_needed));
      write_file(s.at(file), json_text(whole));
    }
  }
}
