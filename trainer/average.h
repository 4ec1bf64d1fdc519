// An exponential moving average of the parameters (Polyak, Juditsky 1992), which is evaluated and kept in
// their place. Training itself goes on from the parameters as they are.
//
// Source: TensorFlow's ExponentialMovingAverage with num_updates, which is torch_ema's too: after each update
//     average -= (1 - d) (average - parameters),   d = min(decay, (1 + updates) / (10 + updates)),
// beginning at the initial parameters.
#pragma once

#include <cstdint>

#include "trainer/parameters.h"

namespace expctl {

/// d after so many updates: the first ones count more, so that the average soon forgets where it began.
double average_decay(double decay, int64_t updates);

/// Moves the average of the same tensors, in place.
void move_average(Parameters& average, const Parameters& parameters, double d);

}  // namespace expctl
