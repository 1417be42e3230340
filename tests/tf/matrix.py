"""The matrix: every model and setting, proven against its TF1 graph."""

from __future__ import annotations

from tests.tf import rcnn_rows, ssd_rows

ONE_EACH = (*ssd_rows.ONE_EACH, *rcnn_rows.ONE_EACH)
SETTINGS = (*ssd_rows.SETTINGS, *rcnn_rows.SETTINGS)
