"""TF1 graphs of the families that have no builder in an installed package: language models and canned Estimators.

Written after the authors' own code (``modeling.py`` of BERT, ALBERT and ELECTRA, ``model.py`` of GPT-2, the canned
Estimators), as ``language_reference`` and ``estimators`` say in NumPy, operation by operation as TF1 has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import pi, sqrt
from pathlib import Path
from typing import Any

import numpy as np

from ckptmap.tf.environment import tf2
from tests.tf.estimators import _COLUMN, LINEAR
from tests.tf.language_reference import Size

Array = Any
Values = Mapping[str, Array]
LENGTH = 9


class Build:
    """Layers by the names of their variables, which get ``values``."""

    def __init__(self, values: Values) -> None:
        self.v1, self._values, self._made = tf2().compat.v1, values, dict[str, Any]()

    def get(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self.v1.get_variable(name, initializer=self._values[name], use_resource=False)
        return self._made[name]

    def has(self, name: str) -> bool:
        return name in self._values

    def dense(self, name: str, x: Any, kernel: str = "kernel", bias: str = "bias") -> Any:
        v1, weights = self.v1, self.get(f"{name}/{kernel}")
        before, after = weights.shape.as_list()[-2:]
        y = v1.matmul(v1.reshape(x, [-1, before]), v1.reshape(weights, [before, after]) if kernel == "w" else weights)
        y = v1.nn.bias_add(y, self.get(f"{name}/{bias}"))
        return y if x.shape.rank == 2 else v1.reshape(y, [-1, LENGTH, after])

    def norm(self, name: str, x: Any, gamma: str = "gamma", beta: str = "beta", epsilon: float = 1e-12) -> Any:
        mean, variance = self.v1.nn.moments(x, [-1], keep_dims=True)
        both = self.get(f"{name}/{beta}"), self.get(f"{name}/{gamma}")
        return self.v1.nn.batch_normalization(x, mean, variance, *both, epsilon)

    def attend(self, query: Any, key: Any, value: Any, heads: int, added: Any) -> Any:
        v1, width = self.v1, query.shape[-1]

        def split(x: Any) -> Any:
            return v1.transpose(v1.reshape(x, [-1, LENGTH, heads, width // heads]), [0, 2, 1, 3])

        scores = v1.matmul(split(query), split(key), transpose_b=True) * (1 / sqrt(width // heads))
        found = v1.matmul(v1.nn.softmax(scores + added), split(value))
        return v1.reshape(v1.transpose(found, [0, 2, 1, 3]), [-1, LENGTH, width])

    def tanh_gelu(self, x: Any) -> Any:
        v1 = self.v1
        return x * (0.5 * (1.0 + v1.tanh(np.float32(sqrt(2 / pi)) * (x + 0.044715 * v1.pow(x, 3)))))

    def exact_gelu(self, x: Any) -> Any:
        return x * (0.5 * (1.0 + self.v1.erf(x / np.float32(sqrt(2)))))

    def text(self) -> tuple[Any, Any, Any]:
        names = ("input_word_ids", "input_mask", "input_type_ids")
        ids, mask, types = (self.v1.placeholder(self.v1.int32, [None, LENGTH], name) for name in names)
        return ids, mask, types

    def embedded(self, scope: str, ids: Any, types: Any) -> Any:
        v1, table = self.v1, f"{scope}/embeddings"
        x = v1.gather(self.get(f"{table}/word_embeddings"), ids)
        parts = self.get(f"{table}/token_type_embeddings")
        flat = v1.matmul(v1.one_hot(v1.reshape(types, [-1]), parts.shape[0]), parts)
        x = x + v1.reshape(flat, [-1, LENGTH, parts.shape[1]])
        return self.norm(f"{table}/LayerNorm", x + self.get(f"{table}/position_embeddings")[:LENGTH])

    def hidden_from(self, mask: Any) -> Any:
        """What is added to the scores of tokens that are padding."""
        return (1.0 - self.v1.cast(mask[:, None, None, :], self.v1.float32)) * -10000.0

    def ended(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.v1.identity(one, name=name) for name, one in outputs.items()}


def bert(values: Values, size: Size, scope: str = "bert") -> dict[str, Any]:
    """BERT with the pooler, and a classifier where ``values`` have one; ELECTRA with the exact gelu and without."""
    build = Build(values)
    gelu = build.tanh_gelu if scope == "bert" else build.exact_gelu
    ids, mask, types = build.text()
    x = build.embedded(scope, ids, types)
    if build.has(f"{scope}/embeddings_project/kernel"):
        x = build.dense(f"{scope}/embeddings_project", x)
    for at in range(size.layers):
        layer = f"{scope}/encoder/layer_{at}"
        parts = [build.dense(f"{layer}/attention/self/{part}", x) for part in ("query", "key", "value")]
        y = build.dense(
            f"{layer}/attention/output/dense", build.attend(*parts, size.heads, added=build.hidden_from(mask))
        )
        x = build.norm(f"{layer}/attention/output/LayerNorm", x + y)
        y = build.dense(f"{layer}/output/dense", gelu(build.dense(f"{layer}/intermediate/dense", x)))
        x = build.norm(f"{layer}/output/LayerNorm", x + y)
    if scope != "bert":
        return build.ended({"sequence_output": x})
    pooled = build.v1.tanh(build.dense("bert/pooler/dense", x[:, 0]))
    if build.has("output_weights"):
        logits = build.v1.matmul(pooled, build.get("output_weights"), transpose_b=True)
        return build.ended({"logits": build.v1.nn.bias_add(logits, build.get("output_bias"))})
    return build.ended({"sequence_output": x, "pooled_output": pooled})


def electra(values: Values, size: Size) -> dict[str, Any]:
    return bert(values, size, "electra")


def albert(values: Values, size: Size) -> dict[str, Any]:
    build = Build(values)
    ids, mask, types = build.text()
    x = build.dense("bert/encoder/embedding_hidden_mapping_in", build.embedded("bert", ids, types))
    layer = "bert/encoder/transformer/group_0/inner_group_0"
    for _ in range(size.layers):
        parts = [build.dense(f"{layer}/attention_1/self/{part}", x) for part in ("query", "key", "value")]
        y = build.attend(*parts, size.heads, added=build.hidden_from(mask))
        x = build.norm(f"{layer}/LayerNorm", x + build.dense(f"{layer}/attention_1/output/dense", y))
        y = build.tanh_gelu(build.dense(f"{layer}/ffn_1/intermediate/dense", x))
        x = build.norm(f"{layer}/LayerNorm_1", x + build.dense(f"{layer}/ffn_1/intermediate/output/dense", y))
    pooled = build.v1.tanh(build.dense("bert/pooler/dense", x[:, 0]))
    return build.ended({"sequence_output": x, "pooled_output": pooled})


def gpt2(values: Values, size: Size) -> dict[str, Any]:
    build = Build(values)
    v1 = build.v1
    ids = v1.placeholder(v1.int32, [None, LENGTH], "token_ids")
    x = v1.gather(build.get("model/wte"), ids) + build.get("model/wpe")[:LENGTH]
    added = (1 - np.tril(np.ones((LENGTH, LENGTH), np.float32))) * np.float32(-1e10)
    for at in range(size.layers):
        layer = f"model/h{at}"
        y = build.dense(f"{layer}/attn/c_attn", build.norm(f"{layer}/ln_1", x, "g", "b", 1e-5), "w", "b")
        y = build.attend(*v1.split(y, 3, axis=2), size.heads, added=added)
        x = x + build.dense(f"{layer}/attn/c_proj", y, "w", "b")
        y = build.dense(f"{layer}/mlp/c_fc", build.norm(f"{layer}/ln_2", x, "g", "b", 1e-5), "w", "b")
        x = x + build.dense(f"{layer}/mlp/c_proj", build.tanh_gelu(y), "w", "b")
    return build.ended({"sequence_output": build.norm("model/ln_f", x, "g", "b", 1e-5)})


def estimator(values: Values) -> dict[str, Any]:
    """A canned Estimator behind its feature columns: the deep part and the linear one, added."""
    build = Build(values)
    v1 = build.v1
    fed = {name: v1.placeholder(v1.float32, [None, long], name) for name, long in LINEAR.items()}
    parts = []
    if build.has("dnn/logits/kernel"):
        color = v1.placeholder(v1.int32, [None], "color_id")
        x = v1.concat([v1.gather(build.get(_COLUMN), color), fed["income"]], axis=1)
        at = 0
        while build.has(f"dnn/hiddenlayer_{at}/kernel"):
            x = v1.nn.relu(build.dense(f"dnn/hiddenlayer_{at}", x))
            norm = f"dnn/hiddenlayer_{at}/batchnorm_{at}"
            if build.has(f"{norm}/beta"):
                leaves = ("moving_mean", "moving_variance", "beta", "gamma")
                x = v1.nn.batch_normalization(x, *(build.get(f"{norm}/{leaf}") for leaf in leaves), 1e-3)
            at += 1
        parts.append(build.dense("dnn/logits", x))
    if build.has("linear/linear_model/bias_weights"):
        columns = [v1.matmul(fed[name], build.get(f"linear/linear_model/{name}/weights")) for name in LINEAR]
        parts.append(v1.nn.bias_add(v1.add_n(columns), build.get("linear/linear_model/bias_weights")))
    return build.ended({"logits": v1.add_n(parts) if len(parts) > 1 else parts[0]})


def save(build: Callable[[], Any], folder: Path) -> None:
    """What ``build`` makes, saved by the TF1 Saver with its ``.meta`` as ``model.ckpt``."""
    v1 = tf2().compat.v1
    with v1.Graph().as_default(), v1.Session() as session:
        build()
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(folder / "model.ckpt"))
