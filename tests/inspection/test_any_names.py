"""Whatever a file calls its variables, inspecting it ends in text or JSON and never in a crash."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.families.advice import advice
from ckptmap.families.registry import recognize
from ckptmap.inspection.inspect_document import document
from ckptmap.inspection.inspector import Inspection
from ckptmap.inspection.text import table_lines, text_lines
from ckptmap.inspection.training import Training
from ckptmap.inspection.tree import tree_lines
from ckptmap.mapping.roles import roles
from ckptmap.report.json_format import to_json

PARTS = """
FeatureExtractor MobilenetV1 MobilenetV2 resnet_v1_50 fpn projection_1 BoxPredictor_0 BoxPredictor_9
ClassPredictor BoxEncodingPredictor WeightSharedConvolutionalBoxPredictor FirstStageFeatureExtractor
SecondStageBoxPredictor class_predictions refined_locations class_net box_net box-0 efficientnet-b0 model
_model _feature_extractor _box_predictor _prediction_heads box_encodings class_predictions_with_background 0 1
_box_encoder_layers _class_predictor_layers _feature_extractor_for_proposal_features _mask_rcnn_box_predictor
variables layer_with_weights-0 classification_backbone _efficientnet .OPTIMIZER_SLOT optimizer momentum
.ATTRIBUTES VARIABLE_VALUE weights biases kernel bias depthwise_kernel BatchNorm global_step step Momentum
ExponentialMovingAverage act_quant min
"""
names = st.lists(st.sampled_from(PARTS.split()) | st.text(max_size=4), min_size=1, max_size=7).map("/".join)
shapes = st.lists(st.integers(0, 2048) | st.sampled_from([1, 3, 4, 7, 24, 64]), max_size=5).map(tuple)


def inventory(variables: dict[str, tuple[int, ...]], object_based: bool) -> Inventory:
    ending = "/.ATTRIBUTES/VARIABLE_VALUE" if object_based else ""
    made = {name + ending: Variable(name + ending, DType.FLOAT32, shape, 4) for name, shape in variables.items()}
    return Inventory(Kind.V2, "m", made, ("m.data-00000-of-00001",), object_based)


@given(st.dictionaries(names, shapes, max_size=30), st.booleans())
def test_any_names_and_shapes(variables: dict[str, tuple[int, ...]], object_based: bool) -> None:
    made = inventory(variables, object_based)
    known = roles(made)
    assert known.keys() <= made.variables.keys()
    architecture = recognize(made, known)
    found = Inspection(
        made, known, architecture, Training(), (), None, advice(made, architecture, ["ssd_mobilenet_v2"])
    )
    everything = list(made.variables.values())
    for listing in (tree_lines, table_lines):
        text = "".join(text_lines(found, everything, listing))
        assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in text)
    assert to_json(document(found)).isascii()
