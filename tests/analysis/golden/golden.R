# What R says about the tables beside this file: Rscript tests/analysis/golden/golden.R, in the repository's root.
# Writes golden.csv: input, quantity, value. Packages: lme4, glmmTMB, sandwich, lmtest, clubSandwich.
suppressPackageStartupMessages({ library(lme4); library(glmmTMB); library(sandwich); library(clubSandwich) })
here <- "tests/analysis/golden"
rows <- list()
put <- function(input, ...) {
  values <- unlist(list(...))
  rows[[length(rows) + 1]] <<- data.frame(input = input, quantity = names(values), value = unname(values))
}

for (input in c("usual", "people", "few")) {
  d <- read.csv(file.path(here, paste0(input, ".csv")))
  d$hm <- as.numeric(d$condition == "human+model")
  d$h <- d$hm - 0.5
  d$m <- d$model_correct - 0.5

  # Mixed models by Laplace approximation, uncorrelated slopes.
  random <- "(1 | participant) + (0 + h | participant) + (1 | question) + (0 + h | question)"
  main <- as.formula(paste("correct ~ h +", random))
  g <- glmmTMB(main, d, family = binomial)
  sds <- sqrt(sapply(VarCorr(g)$cond, function(v) v[1, 1]))
  se <- sqrt(diag(vcov(g)$cond))
  put(input, glmmTMB.b0 = fixef(g)$cond[[1]], glmmTMB.b1 = fixef(g)$cond[[2]], glmmTMB.se0 = se[[1]],
      glmmTMB.se1 = se[[2]], glmmTMB.sd.participant = sds[[1]], glmmTMB.sd.participant_slope = sds[[2]],
      glmmTMB.sd.question = sds[[3]], glmmTMB.sd.question_slope = sds[[4]],
      glmmTMB.log_likelihood = as.numeric(logLik(g)))
  people <- ranef(g)$cond$participant
  put(input, glmmTMB.effect.first = people[1, 1], glmmTMB.effect_slope.first = people[1, 2],
      glmmTMB.effect.last = people[nrow(people), 1], glmmTMB.effect_slope.last = people[nrow(people), 2])
  logs <- sqrt(diag(vcov(g, full = TRUE)))[3:6]
  put(input, glmmTMB.log_sd_se.participant = logs[[1]], glmmTMB.log_sd_se.participant_slope = logs[[2]],
      glmmTMB.log_sd_se.question = logs[[3]], glmmTMB.log_sd_se.question_slope = logs[[4]])
  l <- suppressMessages(glmer(main, d, family = binomial, control = glmerControl("bobyqa")))
  put(input, glmer.b0 = fixef(l)[[1]], glmer.b1 = fixef(l)[[2]], glmer.se0 = sqrt(vcov(l)[1, 1]),
      glmer.se1 = sqrt(vcov(l)[2, 2]), glmer.log_likelihood = as.numeric(logLik(l)))
  i <- glmmTMB(as.formula(paste("correct ~ h * m +", random)), d, family = binomial)
  v <- vcov(i)$cond
  put(input, interaction.b1 = fixef(i)$cond[[2]], interaction.b3 = fixef(i)$cond[[4]],
      interaction.se1 = sqrt(v[2, 2]), interaction.se3 = sqrt(v[4, 4]), interaction.cov13 = v[2, 4])

  # The two-way clustered variance, before the largest of three is taken.
  o <- lm(correct ~ hm, d)
  hc1 <- function(cluster) vcovCL(o, cluster, type = "HC1", cadjust = TRUE, multi0 = FALSE)[2, 2]
  put(input, lm.b = coef(o)[[2]], vcovCL.two_way = hc1(~ participant + question), vcovCL.participant = hc1(~ participant),
      vcovCL.question = hc1(~ question))
  d$n <- ave(d$correct, d$question, d$hm, FUN = length)
  both <- ave(d$hm, d$question) > 0 & ave(d$hm, d$question) < 1
  o <- lm(correct ~ hm, d[both, ], weights = 1 / n)
  put(input, wls.b = coef(o)[[2]], wls.vcovCL.two_way = hc1(~ participant + question),
      wls.vcovCL.participant = hc1(~ participant), wls.vcovCL.question = hc1(~ question))

  # GEE with independence and Mancl-DeRouen's correction is logistic regression with CR3 by participant.
  k <- glm(correct ~ hm, binomial, d)
  v <- vcovCR(k, d$participant, type = "CR3")
  put(input, cr3.b1 = coef(k)[[2]], cr3.v00 = v[1, 1], cr3.v01 = v[1, 2], cr3.v11 = v[2, 2])
}
write.csv(do.call(rbind, rows), file.path(here, "golden.csv"), row.names = FALSE, quote = FALSE)
