"""Frozen variables of a live model stay to the last bit in real training steps, all others move."""

from __future__ import annotations

import numpy as np
import pytest

import ckptmap.tf
from ckptmap.basics.errors import CkptmapError, ProblemsError
from ckptmap.families.detection.freezing.frozen_weights import Weight
from ckptmap.families.detection.freezing.parts import tf1_part
from ckptmap.families.detection.freezing.stages import plan_stages
from ckptmap.tf.environment import tf2
from ckptmap.tf.exact import register
from ckptmap.tf.models import read_pipeline
from tests.tf.rows import EDITS, EXACT, Row

SIZES = (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.98)  # a box for every feature map, so that every head has a gradient
PLACES = (0.0, 0.15, 0.3, 0.45, 0.6)  # and one near any proposal of a second stage
BOXES = [[0.02, 0.02, size, size] for size in SIZES] + [[y, x, y + 0.4, x + 0.4] for y in PLACES for x in PLACES]
HEADS_TOP_ALL = ("heads", "top", "all")
MODELS = (  # with the trainable variables and the moving statistics of each stage
    (
        Row("freeze_v2", "ssd_mobilenet_v2", EXACT, {"size": 96, "depth_multiplier": 0.35}),
        ((24, 0), (48, 16), (204, 120)),
    ),
    (
        Row("freeze_retinanet", "ssd_resnet50_v1_fpn", EXACT, {"size": 256, "max_level": 6}),
        ((40, 32), (55, 38), (214, 144)),
    ),
    (Row("freeze_faster_rcnn", "faster_rcnn_resnet50", EDITS), ((4, 0), (10, 0), (169, 0))),
    (
        Row("freeze_norms", "faster_rcnn_resnet50", EDITS, {"batch_norm_trainable": "true"}),
        ((4, 0), (10, 0), (169, 106)),
    ),
)
IN_THE_DEFAULT_RUN = ("freeze_v2", "freeze_norms")


def parameters():
    for row, counts in MODELS:
        marks = () if row.name in IN_THE_DEFAULT_RUN else pytest.mark.matrix
        yield pytest.param((row, counts), id=row.name, marks=marks)


@pytest.fixture(scope="module", params=parameters())
def model(request, tmp_path_factory):
    """A model as the train loop builds it, its variables made by a first step; its image size; counts of stages."""
    register()
    from object_detection.builders import model_builder

    row, counts = request.param
    path = tmp_path_factory.mktemp("model") / "pipeline.config"
    path.write_text(row.tf2_config())
    built = model_builder.build(read_pipeline(path).model, is_training=True)
    backend = tf2().keras.backend
    backend.set_learning_phase(True)  # as the API's eager_train_step does
    loss(built, row.size)
    yield built, row.size, counts
    backend.set_learning_phase(False)


def loss(model, size):
    """The sum of all losses for two images: the norm of a single value would have no gradient for its gamma."""
    tensorflow = tf2()
    classes = tensorflow.one_hot([at % 3 for at in range(len(BOXES))], 3)
    boxes = tensorflow.constant(BOXES)
    model.provide_groundtruth(groundtruth_boxes_list=[boxes] * 2, groundtruth_classes_list=[classes] * 2)
    images = tensorflow.random.stateless_uniform([2, size, size, 3], [0, 1], 0, 255)
    preprocessed, shapes = model.preprocess(images)
    losses = model.loss(model.predict(preprocessed, shapes), shapes)
    return tensorflow.add_n([*losses.values(), *model.regularization_losses()])


def train(model, size, steps):
    """Steps of gradient descent on what the model says is trainable, as the API's train loop takes them."""
    tensorflow = tf2()
    for _ in range(steps):
        with tensorflow.GradientTape() as tape:
            total = loss(model, size)
        variables = model.trainable_variables
        gradients, _ = tensorflow.clip_by_global_norm(tape.gradient(total, variables), 10)
        for variable, gradient in zip(variables, gradients, strict=True):
            variable.assign_sub(1e-2 * gradient)
        assert np.isfinite(total)


def values(model):
    return {variable.ref(): variable.numpy() for variable in model.variables}


def moved(before, after):
    return {key for key in before if before[key].tobytes() != after[key].tobytes()}


def test_frozen_variables_stay_in_every_stage_and_all_others_move(model):
    """In TF1 the statistics of frozen batch norms go on moving; Keras makes inference layers of them."""
    built, size, expected = model
    names = ckptmap.tf.apply_freeze(built, []).trainable
    everything = {variable.ref() for variable in built.trainable_variables}
    assert len(names) == len(everything)
    stages = plan_stages(HEADS_TOP_ALL, [Weight(name, (), tf1_part(name)) for name in names])
    counts = []
    for stage in stages:
        applied = ckptmap.tf.apply_freeze(built, stage.patterns)
        assert applied.trainable == tuple(sorted(weight.name for weight in stage.trainable))
        trainable = {variable.ref() for variable in built.trainable_variables}
        assert len(trainable) == len(applied.trainable)
        norms = moving_statistics(built)
        before = values(built)
        train(built, size, steps=2)
        changed = moved(before, values(built))
        assert changed & everything == trainable
        statistics = {variable.ref() for variable in built.variables} - everything
        assert changed & statistics == norms
        counts.append((len(trainable), len(norms)))
    assert tuple(counts) == expected


def moving_statistics(model):
    """The moving statistics of the batch norms that train and are not made inference layers by the model itself."""
    layers = [layer for layer in model._flatten_layers() if hasattr(layer, "moving_mean")]
    training = [layer for layer in layers if layer.trainable and getattr(layer, "_training", None) is not False]
    return {variable.ref() for layer in training for variable in (layer.moving_mean, layer.moving_variance)}


def test_half_a_layer_cannot_be_frozen(model):
    built = model[0]
    with pytest.raises(ProblemsError, match=r"BatchNorm/gamma is frozen and .*BatchNorm/beta is not"):
        ckptmap.tf.apply_freeze(built, [".*/gamma"])


def test_a_table_of_another_model_names_nothing(model):
    built = model[0]
    with pytest.raises(CkptmapError, match="the table lacks TF1 names"):
        ckptmap.tf.apply_freeze(built, [], table="rfcn_resnet101")


def test_the_counter_that_a_step_leaves_on_the_model_is_none_of_its_variables(model):
    built = model[0]
    before = ckptmap.tf.apply_freeze(built, [])
    built._training_step = tf2().Variable(7, trainable=False)
    assert ckptmap.tf.apply_freeze(built, []) == before
    built._training_step = None


def test_a_pattern_that_matches_nothing_is_an_error_with_the_nearest(model):
    built = model[0]
    with pytest.raises(
        ProblemsError, match=r"pattern '\.\*backbone/\.\*' matches no variable .*Extractor/\.\*' would match"
    ):
        ckptmap.tf.apply_freeze(built, [".*backbone/.*"])


@pytest.mark.parametrize("pattern", ["*", "NoSuchScope/.*"])
def test_where_it_raises_what_was_frozen_stays_frozen(model, pattern):
    built = model[0]
    ckptmap.tf.apply_freeze(built, [".*FeatureExtractor/.*"])
    before = [variable.ref() for variable in built.trainable_variables]
    with pytest.raises(ProblemsError):
        ckptmap.tf.apply_freeze(built, [pattern])
    assert [variable.ref() for variable in built.trainable_variables] == before
