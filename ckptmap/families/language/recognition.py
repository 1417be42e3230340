"""Which language model a checkpoint holds, by its names and shapes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ckptmap.families.known import Known
from ckptmap.families.language.models import (
    ALBERT_LAYERS,
    HEAD,
    HEAD_OF_ALBERT,
    HEADS_OF_MOBILEBERT,
    LANGUAGES,
    Home,
    Language,
)
from ckptmap.families.language.verdicts import verdict_on_home

if TYPE_CHECKING:
    from ckptmap.families.family import Shapes

NAME = "language"


@dataclass(frozen=True, slots=True)
class _Places:
    """Where a kind of model keeps what shows its sizes: patterns of names, and the axes that count."""

    words: str
    positions: str
    """Empty where there are none: positions are relative."""
    inner: str
    """The kernel that widens; its last two lengths are the width and the inner width."""
    layer: str
    """A regular expression for a layer's names, with its number as the group; empty where layers are not counted."""
    types: str = ""
    needs: str = ""
    """What no other kind has."""


def _of_bert(scope: str) -> _Places:
    return _Places(
        f"{scope}/embeddings/word_embeddings",
        f"{scope}/embeddings/position_embeddings",
        f"{scope}/encoder/layer_0/intermediate/dense/kernel",
        rf"{scope}/encoder/layer_(\d+)/",
        f"{scope}/embeddings/token_type_embeddings",
    )


def _of_t5(first: str) -> _Places:
    inner = f"encoder/block_000/layer_001/DenseReluDense/{first}/kernel"
    return _Places("shared/embedding", "", inner, r"encoder/block_(\d+)/", needs=_T5_BIAS)


_XLNET = "model/transformer"
_T5_ATTENTION = "encoder/block_000/layer_000/SelfAttention"
_T5_BIAS = f"{_T5_ATTENTION}/relative_attention_bias"
_PLACES = {
    "bert": _of_bert("bert"),
    "electra": _of_bert("electra"),
    "albert": _Places(
        "bert/embeddings/word_embeddings",
        "bert/embeddings/position_embeddings",
        "bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/dense/kernel",
        "",
        "bert/embeddings/token_type_embeddings",
    ),
    "mobilebert": replace(_of_bert("bert"), needs="bert/encoder/layer_0/bottleneck/input/dense/kernel"),
    "xlnet": _Places(
        f"{_XLNET}/word_embedding/lookup_table", "", f"{_XLNET}/layer_0/ff/layer_1/kernel", rf"{_XLNET}/layer_(\d+)/"
    ),
    "t5": _of_t5("wi"),
    "t5_v1_1": _of_t5("wi_0"),
    "gpt2": _Places("model/wte", "model/wpe", "model/h0/mlp/c_fc/w", r"model/h(\d+)/"),
}
_HEADS = (
    ("cls/predictions/output_bias", "masked words"),
    ("cls/seq_relationship/output_bias", "next sentence"),
    ("cls/squad/output_bias", "questions"),
    ("discriminator_predictions/dense/bias", "replaced words"),
)


def recognize(shapes: Shapes) -> Known | None:
    """The language model with these variables of TF1; None where it is none of them."""
    found = (_recognize(language, _PLACES[name], shapes) for name, language in LANGUAGES.items())
    return next((model for model in found if model is not None), None)


def _recognize(language: Language, places: _Places, shapes: Shapes) -> Known | None:
    names = filter(None, (places.words, places.positions, places.inner, places.needs))
    needed = [shapes.get(name, ()) for name in names]
    if any(len(shape) < 2 for shape in needed):
        return None
    sizes = _sizes(language, places, shapes)
    size = language.sizes.get((sizes.get("layers", 0), sizes["width"]))
    return Known(
        f"{language.name}_{size}" if size else language.name,
        NAME,
        "; ".join(_traits(language, sizes, shapes)),
        sizes,
        tables=tuple(home.table for home in language.homes),
        remark=_remark(language, sizes),
    )


def _sizes(language: Language, places: _Places, shapes: Shapes) -> dict[str, int]:
    vocabulary, embedding = shapes[places.words]
    width, inner = shapes[places.inner][-2:]
    layers = _layers(places.layer, shapes) if places.layer else ALBERT_LAYERS.get(width)
    head = HEAD_OF_ALBERT.get(width, HEAD) if language.name == "albert" else HEAD
    types = shapes.get(places.types)
    return {
        **({"layers": layers} if layers else {}),
        "width": width,
        **({"heads": width // head} if width % head == 0 else {}),
        "inner": inner,
        "vocabulary": vocabulary,
        "embedding": embedding,
        **({"positions": shapes[places.positions][0]} if places.positions else {}),
        **({"types": types[0]} if types else {}),
        **_more_sizes(language, shapes),
    }


def _more_sizes(language: Language, shapes: Shapes) -> dict[str, int]:
    """Those that only this kind has."""
    if language.name == "mobilebert":
        feeds = {found[1] for name in shapes if (found := re.match(r"bert/encoder/layer_0/ffn_layer_(\d+)/", name))}
        between = shapes["bert/encoder/layer_0/bottleneck/input/dense/kernel"][0]
        return {"between": between, "feeds": len(feeds) + 1, "heads": HEADS_OF_MOBILEBERT}
    if language.name.startswith("t5"):
        heads, buckets = shapes[_T5_BIAS]
        return {"heads": heads, "head": shapes[f"{_T5_ATTENTION}/q"][-1] // heads, "buckets": buckets}
    biases = shapes.get(f"{_XLNET}/r_w_bias", ()) if language.name == "xlnet" else ()
    return {"heads": biases[-2], "head": biases[-1], "tied": len(biases) == _ONE_FOR_ALL} if len(biases) > 1 else {}


_ONE_FOR_ALL = 2
"""The lengths of biases that all layers of an XLNet share; each with its own has three."""


def _layers(pattern: str, shapes: Shapes) -> int:
    return 1 + max(int(found[1]) for name in shapes if (found := re.match(pattern, name)))


def _traits(language: Language, sizes: dict[str, int], shapes: Shapes) -> list[str]:
    layers = sizes.get("layers")
    shown = "one layer, used several times" if language.name == "albert" else f"{layers} layers"
    told = [shown, f"width {sizes['width']}"]
    if sizes["embedding"] != sizes["width"]:
        told.append(f"embeddings of {sizes['embedding']}")
    told.append(f"vocabulary of {sizes['vocabulary']}")
    told.append(f"{sizes['positions']} positions" if "positions" in sizes else f"{sizes.get('heads', '?')} heads")
    heads = [what for name, what in _HEADS if name in shapes]
    if "output_weights" in shapes:
        heads.append(f"{shapes['output_weights'][0]} classes")
    return [*told, f"heads for {', '.join(heads)}"] if heads else told


def _remark(language: Language, sizes: dict[str, int]) -> str:
    return "\n".join(
        [
            "my_model/ckpt-1 is what tf.train.Checkpoint(model=model).save('my_model/ckpt') writes of your model:",
            *dict.fromkeys(f"model = {_call(home, sizes)}  # {verdict_on_home(home)}" for home in language.homes),
            f"{_unseen(language, sizes)}; it takes {language.takes}",
        ]
    )


def _unseen(language: Language, sizes: dict[str, int]) -> str:
    """What no variable shows, and where the number in the call comes from."""
    if language.name == "xlnet" or language.name.startswith("t5"):
        return "the variables show all sizes"
    what = "how often the layer is used, and of how many heads" if language.name == "albert" else "the number of heads"
    if "..." in _call(language.homes[0], sizes):
        return f"no variable shows {what}: see the config beside the checkpoint"
    return f"no variable shows {what}: these are the published models'"


def _call(home: Home, sizes: dict[str, int]) -> str:
    known = {
        "layers": "...",
        **dict.fromkeys(("heads", "head", "tied"), "..."),
        **{name: str(size) for name, size in sizes.items()},
    }
    return home.call.format(**known)
