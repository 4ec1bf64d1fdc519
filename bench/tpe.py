"""The minima that expctl's tpe finds, beside Optuna's TPESampler as it comes and random trials: mean regret (best value less the minimum).

    tpe.py BENCH_TPE [--trials 60] [--seeds 20]

Sampler seeds 0, 1, ... of both are paired. The differences (expctl less Optuna; below 0 expctl is nearer to the minimum) have a 95 % t-interval. All see every result before they
propose (lag 1); lag 4, expctl's default, stands beside it. A log ratio is the mean over seeds of ln(expctl's regret / Optuna's): means of regrets are ruled by the worst seeds.
Exit code 1 where a difference lies wholly above 0, or tpe is no better than random.
"""
import argparse
import json
import math
import statistics
import subprocess
import sys

import numpy as np
import optuna

HARTMANN_SCALES = np.array([[3, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]])
HARTMANN_CENTRES = np.array([[0.3689, 0.1170, 0.2673], [0.4699, 0.4387, 0.7470], [0.1091, 0.8732, 0.5547], [0.0381, 0.5743, 0.8828]])


def branin(x):
    return (x[1] - 5.1 / (4 * np.pi**2) * x[0] ** 2 + 5 / np.pi * x[0] - 6) ** 2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x[0]) + 10


def hartmann(x):
    return -np.array([1, 1.2, 3, 3.2]) @ np.exp(-(HARTMANN_SCALES * (x - HARTMANN_CENTRES) ** 2).sum(axis=1))


def levy(x):
    w = 1 + (x - 1) / 4
    inner = (w[:-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * w[:-1] + 1) ** 2)
    return np.sin(np.pi * w[0]) ** 2 + inner.sum() + (w[-1] - 1) ** 2 * (1 + np.sin(2 * np.pi * w[-1]) ** 2)


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


# Function, ranges, minimum.
PROBLEMS = {
    "branin2": (branin, [(-5, 10), (0, 15)], 0.39788735772973816),
    "hartmann3": (hartmann, [(0, 1)] * 3, -3.862782147820756),
    "levy4": (levy, [(-10, 10)] * 4, 0),
    "rosenbrock5": (rosenbrock, [(-5, 10)] * 5, 0),
}
T_975 = {20: 2.0930, 40: 2.0227, 100: 1.9842}  # Student's t by the number of seeds


def optuna_best(name, trials, seed):
    function, ranges, _ = PROBLEMS[name]
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(lambda trial: function(np.array([trial.suggest_float(f"x{i}", *ends) for i, ends in enumerate(ranges)])), n_trials=trials)
    return study.best_value


def interval(values):
    mean = statistics.mean(values)
    half = T_975[len(values)] * statistics.stdev(values) / math.sqrt(len(values))
    return mean, mean - half, mean + half


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench_tpe")
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=20, choices=sorted(T_975))
    args = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def expctl(method, lag):
        command = [args.bench_tpe, method, str(lag), str(args.trials), str(args.seeds)]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        regrets = {}
        for name, (function, _, minimum) in PROBLEMS.items():
            for best in found[name]:
                if not math.isclose(function(np.array(best["point"])), best["value"], rel_tol=1e-9, abs_tol=1e-12):
                    sys.exit(f"{name}: the two programs do not mean the same function")
            regrets[name] = [best["value"] - minimum for best in found[name]]
        return regrets

    ours, lagged, random = expctl("tpe", 1), expctl("tpe", 4), expctl("random", 1)
    print(f"mean regret after {args.trials} trials, {args.seeds} seeds; optuna {optuna.__version__}")
    print("| function | expctl | Optuna | random | expctl - Optuna, 95 % | log ratio, 95 % | | expctl, lag 4 | it - Optuna, 95 % |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    holds = True
    for name, (_, _, minimum) in PROBLEMS.items():
        theirs = [optuna_best(name, args.trials, seed) - minimum for seed in range(args.seeds)]
        mean, low, high = interval([a - b for a, b in zip(ours[name], theirs)])
        ratio, ratio_low, ratio_high = interval([math.log(max(a, 1e-12) / max(b, 1e-12)) for a, b in zip(ours[name], theirs)])
        late, late_low, late_high = interval([a - b for a, b in zip(lagged[name], theirs)])
        verdict = "in favour" if high < 0 else "reaches 0" if low <= 0 else "against"
        holds = holds and low <= 0 and statistics.mean(ours[name]) < statistics.mean(random[name])
        means = " | ".join(f"{statistics.mean(values):.4g}" for values in (ours[name], theirs, random[name]))
        print(f"| {name} | {means} | {mean:+.4g} ({low:+.4g} to {high:+.4g}) | {ratio:+.2f} ({ratio_low:+.2f} to {ratio_high:+.2f}) | {verdict} "
              f"| {statistics.mean(lagged[name]):.4g} | {late:+.4g} ({late_low:+.4g} to {late_high:+.4g}) |", flush=True)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
