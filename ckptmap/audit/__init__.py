"""Say before a training run what restoring a checkpoint into a model would do."""

from ckptmap.audit.check import audit as audit
from ckptmap.audit.prediction import Audit as Audit
from ckptmap.audit.thresholds import Thresholds as Thresholds
