// Lower layers learn more slowly: each has its own part of the learning rate.
//
// Source: Clark et al. 2020 (ELECTRA, section A) and Bao et al. 2021 (BEiT), whose numbering this is:
// embeddings are 0, encoder layer i (from 0) is i + 1, the span head is L + 1, for L layers.
#pragma once

#include <cstdint>
#include <string_view>

namespace expctl {

/// What the learning rate of a parameter (formats/bert_names.h) is multiplied by: decay^(L + 1 - number), so
/// 1 for the head, `decay` for the last layer, decay^(L + 1) for the embeddings. Decoupled weight decay,
/// which is a part of the rate, goes with it.
double rate_factor(std::string_view name, int64_t layers, double decay);

}  // namespace expctl
