"""The pipeline.config of an EfficientDet in the Object Detection API: written for a version, or taken from the user.

AutoML has no pipeline.config. What is written here says in the API's words what AutoML's efficientdet/hparams_config.py
says: model, loss, augmentation, learning rate (0.08 for a batch of 64, so 0.01 for 8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from string import Template

from ckptmap.basics.errors import ConfigError
from ckptmap.families.detection.operations import UNTOUCHED, AnchorChoice, BoxOutputs, box_outputs
from ckptmap.families.detection.pipeline import training
from ckptmap.families.detection.pipeline.changes import Change, make, text, word
from ckptmap.families.detection.pipeline.classes import Classes
from ckptmap.families.detection.pipeline.classes import changes as class_changes
from ckptmap.families.detection.pipeline.classes import notes as class_notes
from ckptmap.families.detection.pipeline.config import PipelineConfig, parse_config
from ckptmap.families.detection.pipeline.efficientdet import (
    ASPECT_RATIOS,
    LOWEST_LEVEL,
    SCALES_PER_OCTAVE,
    VERSIONS,
    Version,
    verdict_of,
    version_of,
)
from ckptmap.families.detection.pipeline.migrate import Migration
from ckptmap.families.detection.pipeline.notes import Note, notes
from ckptmap.families.detection.pipeline.training import Checkpoint
from ckptmap.families.detection.pipeline.view import View
from ckptmap.families.verdict import Prefer

_ANCHORS = "model.ssd.anchor_generator"
_TYPE_REASONS: Mapping[Prefer, str] = {
    "exact": "the extractor that takes the feature maps that AutoML takes",
    "stock": "the stock extractor is preferred",
}
_OLD_SIZE = (1.4 * 0.7) ** 0.5
"""Before September 2020 the ratios 2 and 0.5 were 1.4 x 0.7 and 0.7 x 1.4: boxes of the ratio 2, so much smaller."""
_DONE = {
    "api": "box and class outputs are reordered from AutoML's anchors to these, and boxes scaled by the box coder",
    "automl": "AutoML's anchors in AutoML's order: box and class outputs are untouched",
    "automl-2020": "AutoML's anchors of before September 2020 in AutoML's order: box and class outputs are untouched",
}


def written(
    target: str, anchors: AnchorChoice, classes: Classes, prefer: Prefer, checkpoint: Checkpoint | None
) -> Migration:
    """The config of a version of ``VERSIONS``, with its verdict; ``checkpoint`` is the converted one."""
    config = parse_config(_text(VERSIONS[target], anchors))
    made = adopted(config, classes, prefer, checkpoint)
    line = parse_config(made.text).model.child("anchor_generator").line()
    return replace(made, edits=(), notes=(Note(line, _ANCHORS, _DONE[anchors]),))


def adopted(config: PipelineConfig, classes: Classes, prefer: Prefer, checkpoint: Checkpoint | None) -> Migration:
    """A TF2 config with what the converted checkpoint changes in it, and the verdict on its model.

    Raises ConfigError where its model is no version of EfficientDet.
    """
    answer = verdict_of(_version(config), prefer)
    kind = Change("model.ssd.feature_extractor.type", text(answer.extractor_type), _TYPE_REASONS[prefer])
    changes = (kind, *class_changes(config, classes), *training.changes(config, checkpoint))
    edited, edits = make(config.document, changes)
    done = Note(config.model.child("anchor_generator").line(), _ANCHORS, _said(boxes_of(config)))
    remarks = (*notes(config, checkpoint), *class_notes(config, classes), done)
    in_order = tuple(sorted(edits, key=lambda edit: edit.line))
    return Migration(edited.text, in_order, tuple(sorted(remarks, key=lambda note: note.line)), answer)


def target_of(config: PipelineConfig) -> str:
    """The target of the user's own TF2 config. Raises ConfigError where its model is no version of EfficientDet."""
    return _version(config).name


def boxes_of(config: PipelineConfig) -> BoxOutputs:
    """What becomes of the box and class outputs for the anchors and the box coder of the user's own TF2 config.

    Raises ConfigError for anchors that are neither AutoML's nor the API's in the same sizes, and for another box coder.
    """
    return BoxOutputs(reordered=_ratios_first(config), factors=_factors(config))


def _version(config: PipelineConfig) -> Version:
    version = version_of(config)
    if version is not None:
        return version
    raise ConfigError(
        "the model has other variables than AutoML's EfficientDet of this backbone",
        where=config.extractor.where("type"),
        hint="compare bifpn, box_predictor and add_background_class with what convert --to efficientdet_dN writes",
    )


def _said(boxes: BoxOutputs) -> str:
    if boxes == UNTOUCHED:
        return _DONE["automl"]
    order = "reordered to these" if boxes.reordered else "in AutoML's order, as these are"
    return f"box and class outputs are {order}, boxes scaled by the box coder: {' '.join(map(word, boxes.factors))}"


def _factors(config: PipelineConfig) -> tuple[float, float, float, float]:
    coder = config.model.child("box_coder")
    if coder.which("box_coder_oneof") != "faster_rcnn_box_coder":
        raise ConfigError("AutoML's boxes need a faster_rcnn_box_coder", where=coder.where() or config.path)
    own = coder.child("faster_rcnn_box_coder")
    return (own.number("y_scale"), own.number("x_scale"), own.number("height_scale"), own.number("width_scale"))


def _ratios_first(config: PipelineConfig) -> bool:
    """Whether the config's anchors come ratio by ratio, as the API makes them, or scale by scale as AutoML does."""
    generator = config.model.child("anchor_generator")
    kind = generator.which("anchor_generator_oneof")
    if kind == "multiscale_anchor_generator":
        own = generator.child(kind)
        if own.values("aspect_ratios") == ASPECT_RATIOS and own.integer("scales_per_octave") == SCALES_PER_OCTAVE:
            return True
    if kind == "flexible_grid_anchor_generator":
        orders = {_order(grid) for grid in generator.child(kind).children("anchor_grid")}
        if len(orders) == 1 and None not in orders:
            return orders == {"ratios first"}
    raise ConfigError(
        "the anchors are not AutoML's, three scales an octave of the ratios 1, 2 and 0.5",
        where=generator.where(),
        hint="boxes would be decoded from wrong anchors: take the generator that convert --to efficientdet_dN writes",
    )


def _order(grid: View) -> str | None:
    ratios = grid.values("aspect_ratios")
    if ratios == ASPECT_RATIOS * SCALES_PER_OCTAVE:
        return "scales first"
    by_ratio = tuple(ratio for ratio in ASPECT_RATIOS for _ in range(SCALES_PER_OCTAVE))
    return "ratios first" if ratios == by_ratio else None


def _text(version: Version, anchors: AnchorChoice) -> str:
    own = anchors == "api"
    coder = dict(zip(("y_scale", "x_scale", "height_scale", "width_scale"), box_outputs(anchors).factors, strict=True))
    return _CONFIG.substitute(
        size=version.image_size,
        extractor_type=version.stock_type,
        max_level=version.max_level,
        cells=version.cells,
        filters=version.filters,
        combine=version.combine,
        layers=version.layers,
        coder=_lines(coder, 8),
        anchors=_multiscale(version) if own else _grids(version, anchors),
        # AutoML's Huber loss, delta 0.1 and weight 50, is for errors that no box coder has scaled
        loss="" if own else "\n          delta: 0.1",
        loss_weight=1.0 if own else 50.0,
    )


def _multiscale(version: Version) -> str:
    fields = {
        "min_level": LOWEST_LEVEL,
        "max_level": version.max_level,
        "anchor_scale": version.anchor_scale,
        "scales_per_octave": SCALES_PER_OCTAVE,
    }
    ratios = [f"aspect_ratios: {ratio}" for ratio in ASPECT_RATIOS]
    return _block("multiscale_anchor_generator", [_lines(fields, 8), *("        " + line for line in ratios)])


def _grids(version: Version, anchors: AnchorChoice) -> str:
    """Each anchor by its own size and ratio, which the API keeps in this order."""
    ratios = ASPECT_RATIOS * SCALES_PER_OCTAVE
    grids = []
    for level in range(LOWEST_LEVEL, version.max_level + 1):
        stride = 2**level
        bases = [
            version.anchor_scale * stride * 2 ** (octave / SCALES_PER_OCTAVE) for octave in range(SCALES_PER_OCTAVE)
        ]
        sizes = [base * _shrunk(ratio, anchors) for base in bases for ratio in ASPECT_RATIOS]
        fields = [
            f"          base_sizes: [{', '.join(f'{size:.9g}' for size in sizes)}]",
            f"          aspect_ratios: [{', '.join(map(str, ratios))}]",
            f"          height_stride: {stride} width_stride: {stride}",
            f"          height_offset: {stride // 2} width_offset: {stride // 2}",
        ]
        grids.append("        anchor_grid {\n" + "\n".join(fields) + "\n        }")
    return _block("flexible_grid_anchor_generator", grids)


def _shrunk(ratio: float, anchors: AnchorChoice) -> float:
    return _OLD_SIZE if anchors == "automl-2020" and ratio != 1.0 else 1.0


def _block(name: str, lines: list[str]) -> str:
    return f"{name} {{\n" + "\n".join(lines) + "\n      }"


def _lines(fields: Mapping[str, object], indent: int) -> str:
    return "\n".join(f"{' ' * indent}{name}: {value}" for name, value in fields.items())


_CONFIG = Template("""\
# EfficientDet, written by ckptmap for a checkpoint of google/automl.
# Replace each PATH_TO_BE_CONFIGURED with your own path; batch size and learning rate go up and down together.
# Another image size, a multiple of 2^$max_level, goes into image_resizer and into data_augmentation_options.
model {
  ssd {
    num_classes: 90
    add_background_class: false
    box_coder {
      faster_rcnn_box_coder {
$coder
      }
    }
    matcher {
      argmax_matcher {
        matched_threshold: 0.5
        unmatched_threshold: 0.5
        ignore_thresholds: false
        negatives_lower_than_unmatched: true
        force_match_for_each_row: true
        use_matmul_gather: true
      }
    }
    similarity_calculator {
      iou_similarity {
      }
    }
    encode_background_as_zeros: true
    anchor_generator {
      $anchors
    }
    image_resizer {
      keep_aspect_ratio_resizer {
        min_dimension: $size
        max_dimension: $size
        pad_to_max_dimension: true
      }
    }
    box_predictor {
      weight_shared_convolutional_box_predictor {
        depth: $filters
        num_layers_before_predictor: $layers
        kernel_size: 3
        use_depthwise: true
        class_prediction_bias_init: -4.6
        conv_hyperparams {
          force_use_bias: true
          activation: SWISH
          regularizer {
            l2_regularizer {
              weight: 0.00004
            }
          }
          initializer {
            random_normal_initializer {
              stddev: 0.01
              mean: 0.0
            }
          }
          batch_norm {
            scale: true
            decay: 0.99
            epsilon: 0.001
          }
        }
      }
    }
    feature_extractor {
      type: "$extractor_type"
      bifpn {
        min_level: 3
        max_level: $max_level
        num_iterations: $cells
        num_filters: $filters
        combine_method: "$combine"
      }
      conv_hyperparams {
        force_use_bias: true
        activation: SWISH
        regularizer {
          l2_regularizer {
            weight: 0.00004
          }
        }
        initializer {
          truncated_normal_initializer {
            stddev: 0.03
            mean: 0.0
          }
        }
        batch_norm {
          scale: true
          decay: 0.99
          epsilon: 0.001
        }
      }
    }
    loss {
      classification_loss {
        weighted_sigmoid_focal {
          alpha: 0.25
          gamma: 1.5
        }
      }
      localization_loss {
        weighted_smooth_l1 {$loss
        }
      }
      classification_weight: 1.0
      localization_weight: $loss_weight
    }
    normalize_loss_by_num_matches: true
    normalize_loc_loss_by_codesize: true
    post_processing {
      batch_non_max_suppression {
        score_threshold: 1e-8
        iou_threshold: 0.5
        max_detections_per_class: 100
        max_total_detections: 100
      }
      score_converter: SIGMOID
    }
  }
}
train_config {
  batch_size: 8
  fine_tune_checkpoint: "PATH_TO_BE_CONFIGURED"
  fine_tune_checkpoint_type: "full"
  fine_tune_checkpoint_version: V2
  num_steps: 50000
  unpad_groundtruth_tensors: false
  data_augmentation_options {
    random_horizontal_flip {
    }
  }
  data_augmentation_options {
    random_scale_crop_and_pad_to_square {
      output_size: $size
      scale_min: 0.1
      scale_max: 2.0
    }
  }
  optimizer {
    momentum_optimizer {
      learning_rate {
        cosine_decay_learning_rate {
          learning_rate_base: 0.01
          total_steps: 50000
          warmup_learning_rate: 0.001
          warmup_steps: 2500
        }
      }
      momentum_optimizer_value: 0.9
    }
    use_moving_average: false
  }
}
train_input_reader {
  label_map_path: "PATH_TO_BE_CONFIGURED"
  tf_record_input_reader {
    input_path: "PATH_TO_BE_CONFIGURED"
  }
}
eval_config {
  metrics_set: "coco_detection_metrics"
  use_moving_averages: false
  batch_size: 1
}
eval_input_reader {
  label_map_path: "PATH_TO_BE_CONFIGURED"
  shuffle: false
  num_epochs: 1
  tf_record_input_reader {
    input_path: "PATH_TO_BE_CONFIGURED"
  }
}
""")
