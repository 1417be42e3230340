"""What others wrote, one subcommand each: ``python -m benchmarks.converters.peers bert OLD FOLDER``.

They are taken as their authors have them; ``template`` saves the model that both sides restore into.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")


def _bert(config: str) -> Any:
    from official.legacy.bert import configs

    return configs.BertConfig.from_json_file(config)


def bert(old: str, folder: str) -> None:
    """Model Garden's tf2_bert_encoder_checkpoint_converter."""
    from official.nlp.tools import tf2_bert_encoder_checkpoint_converter as tool

    config = _bert(f"{Path(old).parent}/config.json")
    tool.convert_checkpoint(config, f"{folder}/ckpt", old, checkpoint_model_name="encoder")


def bert_template(old: str, folder: str) -> None:
    """The encoder as Model Garden's converter makes it."""
    import tensorflow as tf
    from official.nlp.tools import tf2_bert_encoder_checkpoint_converter as tool

    model = tool._create_bert_model(_bert(f"{Path(old).parent}/config.json"))
    tf.train.Checkpoint(encoder=model).save(f"{folder}/ckpt")


def albert(old: str, folder: str) -> None:
    """Model Garden's tf2_albert_encoder_checkpoint_converter."""
    from official.nlp.tools import tf2_albert_encoder_checkpoint_converter as tool

    Path(folder, "temp_v1").mkdir(parents=True)  # it makes none, and cannot save without
    config = tool.configs.AlbertConfig.from_json_file(f"{Path(old).parent}/config.json")
    tool.convert_checkpoint(config, f"{folder}/ckpt", old, "encoder")


def albert_template(old: str, folder: str) -> None:
    """The encoder as Model Garden's converter makes it."""
    import tensorflow as tf
    from official.nlp.tools import tf2_albert_encoder_checkpoint_converter as tool

    model = tool._create_albert_model(tool.configs.AlbertConfig.from_json_file(f"{Path(old).parent}/config.json"))
    tf.train.Checkpoint(encoder=model).save(f"{folder}/ckpt")


def hugging_face(old: str, folder: str) -> None:
    """transformers' load_tf_weights_in_bert, as convert_bert_original_tf_checkpoint_to_pytorch calls it."""
    import numpy as np
    from transformers import BertConfig, BertForPreTraining, load_tf_weights_in_bert

    config = BertConfig.from_json_file(f"{Path(old).parent}/config.json")
    model = load_tf_weights_in_bert(BertForPreTraining(config), config, old)
    Path(folder).mkdir(parents=True)
    np.savez(f"{folder}/values.npz", **{name: value.numpy() for name, value in model.bert.state_dict().items()})


def efficientnet(old: str, folder: str) -> None:
    """keras.applications' efficientnet_weight_update_util.py (keras 2.4 to 2.8), which has to lie in PYTHONPATH."""
    import efficientnet_weight_update_util as tool
    import tensorflow as tf

    Path(folder).mkdir(parents=True)
    model = tf.keras.applications.EfficientNetB0(weights=None)  # its own main downloads weights first
    tool.write_ckpt_to_h5(f"{folder}/model.h5", old, model)


def efficientnet_old(old: str, _folder: str) -> None:
    """The TF1 checkpoint of a B0 with moving averages of all its weights, which is what the script reads."""
    import numpy as np

    from ckptmap.tf.environment import tf2
    from tests.convert.conftest import write_tf1
    from tests.tf.efficientnet_graph import efficientnet as graph

    v1 = tf2().compat.v1
    with v1.Graph().as_default():
        graph(0, v1.placeholder(v1.float32, (1, 64, 64, 3)), 1000)
        shapes = {one.op.name: tuple(one.shape.as_list()) for one in v1.global_variables()}
    generator = np.random.default_rng(1)
    values = {name: np.abs(generator.normal(0, 1, shape)).astype(np.float32) for name, shape in shapes.items()}
    averages = {f"{name}/ExponentialMovingAverage": value * np.float32(0.5) for name, value in values.items()}
    write_tf1(Path(old), {**values, **averages})


_ALL = (bert, bert_template, albert, albert_template, hugging_face, efficientnet, efficientnet_old)
PEERS = {one.__name__: one for one in _ALL}

if __name__ == "__main__":
    PEERS[sys.argv[1]](*sys.argv[2:])
