"""Mistakes in the statistics, as people make them; each must be noticed by the tests of its own module."""

from tests.bench.mutations.mutation import Mutation

ANALYSIS = "studies/analysis"


def _in(module: str, name: str, old: str, new: str, *tests: str) -> Mutation:
    files = tuple(f"tests/analysis/test_{each}.py" for each in (tests or (module,)))
    return Mutation(f"{module}: {name}", f"{ANALYSIS}/{module}.py", old, new, files)


FORMULAS = (
    # The two-way variance
    _in("cluster", "degrees of freedom by trials", "    df = min(clusters) - 1\n", "    df = len(psi) - 1\n"),
    _in(
        "cluster",
        "degrees of freedom of the larger side",
        "    df = min(clusters) - 1\n",
        "    df = max(clusters) - 1\n",
    ),
    _in("cluster", "clusters are questions, not passages", '("item", "item_group", "question")', '("question",)'),
    _in(
        "cluster",
        "the sum of both sides without the cells",
        "self.participant + self.question - self.cell",
        "self.participant + self.question",
    ),
    _in(
        "cluster",
        "the two-way variance alone, not the largest",
        "return max((v for v in (self.participant, self.question, self.two_way) if v is not None), default=None)",
        "return self.participant if self.two_way is None else self.two_way",
    ),
    _in("cluster", "no correction for the number of clusters", "side.count / (side.count - 1) * (n - 1)", "(n - 1)"),
    _in("cluster", "k is 1 for a difference too", "(n - 1) / (n - k)", "(n - 1) / (n - 1)"),
    _in(
        "cluster",
        "one-sided p",
        "p = float(2 * stdtr(df, -abs(estimate / se)))",
        "p = float(stdtr(df, -abs(estimate / se)))",
    ),
    _in(
        "cluster",
        "an interval of 90 %",
        "half = float(stdtrit(df, 0.5 + LEVEL / 2)) * se",
        "half = float(stdtrit(df, LEVEL)) * se",
    ),
    _in(
        "cluster",
        "weights forgotten in the influence",
        "return infer(estimate, w * (y - estimate) / w.sum(), sides",
        "return infer(estimate, (y - estimate) / len(y), sides",
    ),
    _in(
        "cluster",
        "jackknife without (G - 1)",
        "se = float(np.sqrt((count - 1) / count * np.sum(",
        "se = float(np.sqrt(1 / count * np.sum(",
    ),
    _in(
        "cluster",
        "nothing varies, and the interval has no width",
        "    if se < ZERO:\n",
        "    if se < 0:\n",
    ),
    # Contrasts
    _in(
        "compare",
        "questions weighed by their trials",
        "weights = (1.0 / n_one[one[keep_one]], 1.0 / n_zero[zero[keep_zero]])",
        "weights = (1.0 + 0 * n_one[one[keep_one]], 1.0 + 0 * n_zero[zero[keep_zero]])",
    ),
    _in(
        "compare",
        "questions of one condition kept",
        "is_shared = (n_one > 0) & (n_zero > 0)",
        "is_shared = (n_one > 0) | (n_zero > 0)",
    ),
    _in("compare", "synergy by the smaller p", "p=max(known) if len(known)", "p=min(known) if len(known)"),
    _in(
        "compare",
        "synergy over the weaker of both",
        "smaller = min(over_human, over_model",
        "smaller = max(over_human, over_model",
    ),
    _in(
        "compare",
        "one-sided test of the wrong side",
        "stdtr(contrast.df, -contrast.estimate / contrast.se)",
        "stdtr(contrast.df, contrast.estimate / contrast.se)",
    ),
    # Families
    _in("adjust", "Holm is Bonferroni", "p[order] * (len(p) - np.arange(len(p)))", "p[order] * len(p)"),
    _in(
        "adjust",
        "Holm may fall",
        "np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))",
        "p[order] * (len(p) - np.arange(len(p)))",
    ),
    _in(
        "adjust",
        "human - model in the family",
        '{(PER_PERSON, "", MODEL)}',
        '{(PER_PERSON, "", MODEL), ("diff.human_minus_model", "", MODEL)}',
    ),
    _in(
        "adjust",
        "another arm in the family",
        "(row.id, row.arm, row.baseline) not in",
        '(row.id, "", row.baseline) not in',
    ),
    _in("adjust", "no step up", "np.minimum.accumulate(stepped[::-1])[::-1]", "stepped"),
    # Intervals of one share
    _in("proportion", "Wilson without its correction of the middle", "share = (right + Z**2 / 2)", "share = right"),
    _in(
        "proportion",
        "one-sided exact interval",
        "betaincinv(right, n - right + 1, TAIL)",
        "betaincinv(right, n - right + 1, 2 * TAIL)",
    ),
    _in("proportion", "Jeffreys' prior is flat", "right + 0.5, n - right + 0.5", "right + 1, n - right + 1"),
    # Planned trials that are missing
    _in("attrition", "attrition of excluded people", "mask & kept", "mask"),
    # Derived columns
    _in(
        "derive",
        "an unanswered trial keeps its mark",
        'out["correct"].mask(out["timed_out"] == 1, 0.0)',
        'out["correct"]',
    ),
    _in(
        "derive",
        "a question without a passage has no cluster",
        'out["item_group"].mask(out["item_group"] == "", out["question"])',
        'out["item_group"]',
    ),
    _in(
        "derive",
        "advice is always the model's",
        'frame["assistant_answer"].mask(~own, frame["model_answer"])',
        'frame["model_answer"]',
        "derive",
        "advice",
    ),
    # Calibration
    _in(
        "calibration",
        "timeouts are calibrated",
        'trials["confidence"].notna().to_numpy() & (trials["timed_out"].to_numpy() != 1)',
        'trials["confidence"].notna().to_numpy()',
    ),
    _in(
        "calibration",
        "overconfidence the other way",
        'kept["confidence"] - kept["correct"], population',
        'kept["correct"] - kept["confidence"], population',
    ),
    _in(
        "calibration",
        "Brier without the square",
        '(kept["confidence"] - kept["correct"]) ** 2',
        '(kept["confidence"] - kept["correct"])',
    ),
    _in(
        "calibration",
        "bins closed on the right",
        "np.minimum(np.floor(10 * np.round(confidences, 9) + 1e-9), 9)",
        "np.maximum(np.ceil(10 * np.round(confidences, 9) - 1e-9) - 1, 0)",
    ),
    _in(
        "calibration",
        "the paper's bins closed on the right",
        'np.searchsorted(EDGES, np.round(confidences, 9), side="right")',
        'np.searchsorted(EDGES, np.round(confidences, 9), side="left")',
        "calibration",
        "advice",
    ),
    _in(
        "calibration",
        "ties split between bins of equal counts",
        'np.searchsorted(edges, values, side="left")',
        'np.searchsorted(edges, values, side="right")',
    ),
    _in(
        "calibration",
        "debiased by n, not n - 1",
        "(1 - mean_correct[many]) / (n[many] - 1)",
        "(1 - mean_correct[many]) / n[many]",
    ),
    # Votes
    _in(
        "vote",
        "clipped after spreading",
        "other = np.log((1 - own) / (size[asked] - 1))",
        "other = np.log(np.clip((1 - confidences) / (size[asked] - 1), *CLIP))",
        "vote",
        "advice",
    ),
    _in(
        "vote",
        "the rest is spread over all options",
        "(1 - own) / (size[asked] - 1)",
        "(1 - own) / size[asked]",
        "vote",
    ),
    _in(
        "vote",
        "a tie earns everything",
        "best[np.arange(n), gold], 1.0 / tied, 0.0)",
        "best[np.arange(n), gold], 1.0, 0.0)",
    ),
    _in("vote", "no cap", "np.minimum(top[:, 0], CAP)", "top[:, 0]"),
    _in("vote", "people without confidence vote in the pool", "(choice >= 0) & has_confidence", "(choice >= 0)"),
    # Reliance
    _in(
        "reliance",
        "RAIR also where the first answer was right",
        "kept = _after_first(trials, first=0, right=1)",
        "kept = _after_first(trials, right=1)",
    ),
    _in(
        "reliance",
        "RSR with advice of any kind",
        "kept = _after_first(trials, first=1, right=0)",
        "kept = _after_first(trials, first=1)",
    ),
    _in(
        "reliance",
        "switching counts those who agreed before",
        'kept = kept.loc[kept["first_agrees"] == 0]',
        "kept = kept",
    ),
    _in(
        "reliance",
        "timed-out trials count",
        'keep = (trials["timed_out"].to_numpy() != 1) & trials["agrees"].notna().to_numpy()',
        'keep = trials["agrees"].notna().to_numpy()',
    ),
    # Accuracy and the model alone
    _in(
        "accuracy",
        "halves with the middle trial",
        "placed.loc[rank > size - size // 2]",
        "placed.loc[rank > size // 2]",
    ),
    _in("accuracy", "people weigh by their trials", "weights=own / total[codes]", "weights=own"),
    _in(
        "agreement",
        "kappa without the chance in its influence",
        "change = change - (1 - observed)",
        "change = change - 0 * (1 - observed)",
    ),
    _in(
        "position",
        "Hotelling's F with the wrong degrees",
        "fdtrc(places, clusters - places,",
        "fdtrc(places, clusters - 1,",
    ),
    _in(
        "temperature",
        "fitted on the rows it is applied to",
        "fit(logs[~is_out], gold[~is_out], weights[~is_out])",
        "fit(logs, gold, weights)",
    ),
    _in(
        "temperature",
        "p to the T",
        "Tempered(found, softmax(logs / found[:, None])",
        "Tempered(found, softmax(logs * found[:, None])",
    ),
    # What is no mean
    _in("by_value", "ties do not count half", "np.cumsum(wrong, axis=-1) - wrong / 2", "np.cumsum(wrong, axis=-1)"),
    _in("by_value", "right from 0 up", 'kept["correct"].to_numpy() >= 0.5', 'kept["correct"].to_numpy() >= 0'),
    _in("resample", "the jackknife of iid rows", "(len(values) - 1) / len(values) *", "1 / len(values) *"),
    _in("resample", "draws without the people's sums", "drawn += np.arange(resamples)[:, None] * count", "drawn += 0"),
    _in(
        "resample",
        "single precision for anything",
        "is_exact = bool((tables == np.round(tables)).all()) and",
        "is_exact =",
    ),
    _in("recalibrate", "quasi-separation is fitted", "wrong.max() <= right.min()", "wrong.max() < right.min()"),
    _in("recalibrate", "the intercept without its offset", "else values\n    beta", "else 0 * values\n    beta"),
    _in(
        "decompose",
        "WBC without its factor 2",
        "float(2 * (inside * outcome).mean())",
        "float((inside * outcome).mean())",
    ),
    _in("persons", "a difference has one mean", "n1 + n0, k=2", "n1 + n0, k=1"),
)
