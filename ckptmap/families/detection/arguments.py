"""Arguments that are about detectors: the keyword of the library's verbs, and the option of the command line."""

ANCHORS = ("anchors={}", "--anchors {}")
ANY_ANCHORS = ("the argument anchors", "--anchors")
PIPELINE = ("the argument pipeline", "--pipeline")
NO_PIPELINE = ("no_pipeline=True", "--no-pipeline")
