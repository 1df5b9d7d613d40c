"""Every model of the app, by name; each is defined in the package that owns it."""

from studies.baselines.models import BaselineAnswer, BaselineRun
from studies.design.models import Assistant, Condition, Slot, Stance, Study, StudyQuestion, TrialPlan
from studies.jobs.models import Job
from studies.questions.models import Passage, Question, QuestionBank
from studies.reports.models import AnalysisRun, Look, Preregistration
from studies.runtime.models import (
    Event,
    Message,
    Participant,
    ParticipantIdentity,
    ParticipantSession,
    Pause,
    Reply,
    SurveyAnswer,
    Trial,
)

__all__ = [
    "AnalysisRun",
    "Assistant",
    "BaselineAnswer",
    "BaselineRun",
    "Condition",
    "Event",
    "Job",
    "Look",
    "Message",
    "Participant",
    "ParticipantIdentity",
    "ParticipantSession",
    "Passage",
    "Pause",
    "Preregistration",
    "Question",
    "QuestionBank",
    "Reply",
    "Slot",
    "Stance",
    "Study",
    "StudyQuestion",
    "SurveyAnswer",
    "Trial",
    "TrialPlan",
]
