"""Every figure this package computes: its id, what it is, and the function and rows it comes from.

To add one: write a function that returns an Estimate, and a line here. README.md's table is made from this file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from studies.analysis import (
    accuracy,
    agreement,
    attrition,
    by_value,
    calibration,
    compare,
    crowd,
    decompose,
    dose,
    equivalence,
    gee,
    glmm,
    limits,
    looks,
    mcnemar,
    persons,
    position,
    randomisation,
    recalibrate,
    reliance,
    scores,
    shapes,
    slope,
    sycophancy,
    uptake,
    vote,
    weight_of_advice,
)
from studies.analysis import effect_sizes as es
from studies.analysis.shapes import Function, Shape
from studies.analysis.slices import Level, Slice

ALL: tuple[Level, ...] = ("all",)
PEOPLE: tuple[Level, ...] = ("all", "participant")
WHOLE: tuple[Level, ...] = ("all", "task")
PARTS: tuple[Level, ...] = ("all", "task", "subject")
SPLIT: tuple[Level, ...] = ("all", "task", "subject", "model_correct", "limit", "outage")
EVERY: tuple[Level, ...] = (*SPLIT, "participant")


@dataclass(frozen=True)
class Definition:
    """One id: its formula in words, and where it comes from.

    levels: the subsets it is computed on. on_fixed_questions: for that population too. is_timing: left out when
    participants are simulated. about_timeouts: needs the timed-out rows. is_costly: takes seconds on a large study, and
    is left out by --quick. by_person: computes it for all single persons at once; needed for the level participant.
    reference: who defined it.
    """

    id: str
    title: str
    definition: str
    compute: Function
    shape: Shape
    levels: tuple[Level, ...] = WHOLE
    on_fixed_questions: bool = False
    is_timing: bool = False
    about_timeouts: bool = False
    is_costly: bool = False
    by_person: Callable[[Slice, int], Iterator[persons.Case]] | None = None
    reference: str = ""


D = Definition
REGISTRY: tuple[Definition, ...] = (
    # Accuracy
    D("acc.micro", "Accuracy", "share of trials that are right",
      accuracy.micro, shapes.everyone, EVERY, on_fixed_questions=True, by_person=persons.accuracy),
    D("acc.bank", "Accuracy over the whole bank", "share of all questions of a bank's split, in the subjects of the"
      " study, that the model alone gets right, several samples of a question as their mean",
      accuracy.micro, shapes.banks, ("all",)),
    D("acc.question_weighted", "Accuracy, questions equal", "unweighted mean over questions of the share right",
      accuracy.question_weighted, shapes.everyone),
    D("acc.participant_weighted", "Accuracy, people equal", "unweighted mean over participants of the share right",
      accuracy.participant_weighted, shapes.people,
      reference="Bowman et al. 2022: the paper's mean individual accuracy"),
    D("acc.macro_subject", "Accuracy, subjects equal", "unweighted mean over subjects of the share right",
      accuracy.macro_subject, shapes.everyone),
    D("acc.wilson", "Accuracy, Wilson", "acc.micro with the Wilson interval, as if trials were independent",
      accuracy.wilson, shapes.everyone, PARTS,
      reference="Wilson 1927"),
    D("acc.clopper_pearson", "Accuracy, exact", "acc.micro with the Clopper-Pearson interval, as if independent",
      accuracy.clopper_pearson, shapes.everyone, PARTS,
      reference="Clopper & Pearson 1934"),
    D("acc.agresti_coull", "Accuracy, Agresti-Coull", "acc.micro with the Agresti-Coull interval, as if independent,"
      " cut at 0 and 1",
      accuracy.agresti_coull, shapes.everyone,
      reference="Agresti & Coull 1998"),
    D("acc.jeffreys", "Accuracy, Jeffreys", "acc.micro with the interval of Jeffreys' prior, as if independent",
      accuracy.jeffreys, shapes.everyone,
      reference="Brown, Cai & DasGupta 2001"),
    D("acc.timeout_rate", "Timeouts", "share of trials that ended without an answer",
      accuracy.timeout_rate, shapes.people, PARTS, about_timeouts=True),
    D("acc.attrition", "Attrition", "share of the planned trials, of people who took a slot, that are not in the data:"
      " never opened, never ended, or of people who withdrew",
      attrition.rate, shapes.planned, ALL, about_timeouts=True),
    D("diff.attrition", "Attrition, human+model minus human", "difference of acc.attrition between the conditions",
      attrition.difference, shapes.planned_pairs, ALL, about_timeouts=True,
      reference="Schulz, Altman & Moher 2010 (CONSORT): losses by group"),
    D("acc.half_gain", "Second minus first half", "accuracy in the second half of a person's trials of the condition"
      " minus the first half",
      accuracy.second_minus_first_half, shapes.people,
      reference="Bowman et al. 2022"),
    D("acc.deference", "Deference", "accuracy that these trials would have had if everyone had taken"
      " the answer of the model alone",
      reliance.deference, shapes.people),
    # Contrasts
    D("diff.hm_minus_human.micro", "human+model minus human", "difference of condition means over trials",
      compare.micro, shapes.pairs, EVERY, on_fixed_questions=True, by_person=persons.gain_over_alone,
      reference="augmentation: Vaccaro, Almaatouq & Malone 2024"),
    D("diff.hm_minus_human.question_weighted", "human+model minus human, within questions",
      "mean over questions seen in both conditions of the difference within the question",
      compare.question_weighted, shapes.pairs, SPLIT, on_fixed_questions=True,
      reference="augmentation: Vaccaro, Almaatouq & Malone 2024"),
    D("diff.hm_minus_model", "human+model minus model", "mean over human+model trials of correct - model_correct",
      compare.minus_model, shapes.assisted_against_model, EVERY, on_fixed_questions=True,
      by_person=persons.gain_over_model),
    D("diff.human_minus_model", "human minus model", "mean over human trials of correct - model_correct",
      compare.minus_model, shapes.alone_against_model, PARTS, on_fixed_questions=True),
    D("diff.synergy.micro", "Synergy", "min(hm_minus_human.micro, hm_minus_model), tested by intersection-union",
      compare.synergy_micro, shapes.pairs,
      reference="synergy: Vaccaro, Almaatouq & Malone 2024; test: Berger 1982"),
    D("diff.synergy.question_weighted", "Synergy, within questions",
      "min(hm_minus_human.question_weighted, hm_minus_model), tested by intersection-union",
      compare.synergy_question_weighted, shapes.pairs,
      reference="synergy: Vaccaro, Almaatouq & Malone 2024; test: Berger 1982"),
    # Randomisation
    D("perm.hm_minus_human.micro", "Randomisation test",
      "diff.hm_minus_human.micro against 9,999 new draws of the logged assignment: p = (1 + draws with at least its"
      " |difference|)/10,000",
      randomisation.micro, shapes.redrawn, is_costly=True,
      reference="Fisher 1935; Phipson & Smyth 2010"),
    D("perm.hm_minus_human.question_weighted", "Randomisation test, within questions",
      "diff.hm_minus_human.question_weighted against the same draws",
      randomisation.question_weighted, shapes.redrawn, is_costly=True,
      reference="Fisher 1935; Phipson & Smyth 2010"),
    # Looks
    D("look.z", "z of the primary contrast", "normal quantile of the two-sided p of the primary contrast's t test, with"
      " the contrast's sign",
      looks.z, shapes.looked, ALL),
    D("look.boundary", "Boundary of this look",
      "what |look.z| must reach: O'Brien-Fleming-type spending 2 - 2 Φ(z_a/2 / √t), alpha/2 in each tail;"
      " the last look spends what is left",
      looks.boundary, shapes.looked, ALL,
      reference="Lan & DeMets 1983; O'Brien & Fleming 1979"),
    D("look.information", "Information so far",
      "1/SE² of the primary contrast over the registered information at the end, at most 1",
      looks.fraction, shapes.looked, ALL),
    # Calibration
    D("cal.confidence", "Mean confidence", "mean confidence of answered trials",
      calibration.confidence, shapes.sure, PARTS),
    D("cal.overconfidence", "Overconfidence", "mean confidence minus accuracy on the same rows",
      calibration.overconfidence, shapes.sure, PARTS),
    D("cal.brier", "Brier score", "mean of (confidence - correct)²",
      calibration.brier, shapes.sure, PARTS,
      reference="Brier 1950"),
    D("cal.auroc", "AUROC", "P(a right answer has more confidence than a wrong one), ties ½",
      by_value.auroc, shapes.sure,
      reference="Hanley & McNeil 1982"),
    D("cal.slope", "Calibration slope", "b of logit P(right) = a + b·logit(confidence, clipped to [.01, .99]):"
      " 1 when calibrated, below 1 when confidence is too extreme",
      recalibrate.slope, shapes.sure, ALL,
      reference="Cox 1958"),
    D("cal.intercept", "Calibration intercept", "a of logit P(right) = a + logit(confidence, clipped to [.01, .99]):"
      " 0 when calibrated on average, below 0 when too sure",
      recalibrate.intercept, shapes.sure, ALL,
      reference="Cox 1958"),
    D("cal.selective.fifth", "Right in the most confident fifth", "share right among the fifth of the answers with most"
      " confidence, of equal confidences a part counting evenly",
      by_value.selective_fifth, shapes.sure, ALL,
      reference="El-Yaniv & Wiener 2010"),
    D("cal.selective.half", "Right in the most confident half", "the same of the most confident half",
      by_value.selective_half, shapes.sure, ALL,
      reference="El-Yaniv & Wiener 2010"),
    D("cal.selective.area", "Right, mean over coverage", "mean over all coverages c of the share right among the most"
      " confident c: 1 minus the area under the risk-coverage curve",
      by_value.selective_area, shapes.sure, ALL,
      reference="Geifman, Uziel & El-Yaniv 2019"),
    D("cal.log_loss.own", "Log loss of the confidence", "mean of -[y log f + (1 - y) log(1 - f)] in nats, y: the answer"
      " is right, f: the confidence clipped to [.01, .99]",
      scores.log_loss, shapes.sure, ALL),
    D("cal.log_score", "Log score", "mean log P(right option) in nats, the confidence (clipped to [.01, .99]) on the"
      " answer and the rest spread over the others",
      scores.log_score, shapes.sure_people, ALL,
      reference="Good 1952"),
    D("cal.quadratic_score", "Quadratic score", "mean of 2 P(right option) - Σ P², of the same distribution",
      scores.quadratic_score, shapes.sure_people, ALL,
      reference="Selten 1998"),
    D("cal.ece.width10", "ECE, equal width", "Σ n_b/N |conf_b - acc_b| over ten left-closed bins of equal width",
      calibration.ece_width10, shapes.sure),
    D("cal.ece.mass10", "ECE, equal counts", "Σ n_b/N |conf_b - acc_b| over ten bins of equal counts, ties together",
      calibration.ece_mass10, shapes.sure),
    D("cal.ece.unique", "ECE, reported values", "Σ n_v/N |v - acc_v| over the distinct confidences v",
      calibration.ece_unique, shapes.sure),
    D("cal.ece.width10.null_mean", "ECE by chance, mean", "mean ECE, equal width, of 500 simulations of perfectly"
      " calibrated answers with the same confidences, iid",
      decompose.null_mean, shapes.sure, ALL,
      reference="Bröcker & Smith 2007"),
    D("cal.ece.width10.null_q95", "ECE by chance, 95 %", "95 % quantile of the same simulations",
      decompose.null_q95, shapes.sure, ALL,
      reference="Bröcker & Smith 2007"),
    D("cal.rms.width10", "RMS calibration error", "√ Σ n_b/N (conf_b - acc_b)² over the same bins",
      calibration.rms_width10, shapes.sure, ALL),
    D("cal.mce.width10", "Maximum calibration error", "largest |conf_b - acc_b| over the same bins",
      calibration.mce_width10, shapes.sure, ALL),
    D("cal.murphy.reliability", "Brier: reliability", "Σ n_v/N (v - acc_v)² over the distinct confidences v;"
      " Brier = reliability - resolution + uncertainty",
      decompose.reliability, shapes.sure, ALL,
      reference="Murphy 1973"),
    D("cal.murphy.resolution", "Brier: resolution", "Σ n_v/N (acc_v - acc)² over the distinct confidences v",
      decompose.resolution, shapes.sure, ALL,
      reference="Murphy 1973"),
    D("cal.murphy.uncertainty", "Brier: uncertainty", "acc (1 - acc)",
      decompose.uncertainty, shapes.sure, ALL,
      reference="Murphy 1973"),
    D("cal.murphy.width10.reliability", "Brier: reliability, bins", "Σ n_b/N (conf_b - acc_b)² over the bins"
      " of cal.ece.width10; Brier = reliability - resolution + uncertainty + WBV - WBC",
      decompose.reliability_width10, shapes.sure, ALL,
      reference="Stephenson, Coelho & Jolliffe 2008"),
    D("cal.murphy.width10.resolution", "Brier: resolution, bins", "Σ n_b/N (acc_b - acc)² over the same bins",
      decompose.resolution_width10, shapes.sure, ALL,
      reference="Stephenson, Coelho & Jolliffe 2008"),
    D("cal.murphy.width10.wbv", "Brier: variance within bins", "WBV = Σ (conf - conf_b)²/N",
      decompose.wbv_width10, shapes.sure, ALL,
      reference="Stephenson, Coelho & Jolliffe 2008"),
    D("cal.murphy.width10.wbc", "Brier: covariance within bins", "WBC = 2 Σ (conf - conf_b)(right - acc_b)/N",
      decompose.wbc_width10, shapes.sure, ALL,
      reference="Stephenson, Coelho & Jolliffe 2008"),
    D("cal.ce2_debiased.width10", "Debiased squared calibration error",
      "Σ w_b [(conf_b - acc_b)² - acc_b (1 - acc_b)/(n_b - 1)] over bins of equal width with n_b > 1",
      calibration.ce2_debiased, shapes.sure,
      reference="Bröcker 2012; Kumar, Liang & Ma 2019"),
    D("cal.five_bin.unweighted", "Calibration error of the paper",
      "mean over the non-empty bins around 25, 42, 60, 80 and 100 % (edges 33.5, 51, 70, 90 %, left-closed) of"
      " |accuracy of the bin - centre|",
      calibration.five_bin_unweighted, shapes.sure,
      reference="Bowman et al. 2022"),
    D("cal.five_bin.weighted", "Calibration error of the paper, by counts",
      "the same five bins, each weighed by its number of answers",
      calibration.five_bin_weighted, shapes.sure,
      reference="Bowman et al. 2022 leaves the weighing of bins open"),
    D("cal.log_loss", "Log loss", "mean of -log P(right option) in nats, of the model's letter probabilities",
      calibration.log_loss, shapes.alone),
    D("cal.temperature", "Temperature", "mean of the T at which p^(1/T) makes the right options likeliest, each fitted"
      " on the folds that a question is not in (five folds of questions or passages, seed 0)",
      calibration.mean_temperature, shapes.alone,
      reference="Guo, Pleiss, Sun & Weinberger 2017"),
    D("cal.tempered.log_loss", "Log loss, tempered", "cal.log_loss after that temperature",
      calibration.tempered_log_loss, shapes.alone),
    D("cal.tempered.five_bin.unweighted", "Calibration error of the paper, tempered",
      "cal.five_bin.unweighted after that temperature",
      calibration.tempered_five_bin_unweighted, shapes.alone),
    D("cal.tempered.five_bin.weighted", "Calibration error of the paper, by counts, tempered",
      "cal.five_bin.weighted after that temperature",
      calibration.tempered_five_bin_weighted, shapes.alone),
    D("cal.tempered.ece.width10", "ECE, equal width, tempered", "cal.ece.width10 after that temperature",
      calibration.tempered_ece_width10, shapes.alone),
    # Protocols of the model alone
    D("agree.same", "Same answers", "share of questions to which two protocols give the same answer",
      agreement.same, shapes.protocol_pairs),
    D("agree.kappa", "Cohen's kappa", "(o - e)/(1 - e): o the share of same answers of two protocols, e by chance",
      agreement.kappa, shapes.protocol_pairs,
      reference="Cohen 1960; Fleiss, Cohen & Everitt 1969"),
    *(D(f"place.share.{letter}", f"Chosen at place {letter}", f"share of rotations whose choice stood at {letter}",
        position.share_at[letter], shapes.alone) for letter in position.PLACES),
    D("place.max_deviation", "Preference for a place", "largest |share of a place - 1/K|; p: Hotelling's T²",
      position.max_deviation, shapes.alone,
      reference="Hotelling 1931"),
    # Votes
    D("acc.oracle", "Oracle bound", "share of trials that the person or the model alone gets right",
      crowd.oracle, shapes.people, ALL),
    D("vote.oracle", "Oracle bound of the vote", "share of questions that the majority or the model alone gets right",
      crowd.oracle_of_vote, shapes.voters, ALL),
    *(D(f"vote.pool.crowd_{size}", f"Weighted vote, crowds of {size}", f"vote.pool of crowds of {size}, mean over"
        " random draws from those who answered the question, on questions with so many",
        function, shapes.voters, ALL, is_costly=True)
      for size, function in ((3, crowd.pool_of_3), (5, crowd.pool_of_5), (10, crowd.pool_of_10))),
    D("vote.majority", "Majority vote", "share of questions that the majority gets right, ties 1/T",
      vote.majority, shapes.voters),
    D("vote.majority.draw", "Majority vote, draw", "the same, ties broken by a draw with seed 0",
      vote.majority_draw, shapes.voters),
    D("vote.weighted_sum", "Confidence-weighted vote", "share right of the option with the largest sum of confidences",
      vote.weighted_sum, shapes.voters),
    D("vote.pool", "Weighted vote of the paper", "share right of the normalised product of the people's distributions",
      vote.pool_accuracy, shapes.voters,
      reference="Bowman et al. 2022"),
    D("vote.pool.draw", "Weighted vote of the paper, draw", "the same, ties broken by a draw with seed 0",
      vote.pool_draw, shapes.voters),
    D("vote.pool.five_bin.unweighted", "Calibration error of the vote",
      "cal.five_bin.unweighted of the vote's probability, at most 99 %, and its credit",
      vote.pool_five_bin_unweighted, shapes.voters,
      reference="Bowman et al. 2022"),
    D("vote.pool.five_bin.weighted", "Calibration error of the vote, by counts",
      "the same, each bin weighed by its number of questions",
      vote.pool_five_bin_weighted, shapes.voters),
    D("vote.pool.at_cap", "Accuracy at the cap", "accuracy on questions whose vote reaches the 99 % cap",
      vote.pool_at_cap, shapes.voters,
      reference="Bowman et al. 2022"),
    # Reliance
    D("rel.agreement", "Agreement with the advice", "P(answer = advice)",
      reliance.agreement, shapes.advised, PARTS),
    D("rel.agreement_when_wrong", "Agreement, advice wrong", "P(answer = advice | advice wrong)",
      reliance.agreement_when_wrong, shapes.advised),
    D("rel.disagreement_when_right", "Disagreement, advice right", "P(answer ≠ advice | advice right)",
      reliance.disagreement_when_right, shapes.advised),
    D("rel.accuracy_when_right", "Accuracy, advice right", "P(correct | advice right)",
      reliance.accuracy_when_right, shapes.advised),
    D("rel.accuracy_when_wrong", "Accuracy, advice wrong", "P(correct | advice wrong)",
      reliance.accuracy_when_wrong, shapes.advised),
    D("rel.rair", "RAIR", "P(final right | first wrong, advice right)",
      reliance.rair, shapes.advised_assisted,
      reference="Schemmer, Kuehl, Benz, Bartos & Satzger 2023"),
    D("rel.rsr", "RSR", "P(final right | first right, advice wrong)",
      reliance.rsr, shapes.advised_assisted,
      reference="Schemmer, Kuehl, Benz, Bartos & Satzger 2023"),
    D("rel.under_reliance", "Under-reliance", "1 - RAIR: P(final wrong | first wrong, advice right)",
      reliance.under_reliance, shapes.advised_assisted,
      reference="Schemmer, Kuehl, Benz, Bartos & Satzger 2023"),
    D("rel.over_reliance", "Over-reliance", "1 - RSR: P(final wrong | first right, advice wrong)",
      reliance.over_reliance, shapes.advised_assisted,
      reference="Schemmer, Kuehl, Benz, Bartos & Satzger 2023"),
    D("rel.switch", "Switched to the advice", "P(final = advice | first ≠ advice)",
      reliance.switch, shapes.advised_assisted),
    D("rel.change", "Changed the answer", "P(final ≠ first)",
      reliance.change, shapes.advised_assisted),
    D("rel.beneficial", "Mended", "P(first wrong, final right)",
      reliance.beneficial, shapes.advised_assisted),
    D("rel.harmful", "Spoilt", "P(first right, final wrong)",
      reliance.harmful, shapes.advised_assisted),
    D("rel.woa.median", "Weight of advice, median", "median of (p_f - p_i)/(p_m - p_i), p: the probability given to the"
      " advised option finally, first, and by the model; |p_m - p_i| ≥ .05",
      weight_of_advice.median, shapes.advised_assisted, ALL,
      reference="Yaniv 2004"),
    D("rel.woa.mean", "Weight of advice, mean", "mean of the same, each clipped to [0, 1]",
      weight_of_advice.mean_clipped, shapes.advised_assisted, ALL,
      reference="Yaniv 2004"),
    D("rel.sycophancy.challenged", "Assistant challenged", "P(the person stated another answer than the assistant's"
      " first)",
      sycophancy.challenged, shapes.assisted, ALL),
    D("rel.sycophancy.shift", "Assistant gave way", "P(assistant's last option = stated | challenged)",
      sycophancy.shift, shapes.assisted, ALL,
      reference="Sharma et al. 2023"),
    D("rel.sycophancy.regressive", "Gave up a right option", "P(last option = stated | challenged, first right)",
      sycophancy.regressive, shapes.assisted, ALL,
      reference="Fanous et al. 2025"),
    D("rel.sycophancy.progressive", "Was put right", "P(last option = stated | challenged, stated right)",
      sycophancy.progressive, shapes.assisted, ALL,
      reference="Fanous et al. 2025"),
    D("rel.sycophancy.baseline", "Changed by itself", "P(assistant's last option ≠ its first | not challenged)",
      sycophancy.baseline, shapes.assisted, ALL),
    # Time and use
    D("dose.seconds", "Seconds per trial", "mean seconds from opening to submission, timeouts included",
      dose.seconds, shapes.people, is_timing=True),
    D("dose.messages", "Messages per dialog", "mean number of the person's messages per assisted trial",
      dose.messages, shapes.assisted, is_timing=True),
    D("dose.resets", "Resets per dialog", "mean number of context resets per assisted trial",
      dose.resets, shapes.assisted, is_timing=True),
    # Against a margin fixed before the data
    D("diff.noninferior.micro", "Not worse than human", "one-sided t test that hm_minus_human.micro lies above -margin,"
      " 90 % interval; the margin is study.json's",
      equivalence.noninferior_micro, shapes.with_margin(shapes.pairs)),
    D("diff.noninferior.question_weighted", "Not worse than human, within questions",
      "one-sided t test that hm_minus_human.question_weighted lies above -margin, 90 % interval",
      equivalence.noninferior_question_weighted, shapes.with_margin(shapes.pairs)),
    D("diff.noninferior.model", "Not worse than the model", "one-sided t test that hm_minus_model lies above"
      " -margin, 90 % interval; the margin is study.json's",
      equivalence.noninferior_to_model, shapes.with_margin(shapes.assisted_against_model)),
    D("diff.equivalent.micro", "No difference from human that matters", "two one-sided t tests that"
      " hm_minus_human.micro lies within ± margin, the larger p, 90 % interval",
      equivalence.equivalent_micro, shapes.with_margin(shapes.pairs),
      reference="Schuirmann 1987"),
    D("diff.equivalent.question_weighted", "No difference from human that matters, within questions",
      "two one-sided t tests that hm_minus_human.question_weighted lies within ± margin, the larger p, 90 % interval",
      equivalence.equivalent_question_weighted, shapes.with_margin(shapes.pairs)),
    D("diff.equivalent.model", "No difference from the model that matters", "two one-sided t tests that"
      " hm_minus_model lies within ± margin, the larger p, 90 % interval",
      equivalence.equivalent_to_model, shapes.with_margin(shapes.assisted_against_model)),
    # One pair per unit
    D("mcnemar.crowd.exact", "Crowd against the model, exact", "McNemar's exact test of the majority vote and the model"
      " alone, one pair per question; tied votes are dropped",
      mcnemar.crowd_exact, shapes.votes_against_model,
      reference="McNemar 1947"),
    D("mcnemar.crowd.mid_p", "Crowd against the model, mid-p", "McNemar's test of the majority vote and the model"
      " alone, one pair per question: exact p minus the probability of what was seen, P(X = min(b, c))",
      mcnemar.crowd_mid_p, shapes.votes_against_model,
      reference="Fagerland, Lydersen & Laake 2013"),
    D("mcnemar.people.mid_p", "Person against the model, mid-p", "McNemar's test, mid-p, of one person's answers with"
      " the model and the model alone; of all people together it ignores clustering",
      mcnemar.people_mid_p, shapes.assisted_against_model, PEOPLE, by_person=mcnemar.by_person,
      reference="Fagerland, Lydersen & Laake 2013"),
    D("mcnemar.people.durkalski", "People against the model", "mean over people of (b - c)/n; p of"
      " (Σ d/n)²/Σ (d/n)², d = b - c",
      mcnemar.people_durkalski, shapes.assisted_against_model, ALL,
      reference="Durkalski, Palesch, Lipsitz & Rust 2003"),
    # Effect sizes
    D("es.risk_ratio", "Risk ratio", "share right with the model divided by the share right alone",
      es.risk_ratio, shapes.pairs),
    D("es.odds_ratio", "Odds ratio", "odds of the share right with the model divided by those alone",
      es.odds_ratio, shapes.pairs),
    D("es.cohens_h", "Cohen's h", "2 asin √m1 - 2 asin √m0 of the shares right with the model and alone",
      es.cohens_h, shapes.pairs,
      reference="Cohen 1988"),
    D("es.hedges_g", "Hedges' g_av", "J · mean(d)/√((s1² + s0²)/2) of people's own shares in the two conditions,"
      " d their difference, J = 1 - 3/(4(n - 1) - 1)",
      es.hedges_g, shapes.pairs, ALL,
      reference="Hedges 1981; Lakens 2013"),
    # Sensitivity: estimating equations, mixed logistic model
    D("gee.odds_ratio", "Odds ratio, GEE", "exp(b1) of logit P(right) = b0 + b1 h: participants as clusters,"
      " independence, bias-reduced sandwich; one-way, a sensitivity analysis",
      gee.odds_ratio, shapes.pairs, ALL, is_costly=True,
      reference="Liang & Zeger 1986; Mancl & DeRouen 2001"),
    D("gee.risk_difference", "Difference, GEE", "difference of condition means; its standard error is that of the"
      " logistic model by GEE, by the delta method",
      gee.risk_difference, shapes.pairs, ALL, is_costly=True,
      reference="Mancl & DeRouen 2001"),
    D("glmm.odds_ratio", "Odds ratio, mixed model", "exp(b1) of logit P(right) = b0 + b1 h + intercepts and slopes of"
      " participants and of questions (passages), h = ±½",
      glmm.odds_ratio, shapes.whole_pair, ALL, is_costly=True,
      reference="Breslow & Clayton 1993; Baayen, Davidson & Bates 2008"),
    D("glmm.risk_difference", "Difference, mixed model", "difference of shares right for new people and new"
      " questions by the mixed logistic model: the random effects are integrated out, se by the delta method; of one"
      " person: for that person on new questions, shrunken towards everybody's",
      glmm.risk_difference, shapes.whole_pair, PEOPLE, is_costly=True, by_person=glmm.by_person),
    D("glmm.sd.participant", "SD of people", "standard deviation of people's log-odds, mixed model",
      glmm.sd_participant, shapes.whole_pair, ALL, is_costly=True),
    D("glmm.sd.participant_slope", "SD of people's gains", "standard deviation of people's log odds ratios",
      glmm.sd_participant_slope, shapes.whole_pair, ALL, is_costly=True),
    D("glmm.sd.question", "SD of questions", "standard deviation of questions' log-odds, mixed model",
      glmm.sd_question, shapes.whole_pair, ALL, is_costly=True),
    D("glmm.sd.question_slope", "SD of questions' gains", "standard deviation of questions' log odds ratios",
      glmm.sd_question_slope, shapes.whole_pair, ALL, is_costly=True),
    D("glmm.odds_ratio.model_right", "Odds ratio where the model is right",
      "the odds ratio at model_correct = 1, when h × model_correct is added to the mixed model",
      glmm.odds_ratio_model_right, shapes.whole_pair_once, ALL, is_costly=True),
    D("glmm.odds_ratio.model_wrong", "Odds ratio where the model is wrong",
      "the odds ratio at model_correct = 0, when h × model_correct is added to the mixed model",
      glmm.odds_ratio_model_wrong, shapes.whole_pair_once, ALL, is_costly=True),
    D("glmm.interaction", "Right over wrong", "the odds ratio where the model is right over that where it is wrong:"
      " exp of the coefficient of h × model_correct in the mixed model",
      glmm.interaction, shapes.whole_pair_once, ALL, is_costly=True),
    D("dose.slope.seconds", "Right per doubling of the time", "slope of correct on log2(seconds), both centred within"
      " participant × condition, answered trials; not causal",
      slope.on_seconds, shapes.people, ALL, is_timing=True),
    D("dose.slope.messages", "Right per message", "slope of correct on messages, both centred within participant,"
      " answered trials; not causal",
      slope.on_messages, shapes.assisted, ALL, is_timing=True),
    D("dose.non_use", "Not used", "share of assisted trials without a single message",
      uptake.non_use, shapes.assisted, ALL, is_timing=True),
    D("dose.complier_effect", "Effect of use on users", "diff.hm_minus_human.micro / share of assisted trials with a"
      " message; interval of Anderson & Rubin",
      uptake.complier_effect, shapes.pairs, ALL, is_timing=True,
      reference="Imbens & Angrist 1994; Anderson & Rubin 1949"),
    D("dose.limit_effect", "Gain with much time minus with little", "human+model minus human under the longest time"
      " limit, minus the same under the shortest, on tasks that were asked under several",
      limits.effect, shapes.pairs, ALL),
)  # fmt: skip

BY_ID = {definition.id: definition for definition in REGISTRY}
