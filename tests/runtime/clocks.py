"""What both state machines draw from: steps of time, clocks of several servers, choices, browsers."""

from datetime import timedelta
from uuid import UUID

from hypothesis import strategies as st

SCALE = (0.25, 0.42, 0.6, 0.8, 1.0)
GRACE = timedelta(seconds=2)
LIMIT = timedelta(seconds=30)
MOMENT = timedelta(microseconds=1)
STEPS = st.sampled_from([MOMENT, timedelta(seconds=0.4), GRACE, timedelta(seconds=4), timedelta(seconds=11), LIMIT])
# Several servers: the clock that reads a command may be a little ahead of or behind the one that read the last.
SKEWS = st.sampled_from([timedelta(0)] * 4 + [timedelta(seconds=0.7), timedelta(seconds=-1.3), -MOMENT])
BESIDE_A_DEADLINE = st.sampled_from([None] * 4 + [timedelta(0), MOMENT, GRACE, GRACE + MOMENT])
OPTIONS = st.sampled_from([0, 1, 2, 3, None, 4])
CONFIDENCES = st.sampled_from([0.25, 0.6, 1.0, None, None, 0.61])
BROWSERS = st.sampled_from([UUID(int=1), UUID(int=1), UUID(int=2), UUID(int=2), None])
