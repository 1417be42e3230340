"""Arguments of ``verify`` that messages advise, both ways to write each (see ``ckptmap.basics.wording.argument``)."""

INPUTS = ("inputs=[{}]", "--input {}")
PAIRS = ("pairs=[{}]", "--pair {}")
MODEL = {"old": ("old_model={}", "--old-model {}"), "new": ("new_model={}", "--new-model {}")}
OUTPUTS = {"old": ("old_outputs=[{}]", "--old-output {}"), "new": ("new_outputs=[{}]", "--new-output {}")}
