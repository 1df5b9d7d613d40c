"""The likelihood of a mixed logistic model with two crossed sides, by Laplace approximation, and its exact gradient.

Each trial belongs to a participant and to a question-side cluster. Both have an intercept and a slope on `slope`, all
four uncorrelated: logit P(right) = X beta + M u with u ~ N(0, 1) and M the indicators times the four standard
deviations. With the mode u^ of the penalised log-likelihood, W = mu (1 - mu) there and H = M'WM + I,

    log L = log p(y | beta, u^) - u^'u^/2 - log|H|/2

(Breslow & Clayton 1993). H has two block-diagonal sides; the larger is eliminated in 2 × 2 blocks, so that what is
factored has twice as many rows as the smaller side has levels: memory and time grow with that, not with the trials.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cholesky, lapack, solve_triangular

from studies.analysis.cluster import Array, Codes

TIGHT, ENOUGH = 1e-11, 1e-8  # largest gradient at the mode; the second where rounding stops the way to the first
ROUNDS = 200
FAR = 40.0  # a log-odds beyond this is 0 or 1: the fit has run away


class Diverged(ArithmeticError):
    """No mode was found, or the parameters ran away."""


@dataclass(frozen=True)
class Crossed:
    """The rows: y (0 or 1), X (rows × fixed effects), slope (row's covariate of the random slopes), two sides.

    participant and item are whole numbers from 0 without gaps.
    """

    y: Array
    x: Array
    slope: Array
    participant: Codes
    item: Codes

    @cached_property
    def levels(self) -> tuple[int, int]:
        """How many participants and items there are."""
        return int(self.participant.max()) + 1, int(self.item.max()) + 1


@dataclass(frozen=True)
class Point:
    """The approximation at some parameters: its value, its gradient by (beta, log sd), and the mode.

    modes: standardised effects, rows (intercept, slope) of participants, then of items. spread: their variances given
    the data, as covariance (2 × 2 × levels) of each side. kept: n minus the sum of those variances, by component.
    """

    value: float
    gradient: Array
    modes: tuple[Array, Array]
    spread: tuple[Array, Array]
    kept: Array


class Laplace:
    """Evaluates the approximation on one table; keeps the last mode and factor, from which the next search starts."""

    def __init__(self, rows: Crossed) -> None:
        self.rows = rows
        participants, items = rows.levels
        self.is_swapped = participants > items
        self.a, self.b = (rows.item, rows.participant) if self.is_swapped else (rows.participant, rows.item)
        self.n_a, self.n_b = min(participants, items), max(participants, items)
        self.cell = self.a * self.n_b + self.b
        self._ua, self._ub = np.zeros((2, self.n_a)), np.zeros((2, self.n_b))
        self._factor: _Factor | None = None
        self._last: tuple[Array, _Factor] | None = None

    def at(self, beta: Array, sds: Array) -> Point:
        """The approximation at fixed effects `beta` and standard deviations (participant ×2, item ×2).

        Raises Diverged when no mode is found.
        """
        sa, sb = (sds[2:], sds[:2]) if self.is_swapped else (sds[:2], sds[2:])
        value, mu = self._mode(beta, sa, sb)
        w = mu * (1 - mu)
        factor = self._factored(w, sa, sb)
        self._last = (w, factor)
        leverage, ta, vb = factor.leverage(self)
        q = 0.5 * leverage * w * (1 - 2 * mu)
        s_a, s_b = factor.solve(*self._down(q, sa, sb))
        total = (self.rows.y - mu) - q + w * self._up(s_a, s_b, sa, sb)
        kept_a = self.n_a - np.array([ta[0, 0].sum(), ta[1, 1].sum()])
        kept_b = self.n_b - np.array([vb[0, 0].sum(), vb[1, 1].sum()])
        # total' (sd_k Z_k u_k) is a sum over levels of (sd_k Z_k' total) u_k.
        da, db = self._down(total, sa, sb)
        of_a = (da * self._ua).sum(axis=1) - (s_a * self._ua).sum(axis=1) - kept_a
        of_b = (db * self._ub).sum(axis=1) - (s_b * self._ub).sum(axis=1) - kept_b
        gradient = np.concatenate([self.rows.x.T @ total, *((of_b, of_a) if self.is_swapped else (of_a, of_b))])
        modes, spread = (self._ua.copy(), self._ub.copy()), (ta, vb)
        if self.is_swapped:
            modes, spread, kept_a, kept_b = modes[::-1], spread[::-1], kept_b, kept_a
        return Point(value - 0.5 * factor.log_determinant, gradient, modes, spread, np.concatenate([kept_a, kept_b]))

    def covariance(self) -> Array:
        """(X'(W - WMH^-1M'W)X)^-1 at the last point: the fixed effects' covariance, sds held."""
        if self._last is None:
            raise ValueError("covariance() follows at()")
        w, factor = self._last
        x = self.rows.x
        wx = w[:, None] * x
        out = x.T @ wx
        for j in range(x.shape[1]):
            s_a, s_b = factor.solve(*self._down(wx[:, j], factor.sa, factor.sb))
            out[:, j] -= wx.T @ self._up(s_a, s_b, factor.sa, factor.sb)
        return np.asarray(np.linalg.inv((out + out.T) / 2))

    def _mode(self, beta: Array, sa: Array, sb: Array) -> tuple[float, Array]:
        """Newton with the last factor while that is good enough: penalised log-likelihood and means at the mode."""
        fixed = self.rows.x @ beta
        if not np.isfinite(fixed).all() or np.abs(fixed).max() > FAR:
            raise Diverged("the fixed effects run away")
        value, mu, g_a, g_b = self._slope(fixed, self._ua, self._ub, sa, sb)
        size = _largest(g_a, g_b)
        for _ in range(ROUNDS):
            if size < TIGHT:
                return value, mu
            factor = self._factor or self._factored(mu * (1 - mu), sa, sb)
            d_a, d_b = factor.solve(g_a, g_b)
            step = 1.0
            while True:
                ua, ub = self._ua + step * d_a, self._ub + step * d_b
                new, mu_new, ga_new, gb_new = self._slope(fixed, ua, ub, sa, sb)
                if new >= value - 1e-10 * abs(value) or step < 1e-6:
                    break
                step /= 2
            if step < 1e-6 and self._factor is None:
                raise Diverged("no mode of the random effects was found")
            shrunk = _largest(ga_new, gb_new)
            if size < ENOUGH and shrunk >= size:
                return value, mu
            # A stale factor that no longer shortens the way is made anew.
            self._factor = factor if step == 1.0 and shrunk < 0.3 * size else None
            if new >= value - 1e-10 * abs(value):
                self._ua, self._ub, value, mu, g_a, g_b, size = ua, ub, new, mu_new, ga_new, gb_new, shrunk
        raise Diverged("no mode of the random effects was found")

    def _slope(
        self, fixed: Array, ua: Array, ub: Array, sa: Array, sb: Array
    ) -> tuple[float, Array, Array, Array]:  # fmt: skip
        """Penalised log-likelihood, means, and the gradient by the standardised effects."""
        eta = fixed + self._up(ua, ub, sa, sb)
        e = np.exp(-np.abs(eta))
        mu = np.where(eta >= 0, 1.0, e) / (1 + e)
        value = float(self.rows.y @ eta - np.maximum(eta, 0).sum() - np.log1p(e).sum())
        g_a, g_b = self._down(self.rows.y - mu, sa, sb)
        return value - 0.5 * float((ua**2).sum() + (ub**2).sum()), mu, g_a - ua, g_b - ub

    def _up(self, ua: Array, ub: Array, sa: Array, sb: Array) -> Array:
        """M u: one number a row."""
        a0, a1, b0, b1 = sa[0] * ua[0], sa[1] * ua[1], sb[0] * ub[0], sb[1] * ub[1]
        return np.asarray(a0[self.a] + b0[self.b] + self.rows.slope * (a1[self.a] + b1[self.b]))

    def _down(self, r: Array, sa: Array, sb: Array) -> tuple[Array, Array]:
        """M'r: by level of each side."""
        rs = r * self.rows.slope
        of_a = np.stack([sa[j] * np.bincount(self.a, v, self.n_a) for j, v in enumerate((r, rs))])
        of_b = np.stack([sb[j] * np.bincount(self.b, v, self.n_b) for j, v in enumerate((r, rs))])
        return of_a, of_b

    def _factored(self, w: Array, sa: Array, sb: Array) -> "_Factor":
        h = self.rows.slope
        shape = (self.n_a, self.n_b)
        sums = (np.bincount(self.cell, v, self.n_a * self.n_b) for v in (w, w * h, w * h * h))
        moments = [np.asarray(each, dtype=np.float64).reshape(shape) for each in sums]
        self._factor = _Factor(moments, sa, sb)
        return self._factor


class _Factor:
    """H factored: D = LL' of the larger side in 2 × 2 blocks, E = B L^-T, and the Cholesky factor of A - EE'."""

    def __init__(self, moments: list[Array], sa: Array, sb: Array) -> None:
        self.sa, self.sb = sa, sb
        n_a, n_b = self.n_a, self.n_b = moments[0].shape
        d = [sb[j] * sb[k] * moments[j + k].sum(axis=0) for j, k in ((0, 0), (0, 1), (1, 1))]
        l00 = np.sqrt(d[0] + 1)
        l10 = d[1] / l00
        l11 = np.sqrt(d[2] + 1 - l10**2)
        self.i00, self.i10, self.i11 = 1 / l00, -l10 / (l00 * l11), 1 / l11
        e = np.empty((2, n_a, 2, n_b))
        for j in range(2):
            b0, b1 = (sa[j] * sb[k] * moments[j + k] for k in range(2))
            np.multiply(b0, self.i00, out=e[j, :, 0])
            np.add(b0 * self.i10, b1 * self.i11, out=e[j, :, 1])
        self.e = e.reshape(2 * n_a, 2 * n_b)
        schur = -(self.e @ self.e.T)
        at = np.arange(n_a)
        for j in range(2):
            for k in range(2):
                schur[j * n_a + at, k * n_a + at] += sa[j] * sa[k] * moments[j + k].sum(axis=1) + (j == k)
        self.c = cholesky(schur, lower=True, overwrite_a=True, check_finite=False)
        logs = np.log(np.diag(self.c)).sum() - np.log(self.i00).sum() - np.log(self.i11).sum()
        self.log_determinant = 2 * float(logs)

    def solve(self, r_a: Array, r_b: Array) -> tuple[Array, Array]:
        """H^-1 r."""
        t = np.concatenate([self.i00 * r_b[0], self.i10 * r_b[0] + self.i11 * r_b[1]])
        x_a = solve_triangular(self.c, r_a.ravel() - self.e @ t, lower=True, check_finite=False)
        x_a = solve_triangular(self.c, x_a, lower=True, trans=1, check_finite=False)
        t = (t - self.e.T @ x_a).reshape(2, self.n_b)
        return x_a.reshape(2, self.n_a), np.stack([self.i00 * t[0] + self.i10 * t[1], self.i11 * t[1]])

    def leverage(self, of: Laplace) -> tuple[Array, Array, Array]:
        """m'H^-1 m of every row, and the 2 × 2 diagonal blocks of H^-1 on both sides."""
        inverse, info = lapack.dpotri(self.c, lower=1)
        if info:
            raise Diverged("the factor has no inverse")
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        at = np.arange(self.n_a)
        ta = np.array([[inverse[j * self.n_a + at, k * self.n_a + at] for k in range(2)] for j in range(2)])
        g = (inverse @ self.e).reshape(2 * self.n_a, 2, self.n_b)
        e = self.e.reshape(2 * self.n_a, 2, self.n_b)
        m00, m01, m11 = (
            np.einsum("rb,rb->b", e[:, j], g[:, k]) + (j == k) for j, k in ((0, 0), (0, 1), (1, 1))
        )  # fmt: skip
        v00 = self.i00**2 * m00 + 2 * self.i00 * self.i10 * m01 + self.i10**2 * m11
        v01 = self.i00 * self.i11 * m01 + self.i10 * self.i11 * m11
        vb = np.array([[v00, v01], [v01, self.i11**2 * m11]])
        both = np.empty((2, self.n_a, 2, self.n_b))  # minus the off-diagonal block of H^-1
        split = g.reshape(2, self.n_a, 2, self.n_b)
        both[:, :, 0] = split[:, :, 0] * self.i00 + split[:, :, 1] * self.i10
        both[:, :, 1] = split[:, :, 1] * self.i11
        h, sa, sb = of.rows.slope, self.sa, self.sb
        found = np.zeros(len(h))
        for power, pairs in enumerate((((0, 0),), ((0, 1), (1, 0)), ((1, 1),))):
            part = sum(sa[j] * sa[k] * ta[j, k] for j, k in pairs)[of.a]
            part = part + sum(sb[j] * sb[k] * vb[j, k] for j, k in pairs)[of.b]
            part -= 2 * sum(sa[j] * sb[k] * both[j, :, k] for j, k in pairs).ravel()[of.cell]
            found += part * h**power
        return found, ta, vb


def _largest(one: Array, other: Array) -> float:
    return float(max(np.abs(one).max(), np.abs(other).max()))
