"""The learning rate of a step is what the API's schedules give, and the optimizer what its trainer makes."""

import pytest

from ckptmap.basics.errors import ConfigError
from ckptmap.families.detection.pipeline.config import PipelineConfig, parse_config
from ckptmap.families.detection.pipeline.optimizer import configured_optimizer, has_optimizer, learning_rate

HALVED = "exponential_decay_learning_rate {{ initial_learning_rate: 8 decay_steps: 10 decay_factor: 0.5 {} }}"
STEPPED = "manual_step_learning_rate {{ initial_learning_rate: 4 schedule {{ step: 10 learning_rate: 6 }} {} }}"
COSINE = "cosine_decay_learning_rate {{ learning_rate_base: 4 total_steps: 110 warmup_steps: 10 {} }}"
CONSTANT = "constant_learning_rate {{ learning_rate: 0.25 {} }}"


def config(schedule: str, more: str = "", optimizer: str = "momentum_optimizer") -> PipelineConfig:
    rate = schedule.format(more)
    return parse_config(f"train_config {{ optimizer {{ {optimizer} {{ learning_rate {{ {rate} }} }} }} }}")


@pytest.mark.parametrize(
    ("schedule", "more", "step", "rate"),
    [
        (CONSTANT, "", 9, 0.25),
        (HALVED, "", 9, 8.0),
        (HALVED, "", 25, 2.0),
        (HALVED, "staircase: false", 20, 2.0),
        (HALVED, "staircase: false", 5, 8 * 0.5**0.5),
        (HALVED, "burnin_steps: 5 burnin_learning_rate: 1", 4, 1.0),
        (HALVED, "burnin_steps: 5 burnin_learning_rate: 1", 15, 4.0),
        (HALVED, "burnin_steps: 5", 4, 8.0),
        (HALVED, "min_learning_rate: 3", 99, 3.0),
        (STEPPED, "", 9, 4.0),
        (STEPPED, "", 10, 6.0),
        (STEPPED, "warmup: true", 5, 5.0),
        (COSINE, "warmup_learning_rate: 2", 5, 3.0),
        (COSINE, "", 60, 2.0),
        (COSINE, "", 111, 0.0),
        (COSINE, "hold_base_rate_steps: 20", 30, 4.0),
    ],
)
def test_the_rate_of_a_step_is_that_of_the_apis_schedules(schedule: str, more: str, step: int, rate: float) -> None:
    assert learning_rate(config(schedule, more), step) == pytest.approx(rate, rel=1e-12, abs=1e-12)


def test_a_schedule_that_gives_no_rate_is_refused() -> None:
    with pytest.raises(ConfigError, match="gives no learning rate at step 20"):
        learning_rate(config(HALVED.replace("decay_steps: 10", "decay_steps: 0")), 20)


@pytest.mark.parametrize(
    ("schedule", "step", "changes"),
    [
        (CONSTANT, 5, ""),
        (STEPPED, 5, "changes at step 10"),
        (STEPPED, 10, ""),
        (COSINE, 5, "goes on changing by its schedule"),
    ],
)
def test_what_the_rate_does_afterwards_is_told(schedule: str, step: int, changes: str) -> None:
    assert configured_optimizer(config(schedule), step).changes == changes


def test_the_numbers_are_those_that_keras_takes() -> None:
    numbers = "decay: 0.8 momentum_optimizer_value: 0.7"
    found = configured_optimizer(
        parse_config(f"train_config {{ optimizer {{ rms_prop_optimizer {{ {numbers} }} }} }}"), 0
    )
    assert (found.kind, found.settings, found.averaged) == ("rmsprop", {"momentum": 0.7, "rho": 0.8}, True)
    assert not has_optimizer(parse_config("train_config { batch_size: 1 }"))
    with pytest.raises(ConfigError, match="the trainer has no optimizer"):
        configured_optimizer(parse_config("train_config { batch_size: 1 }"), 0)
