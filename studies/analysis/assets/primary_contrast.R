# The primary contrast, human+model minus human, computed again in R from the table of trials alone.
#
#   Rscript analysis/primary_contrast.R                  in the bundle's folder
#   Rscript primary_contrast.R path/to/trials.csv        anywhere
#
# Base R only. Unanswered trials count as wrong and exclusions are applied, as in the headline. Prints one CSV line for
# each form: micro (all trials) and question_weighted (within questions seen in both conditions, weights 1/n of question
# and condition). The variance is clustered by participant, by question (passage where there is one) and by both, each
# with G/(G-1) (N-1)/(N-2); the standard error is the root of the largest of V_participant, V_question and V_participant
# + V_question - V_cell; t has min(P, Q) - 1 degrees of freedom (Cameron, Gelbach & Miller 2011). Where the package
# sandwich is installed, the third is compared with its vcovCL, and a difference above 1e-10 stops the script.

main <- function(arguments) {
  usual <- c("data/description-trials_data.csv", "data/trials.csv")  # the second in older bundles
  path <- if (length(arguments)) arguments[[1]] else usual[file.exists(usual)][[1]]
  d <- prepared(read.csv(path, colClasses = "character", na.strings = character(), encoding = "UTF-8"))
  kept <- d[d$excluded != 1 & d$condition %in% c("human", "human+model"), ]
  found <- rbind(contrast(kept, "micro"), contrast(within_questions(kept), "question_weighted"))
  write.csv(found, stdout(), row.names = FALSE, quote = FALSE, na = "")
}

# Columns that may be absent, numbers, `correct`, the question-side cluster, and first answers as trials of their own.
prepared <- function(d) {
  text <- c("answer", "gold", "item_group", "initial_answer")
  numbers <- c("correct", "timed_out", "excluded", "initial_correct", "initial_timed_out")
  for (name in setdiff(c(text, numbers), names(d))) d[[name]] <- ""
  for (name in numbers) d[[name]] <- as.numeric(ifelse(d[[name]] == "", NA, d[[name]]))
  for (name in c("gold", "item_group")) d[[name]] <- over_question(d[[name]], d$question)
  unanswered <- d$answer == "" & !(d$correct %in% 1) & !all(d$answer == "")
  d$timed_out <- ifelse(is.na(d$timed_out), unanswered, d$timed_out)
  d$correct <- ifelse(is.na(d$correct), as.numeric(d$answer == d$gold), d$correct)
  d$correct[d$timed_out == 1] <- 0
  d$excluded[is.na(d$excluded)] <- 0
  d$item <- ifelse(d$item_group == "", d$question, d$item_group)
  d <- rbind(d, first_answers(d))
  d[order(d$participant, d$question, d$condition), ]
}

# A value that stands on some rows of a question stands for all of them.
over_question <- function(values, question) {
  given <- values != ""
  known <- tapply(values[given], question[given], function(v) v[[1]])
  found <- unname(known[question])
  ifelse(is.na(found), values, found)
}

# First alone, then with advice, in one row: the first answer is a trial of the condition `human`.
first_answers <- function(d) {
  right <- ifelse(d$initial_answer != "" & d$gold != "", as.numeric(d$initial_answer == d$gold), 0)
  right <- ifelse(is.na(d$initial_correct), right, d$initial_correct)
  has_first <- d$initial_answer != "" | !is.na(d$initial_correct) | d$initial_timed_out %in% 1
  pair <- paste(d$participant, d$question, sep = "\r")
  own <- d$condition == "human+model" & has_first & !(pair %in% pair[d$condition == "human"])
  first <- d[own, ]
  first$condition <- rep("human", nrow(first))
  first$correct <- ifelse(first$initial_timed_out %in% 1, 0, right[own])
  first
}

# Rows of the questions that are seen in both conditions, with weights 1/n of question and condition.
within_questions <- function(d) {
  both <- intersect(d$question[d$condition == "human"], d$question[d$condition == "human+model"])
  d <- d[d$question %in% both, ]
  cell <- paste(d$question, d$condition, sep = "\r")
  d$weight <- 1 / as.numeric(table(cell)[cell])
  d
}

contrast <- function(d, form) {
  hm <- d$condition == "human+model"
  w <- if (is.null(d$weight)) rep(1, nrow(d)) else d$weight
  line <- function(...) data.frame(form = form, ..., trials = nrow(d), P = count(d$participant), Q = count(d$item))
  none <- function(reason, estimate = NA) {
    message(form, ": ", reason)
    line(estimate = estimate, se = NA, df = NA, low = NA, high = NA, p = NA)
  }
  if (!any(hm) || all(hm)) return(none("only one condition has trials, or no question is seen in both"))
  for (part in list(d[hm, ], d[!hm, ])) {
    if (min(count(part$participant), count(part$item)) < 2) return(none("fewer than 2 clusters in a condition"))
  }
  m <- c(sum(w[hm] * d$correct[hm]) / sum(w[hm]), sum(w[!hm] * d$correct[!hm]) / sum(w[!hm]))
  estimate <- m[1] - m[2]
  psi <- ifelse(hm, w * (d$correct - m[1]) / sum(w[hm]), -w * (d$correct - m[2]) / sum(w[!hm]))
  variance <- function(cluster) {
    g <- count(cluster)
    g / (g - 1) * (nrow(d) - 1) / (nrow(d) - 2) * sum(rowsum(psi, cluster)^2)
  }
  participant <- variance(d$participant)
  item <- variance(d$item)
  two_way <- participant + item - variance(paste(d$participant, d$item, sep = "\r"))
  check(d, hm, w, two_way)
  se <- sqrt(max(participant, item, two_way))
  if (se < 1e-12) return(none("nothing varies: there is no interval", estimate))
  df <- min(count(d$participant), count(d$item)) - 1
  half <- qt(0.975, df) * se
  line(estimate = estimate, se = se, df = df, low = estimate - half, high = estimate + half,
       p = 2 * pt(-abs(estimate / se), df))
}

count <- function(values) length(unique(values))

check <- function(d, hm, w, two_way) {
  if (!requireNamespace("sandwich", quietly = TRUE)) return(invisible())
  frame <- data.frame(y = d$correct, x = as.numeric(hm), w = w, participant = d$participant, item = d$item)
  fitted <- lm(y ~ x, frame, weights = w)
  clusters <- ~ participant + item
  theirs <- sandwich::vcovCL(fitted, clusters, type = "HC1", cadjust = TRUE, multi0 = FALSE)[2, 2]
  if (abs(theirs - two_way) > 1e-10) stop("vcovCL gives ", theirs, ", this script ", two_way)
  message("V2 ", format(two_way, digits = 12), " equals sandwich's vcovCL")
}

main(commandArgs(trailingOnly = TRUE))
