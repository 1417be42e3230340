"""What TF1's optimizers and Keras' do differently from the same state, and what mends it.

Sources: the kernels in tensorflow/core/kernels/training_ops.cc, tf_keras/src/optimizers, keras/src/optimizers, BERT's
optimization.py, and builders/optimizer_builder.py of the Object Detection API.
"""

from __future__ import annotations

from collections.abc import Iterator

from ckptmap.mapping.optimizer_state import OptimizerState
from ckptmap.planning.choices import Training
from ckptmap.targets.optimizer import TargetOptimizer

_ADAM = (0.9, 0.999)
_ALWAYS = {
    "Momentum": "a checkpoint does not say whether momentum was Nesterov's: use_nesterov=True of TF1 is nesterov=True",
    "Adam": "TF1's beta1, beta2 and epsilon are beta_1, beta_2 and epsilon; TF1's default epsilon is 1e-8, Keras' 1e-7",
    "Adagrad": "TF1 adds no epsilon: make the optimizer with epsilon=0",
    "Ftrl": "l1 and l2 strengths and learning_rate_power are the same; beta stays 0",
    "Adadelta": "TF1's default epsilon is 1e-8, Keras' 1e-7; rho and learning_rate mean the same",
}
_LAMB = (
    "the Model Garden's LAMB is TF1's; Keras 3's Lamb adapts every layer and decays weights beside a layer's ratio, "
    "which TF1 does within it; its default epsilon is 1e-7, TF1's 1e-6"
)


def remarks(state: OptimizerState, optimizer: TargetOptimizer, training: Training, step: int) -> Iterator[str]:
    """What is to be told of an optimizer whose state goes on at ``step``, a sentence each."""
    kind = state.kind.name
    if kind == "Momentum":
        yield from _momentum(training, step)
    if kind == "RMSProp":
        yield from _rmsprop(optimizer, training)
    if kind in ("AdamWeightDecay", "LAMB"):
        yield from _weight_decay(optimizer, step)
    if kind == "LAMB" or training.asked == "lamb":
        yield _LAMB
    if kind in _ALWAYS and training.configured is None:
        yield _ALWAYS[kind]
    if training.configured is None:
        yield "the learning rate, and its schedule, are those of the new optimizer: its step goes on from this one"


def _momentum(training: Training, step: int) -> Iterator[str]:
    configured, rate = training.configured, training.learning_rate
    yield f"momentum is TF1's times -{rate:g}, the learning rate of step {step}"
    if configured is not None and not configured.changes:
        return
    what = f"the learning rate {configured.changes}" if configured is not None else "where the learning rate changes"
    yield (
        f"{what}: TF1 multiplies all of its momentum by the new rate, Keras what comes in after the change; after one "
        "they differ for as many steps as momentum lasts, about 10 of 0.9"
    )


def _rmsprop(optimizer: TargetOptimizer, training: Training) -> Iterator[str]:
    if training.configured is not None:
        rho = training.configured.settings.get("rho", 0.9)
        yield f"rho of the checkpoint is the old config's decay, {rho:g}: the trainer restores it with the slots"
        return
    yield "TF1's decay is rho; its default epsilon is 1e-10, Keras' 1e-7"
    if optimizer.layout == "legacy" and "momentum" not in optimizer.roles:
        yield "TF1 adds epsilon inside the root, a legacy optimizer without momentum outside of it"


def _weight_decay(optimizer: TargetOptimizer, step: int) -> Iterator[str]:
    first, second = (1 - beta ** (step + 1) for beta in _ADAM)
    factor = f"{second**0.5 / first:.6g}"
    now = "is over by now" if factor == "1" else f"multiplies by {factor} at this step, which nears 1 as steps go by"
    yield f"TF1's update has no bias correction, and that of Keras' Adam {now}"
    yield "TF1's code clips gradients to a global norm of 1, as the Model Garden's optimizer does; tell others to"
    if optimizer.layout == "keras 3":
        yield (
            "Keras 3 calls a variable by the last part of its path: exclude_from_weight_decay() takes gamma, beta and "
            "bias there, and LayerNorm would match no variable; weight decay is a rate"
        )
        yield (
            "Keras 3 squares what each lookup of an embedding's row gets, TF1 what all of them get: convert such "
            "gradients to tensors before they are applied"
        )
        return
    yield "exclude_from_weight_decay of TF1 is exclude_from_weight_decay() of the new optimizer; weight decay is a rate"
