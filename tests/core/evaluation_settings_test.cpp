#include "core/evaluation_settings.h"

#include <catch2/catch.hpp>

using namespace expctl;

TEST_CASE("evaluation settings: scores are of the same evaluation where data, length, stride and window are",
          "[core]") {
  RunSpec a;
  a.train = resolve(TrainSpec{});
  a.dev_data.sha256 = "d";
  RunSpec b = a;
  b.train.learning_rate = 1e-5;
  CHECK(evaluation_settings(a) == evaluation_settings(b));
  b.train.eval_max_seq_length = 128;
  CHECK(evaluation_settings(a) != evaluation_settings(b));
  a.command.argv = {"train.sh"};
  CHECK(json_line(evaluation_settings(a)) == R"({"dev_sha256":"d"})");
}

TEST_CASE("evaluation settings: by name, and as --set takes them", "[core]") {
  RunSpec spec;
  spec.train = resolve(TrainSpec{});
  spec.dev_data.sha256 = "d";
  const Json own = evaluation_settings(spec), decoding = decoding_settings(spec.train);
  CHECK(json_line(own) ==
        R"({"dev_sha256":"d","max_seq_length":384,"doc_stride":128,"window":"overlap"})");
  CHECK(json_line(decoding) ==
        R"({"max_query_length":0,"n_best":20,"max_answer_length":30,"decode":"run_squad"})");
  CHECK(setting_text("window", own["window"]) == "eval_window=overlap");
  CHECK(setting_text("n_best", decoding["n_best"]) == "n_best=20");
  CHECK(setting_text("precision", "bf16") == "eval_precision=bf16");
  Json recorded = own;
  recorded.update(decoding);
  CHECK(evaluation_identity(recorded) == own);
}
