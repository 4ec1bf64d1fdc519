#include "trainer/loss_scale.h"

#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("loss scale: halved by a gradient that is no number, doubled after 2000 good ones", "[trainer]") {
  LossScale scale;
  CHECK(scale.scale == 65536);
  scale = next_scale(scale, false);
  CHECK(scale == LossScale{32768, 0});
  for (int i = 0; i < 1999; ++i) scale = next_scale(scale, true);
  CHECK(scale == LossScale{32768, 1999});
  CHECK(next_scale(scale, false) == LossScale{16384, 0});
  CHECK(next_scale(scale, true) == LossScale{65536, 0});
}
