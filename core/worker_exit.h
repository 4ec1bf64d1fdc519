// Exit codes with which expctl-train tells its supervisor what happened, where 0 and 1 do not say enough.
#pragma once

namespace expctl {

constexpr int kExitDiverged =
    75;  ///< the loss or the gradient is no finite number; metrics.jsonl has the event
constexpr int kExitOutOfMemory = 76;  ///< an allocation failed
constexpr int kExitTerminated =
    143;  ///< SIGTERM came; the state is saved and the next attempt goes on from it

}  // namespace expctl
