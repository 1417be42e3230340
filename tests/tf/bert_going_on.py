"""A BERT whose training goes on: the graph, the losses and the optimizer of its TF1 code, and the same steps in TF2.

Facts of ``modeling.py``, ``run_pretraining.py``, ``run_classifier.py`` and ``optimization.py``: names and shapes of the
variables, one matrix for embeddings and masked words, the linear rate with its warmup, gradients clipped by their
global norm, decay of all but norms and biases, no bias correction. Nothing is random, and the batches are fixed. Rows
of KerasHub run where ``keras-hub`` is installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import ckptmap
from ckptmap.tf.classifiers import keras_of
from ckptmap.tf.environment import import_quietly, tf2
from ckptmap.tf.tf1.weights import assign
from tests.tf.beside_tf1 import BesideTF1
from tests.tf.going_on import LATE
from tests.tf.language import CLASSIFIER, HUB_CLASSES, HUB_MASKED, PRETRAINER, Home
from tests.tf.language_reference import Array, Size, bert_shapes, head_shapes, random_values
from tests.tf.tf1_going_on import NUDGES, ROUNDING

SIZE = Size(2, 48, 4, vocabulary=97, positions=24)
LENGTH, BATCH, BATCHES, MASKED = 20, 8, 25, 4
BEFORE, AFTER = 50, 50
RATE, STEPS, WARMUP = 5e-3, 25_000, 2_500
"""The rate is RATE times what is left of STEPS: 1e-3 at the step LATE."""
DECAY, CLIP, EPSILON = 0.01, 1.0, 1e-6
NOT_DECAYED = ("LayerNorm", "layer_norm", "bias")


@dataclass(frozen=True)
class Batch:
    """Texts, a class for each, and words to be guessed at some places; in pretraining there are two classes."""

    ids: Array
    mask: Array
    types: Array
    places: Array
    words: Array
    classes: Array


@dataclass(frozen=True)
class Going:
    """A row: what lies on the encoder in TF1 (``head``), the TF2 model, its optimizer's layout."""

    head: str
    home: Home
    layout: str
    left: str = ""
    """Weights that TF2 does not train: their names hold this."""
    choices: Mapping[str, Any] = field(default_factory=dict)
    """What the conversion is told beside the optimizer."""
    one_hot: bool = False
    """TF1's ``use_one_hot_embeddings``, as on TPUs: what a word gets is added up before the norm is taken."""

    def __str__(self) -> str:
        return f"{self.home.name} {self.layout}"

    @property
    def possible(self) -> bool:
        """Whether its library is installed."""
        return self.home.keras == 2 or find_spec("keras_hub") is not None


def _as_tf1(size: Size) -> Any:
    """KerasHub's model with the gelu and the epsilon of TF1 in its head for masked words."""
    model = HUB_MASKED.make(size)
    model.masked_lm_head._intermediate_dense.activation = lambda x: keras_of(3).activations.gelu(x, approximate=True)
    model.masked_lm_head._intermediate_layer_norm.epsilon = 1e-12
    return model


_HUB_MASKED = Home("BertMaskedLM with TF1's head", 3, _as_tf1, HUB_MASKED.run, compiled=True)
_POOLER = "pooler_transform"
"""Garden's head for the next sentence has a pooler of its own, and the encoder's gets no gradient."""
GOING_ON = (
    Going("pretraining", PRETRAINER, "legacy", _POOLER),
    Going("pretraining", PRETRAINER, "keras 2.11", _POOLER),
    Going("classes", CLASSIFIER, "legacy"),
    Going("classes", CLASSIFIER, "keras 2.11"),
    Going("classes", HUB_CLASSES, "keras 3", one_hot=True),
    Going("masked", _HUB_MASKED, "keras 3", "pooled_dense", {"init_missing": True}),
)


@dataclass(frozen=True)
class Steps:
    """The losses of some steps, and all weights behind them in the order of the TF2 model."""

    losses: Array
    weights: list[Array]


@dataclass(frozen=True)
class Gone(BesideTF1):
    """TF1's steps and what they are one rounding away, TF2's with the optimizer's state and with the weights alone."""

    report: Mapping[str, Any]
    before: Array
    start: list[Array]
    tf1: Steps
    nudged: tuple[Steps, ...]
    carried: Steps
    alone: Steps

    def way(self, steps: Steps) -> float:
        """See ``BesideTF1``."""
        return _distance(self.tf1.weights, steps.weights) / _distance(self.tf1.weights, self.start)


def _distance(some: list[Array], others: list[Array]) -> float:
    pairs = zip(some, others, strict=True)
    return sqrt(sum(float(((one.astype(np.float64) - other) ** 2).sum()) for one, other in pairs))


def batches(head: str) -> list[Batch]:
    """The batches, which come again and again."""
    generator, classes = np.random.default_rng(0), SIZE.classes if head == "classes" else 2

    def one() -> Batch:
        ids = generator.integers(0, SIZE.vocabulary, (BATCH, LENGTH)).astype(np.int32)
        mask = (np.arange(LENGTH) < generator.integers(LENGTH // 2, LENGTH + 1, (BATCH, 1))).astype(np.int32)
        types = (np.arange(LENGTH) >= generator.integers(2, LENGTH // 2, (BATCH, 1))).astype(np.int32)
        places = np.sort(generator.permuted(np.tile(np.arange(1, LENGTH // 2), (BATCH, 1)), axis=1)[:, :MASKED])
        words = generator.integers(0, SIZE.vocabulary, (BATCH, MASKED))
        labels = generator.integers(0, classes, BATCH)
        return Batch(ids, mask, types, *(found.astype(np.int32) for found in (places, words, labels)))

    return [one() for _ in range(BATCHES)]


def _missed(tf: Any, logits: Any, wanted: Any) -> Any:
    """The mean cross entropy; TF1 and TF2 alike."""
    told = tf.reduce_sum(tf.one_hot(wanted, logits.shape[-1]) * tf.nn.log_softmax(logits), axis=-1)
    return -tf.reduce_mean(told)


class _Graph:
    """BERT as its TF1 code makes it, without dropout."""

    def __init__(self, v1: Any, head: str, *, one_hot: bool) -> None:
        """Make the graph down to the loss."""
        self.v1, self.one_hot = v1, one_hot
        shapes = {**bert_shapes(SIZE), **head_shapes(SIZE, head)}
        if head == "masked":
            shapes = {name: shape for name, shape in shapes.items() if "seq_relationship" not in name}
        self.weights = {name: v1.get_variable(name, shape) for name, shape in shapes.items()}
        self.fed = {name: v1.placeholder(v1.int32, one.shape, name) for name, one in vars(batches(head)[0]).items()}
        sequence, self.loss = self._encoded(), v1.constant(0.0)
        if head != "classes":
            self.loss += _missed(v1, self._guessed(sequence), self.fed["words"])
        if head == "masked":
            return
        pooled = v1.tanh(self._dense("bert/pooler/dense", sequence[:, 0]))
        name = "" if head == "classes" else "cls/seq_relationship/"
        logits = v1.matmul(pooled, self.weights[f"{name}output_weights"], transpose_b=True)
        self.loss += _missed(v1, logits + self.weights[f"{name}output_bias"], self.fed["classes"])

    def _encoded(self) -> Any:
        v1, table, length = self.v1, "bert/embeddings", LENGTH
        words, ids = self.weights[f"{table}/word_embeddings"], self.fed["ids"]
        x = v1.tensordot(v1.one_hot(ids, SIZE.vocabulary), words, 1) if self.one_hot else v1.gather(words, ids)
        parts = v1.one_hot(v1.reshape(self.fed["types"], [-1]), SIZE.types)
        x += v1.reshape(v1.matmul(parts, self.weights[f"{table}/token_type_embeddings"]), [BATCH, length, SIZE.width])
        x = self._norm(f"{table}/LayerNorm", x + self.weights[f"{table}/position_embeddings"][:length])
        hidden = (1.0 - v1.cast(self.fed["mask"], v1.float32))[:, None, None, :] * -10000.0
        for at in range(SIZE.layers):
            layer = f"bert/encoder/layer_{at}"
            query, key, value = (self._heads(f"{layer}/attention/self/{part}", x) for part in ("query", "key", "value"))
            scores = v1.matmul(query, key, transpose_b=True) * (1.0 / sqrt(SIZE.width // SIZE.heads)) + hidden
            y = v1.transpose(v1.matmul(v1.nn.softmax(scores), value), [0, 2, 1, 3])
            y = self._dense(f"{layer}/attention/output/dense", v1.reshape(y, [BATCH, length, SIZE.width]))
            x = self._norm(f"{layer}/attention/output/LayerNorm", x + y)
            y = self._dense(f"{layer}/output/dense", self._gelu(self._dense(f"{layer}/intermediate/dense", x)))
            x = self._norm(f"{layer}/output/LayerNorm", x + y)
        return x

    def _heads(self, name: str, x: Any) -> Any:
        split = [BATCH, LENGTH, SIZE.heads, SIZE.width // SIZE.heads]
        return self.v1.transpose(self.v1.reshape(self._dense(name, x), split), [0, 2, 1, 3])

    def _guessed(self, sequence: Any) -> Any:
        """What the head for masked words says of each place."""
        v1, head = self.v1, "cls/predictions/transform"
        x = self._gelu(self._dense(f"{head}/dense", v1.gather(sequence, self.fed["places"], batch_dims=1)))
        x = v1.reshape(self._norm(f"{head}/LayerNorm", x), [-1, SIZE.width])
        x = v1.matmul(x, self.weights["bert/embeddings/word_embeddings"], transpose_b=True)
        return v1.reshape(x + self.weights["cls/predictions/output_bias"], [BATCH, MASKED, SIZE.vocabulary])

    def _dense(self, name: str, x: Any) -> Any:
        kernel = self.weights[f"{name}/kernel"]
        flat = self.v1.matmul(self.v1.reshape(x, [-1, kernel.shape[0]]), kernel) + self.weights[f"{name}/bias"]
        return self.v1.reshape(flat, [*x.shape[:-1], kernel.shape[1]])

    def _norm(self, name: str, x: Any) -> Any:
        mean, variance = self.v1.nn.moments(x, [-1], keepdims=True)
        beta, gamma = (self.weights[f"{name}/{leaf}"] for leaf in ("beta", "gamma"))
        return self.v1.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-12)

    def _gelu(self, x: Any) -> Any:
        return x * 0.5 * (1.0 + self.v1.tanh(sqrt(2 / np.pi) * (x + 0.044715 * self.v1.pow(x, 3))))


def _rate(v1: Any, step: Any) -> Any:
    falling = v1.train.polynomial_decay(RATE, step, STEPS, end_learning_rate=0.0, power=1.0)
    rising = RATE * v1.cast(step, v1.float32) / WARMUP
    return v1.where(step < WARMUP, rising, falling)


def _adam_weight_decay(v1: Any, loss: Any, weights: list[Any], step: Any) -> Any:
    """The operation of a step, with the slots ``<weight>/adam_m`` and ``adam_v`` of what has a gradient."""
    gradients, _ = v1.clip_by_global_norm(v1.gradients(loss, weights), CLIP)
    rate, updates = _rate(v1, step), []
    for gradient, weight in zip(gradients, weights, strict=True):
        if gradient is None:
            continue
        first, second = (
            v1.get_variable(
                f"{weight.op.name}/adam_{of}", weight.shape, initializer=v1.zeros_initializer(), trainable=False
            )
            for of in "mv"
        )
        whole = v1.convert_to_tensor(gradient)  # that of words that are only looked up has their rows
        next_first = 0.9 * first + (1.0 - 0.9) * whole
        next_second = 0.999 * second + (1.0 - 0.999) * v1.square(whole)
        update = next_first / (v1.sqrt(next_second) + EPSILON)
        if not any(re.search(word, weight.op.name) for word in NOT_DECAYED):
            update += DECAY * weight
        updates += [weight.assign(weight - rate * update), first.assign(next_first), second.assign(next_second)]
    with v1.control_dependencies(updates):
        return step.assign_add(1)


def train_tf1(head: str, folder: Path, *, one_hot: bool) -> dict[str, Array]:
    """Train from step LATE; losses ``before`` and ``after`` the checkpoint, and ``nudged0`` and so on.

    Saves ``start`` in ``folder``, ``end`` and an end of each nudged training.
    """
    v1 = tf2().compat.v1
    with v1.Graph().as_default(), v1.Session() as session:
        graph, step = _Graph(v1, head, one_hot=one_hot), v1.train.get_or_create_global_step()
        trained = list(graph.weights.values())
        operation = _adam_weight_decay(v1, graph.loss, trained, step)
        session.run(v1.global_variables_initializer())
        made = random_values({name: tuple(one.shape.as_list()) for name, one in graph.weights.items()})
        assign(session, {graph.weights[name]: value for name, value in made.items()})
        session.run(step.assign(LATE))
        saver, fed = v1.train.Saver(max_to_keep=None), batches(head)

        def run(first: int, steps: int) -> Array:
            feeds = [
                {graph.fed[name]: value for name, value in vars(fed[at % BATCHES]).items()}
                for at in range(first, first + steps)
            ]
            return np.array([session.run([graph.loss, operation], feed)[0] for feed in feeds])

        def save(name: str) -> None:
            saver.save(session, str(folder / name), write_meta_graph=False)

        told = {"before": run(0, BEFORE)}
        save("start")
        told["after"] = run(BEFORE, AFTER)
        save("end")
        for number in range(NUDGES):
            saver.restore(session, str(folder / "start"))
            signs = np.random.default_rng(number)
            values = [one * (1 + signs.choice([-1, 1], one.shape) * ROUNDING) for one in session.run(trained)]
            assign(session, dict(zip(trained, values, strict=True)))
            told[f"nudged{number}"] = run(BEFORE, AFTER)
            save(f"nudged{number}")
    return told


def optimizer_of(layout: str) -> Any:
    """BERT's optimizer in TF2: Model Garden's own, or AdamW of Keras 2 or 3 with the same numbers."""
    if layout == "legacy":
        return import_quietly("official.nlp.optimization").create_optimizer(RATE, STEPS, WARMUP)
    optimizers = keras_of(3 if layout == "keras 3" else 2).optimizers
    rate = optimizers.schedules.PolynomialDecay(RATE, STEPS, 0.0)
    words = ["gamma", "beta", "bias"]  # of Keras 3, where a variable is called by the last part of its path
    if layout != "keras 3":
        rate = import_quietly("official.nlp.optimization").WarmUp(RATE, rate, WARMUP)
        words = list(NOT_DECAYED)
    made = optimizers.AdamW(rate, weight_decay=DECAY, epsilon=EPSILON, global_clipnorm=CLIP)
    made.exclude_from_weight_decay(var_names=words)
    return made


class _Trainer:
    """A TF2 model and its optimizer."""

    def __init__(self, going: Going) -> None:
        """Make both, with their variables."""
        if going.home.keras == 2:
            keras_of(2).backend.clear_session()
        self.going, self.model, self.optimizer = going, going.home.make(SIZE), optimizer_of(going.layout)
        if going.home.compiled:
            self.model.compile(optimizer=self.optimizer)
        make = getattr(self.optimizer, "build", None) or self.optimizer._create_all_weights
        make(self.model.trainable_variables)

    def checkpoint(self, *, state: bool) -> Any:
        held = {"optimizer": self.optimizer} if state else {}
        return tf2().train.Checkpoint(model=self.model, **held)

    def restore(self, folder: Path, *, state: bool) -> None:
        """Restore what was converted; a model that comes compiled has an optimizer that weights alone do not fill."""
        status = self.checkpoint(state=state).restore(str(folder / "ckpt-0"))
        if state or not self.going.home.compiled:
            status.assert_consumed()
        else:
            status.assert_nontrivial_match()

    def loss(self, batch: Batch) -> Any:
        """What TF1's graph has as its loss."""
        tf = tf2()
        if self.going.home.keras == 3:
            fed = {"token_ids": batch.ids, "padding_mask": batch.mask, "segment_ids": batch.types}
            if self.going.head == "classes":
                return _missed(tf, self.model(fed, training=False), batch.classes)
            return _missed(tf, self.model({**fed, "mask_positions": batch.places}, training=False), batch.words)
        fed = {"input_word_ids": batch.ids, "input_mask": batch.mask, "input_type_ids": batch.types}
        if self.going.head == "classes":
            return _missed(tf, self.model(fed, training=False), batch.classes)
        found = self.model({**fed, "masked_lm_positions": batch.places}, training=False)
        return _missed(tf, found["next_sentence"], batch.classes) + _missed(tf, found["mlm_logits"], batch.words)

    def go_on(self) -> Array:
        """Take the steps behind the checkpoint."""
        tf, fed, weights = tf2(), batches(self.going.head), self.model.trainable_variables
        losses = []
        for at in range(BEFORE, BEFORE + AFTER):
            with tf.GradientTape() as tape:
                loss = self.loss(fed[at % BATCHES])
            pairs = zip(tape.gradient(loss, weights), weights, strict=True)
            found = [(one, weight) for one, weight in pairs if one is not None]
            if self.going.home.keras == 3:  # it squares what each lookup of a word gets, TF1 what all of them get
                found = [(tf.convert_to_tensor(one), weight) for one, weight in found]
            self.optimizer.apply_gradients(found)
            losses.append(float(loss))
        return np.array(losses)

    def weights(self) -> list[Array]:
        """What it has trained."""
        named = [(getattr(one, "path", one.name), one) for one in self.model.trainable_variables]
        return [np.asarray(one) for name, one in named if not self.going.left or self.going.left not in name]


def go_on(going: Going, folder: Path) -> Gone:
    """Train in TF1, convert, take the last steps in TF2 twice, below ``folder``."""
    (folder / "old").mkdir()
    told = train_tf1(going.head, folder / "old", one_hot=going.one_hot)
    trainer = _Trainer(going)
    template = trainer.checkpoint(state=True).save(str(folder / "template" / "ckpt"))
    plain = trainer.checkpoint(state=False).save(str(folder / "plain" / "ckpt"))
    report = ckptmap.convert(
        folder / "old" / "start", to=template, output=folder / "new", optimizer="adamw", **going.choices
    )

    def of_tf1(name: str) -> list[Array]:
        ckptmap.convert(folder / "old" / name, to=plain, output=folder / name)
        trainer.restore(folder / name, state=False)
        return trainer.weights()

    def nudged(number: int) -> Steps:
        return Steps(told[f"nudged{number}"], of_tf1(f"nudged{number}"))

    start, end, noise = of_tf1("start"), of_tf1("end"), tuple(map(nudged, range(NUDGES)))
    trainer.restore(folder / "new", state=True)
    carried = Steps(trainer.go_on(), trainer.weights())
    trainer = _Trainer(going)
    trainer.restore(folder / "start", state=False)
    alone = Steps(trainer.go_on(), trainer.weights())
    return Gone(report, told["before"], start, Steps(told["after"], end), noise, carried, alone)


HEADER = """\
| TF1's loss | TF2 model | optimizer | TF1's noise: losses, weights | with `--optimizer` | without |
|---|---|---|---|---|---|
"""
_LOSSES = {"pretraining": "masked words, next sentence", "classes": "a class", "masked": "masked words"}


def table(rows: Iterable[tuple[Going, Gone]]) -> str:
    """How far both sides are apart in Markdown, a line a row."""
    return HEADER + "".join(map(_line, *zip(*rows, strict=True)))


def _line(going: Going, gone: Gone) -> str:
    found = (gone.noise, gone.differ(gone.carried), gone.differ(gone.alone))
    cells = [f"{losses:.1e}, {weights:.1e}" for losses, weights in found]
    loss = f"{_LOSSES[going.head]}{', looked up as on TPUs' if going.one_hot else ''}"
    return f"| {' | '.join([loss, going.home.name, going.layout, *cells])} |\n"


def rows() -> list[tuple[Going, Gone]]:
    """All rows that are possible here, measured."""
    made = []
    for going in filter(lambda one: one.possible, GOING_ON):
        with TemporaryDirectory() as folder:
            made.append((going, go_on(going, Path(folder))))
    return made
