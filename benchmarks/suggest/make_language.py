"""Language models and other networks as true pairs, from the names and shapes that their public code gives them.

    python -m benchmarks.suggest.make_language

Written down by hand: google-research/bert and openai/gpt-2 on the old side, TensorFlow's model garden, KerasHub-like
and plain Keras models on the new side; a ResNet of tf.layers, a U-Net, a DCGAN and a tf.Module of dense layers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benchmarks.suggest.pairs import Shape, TruePair, save_pairs

Row = tuple[str, Shape, str, str, Shape]
"""Old name, its shape, object path, readable name, its shape; an empty old or new name where there is none."""


def main() -> None:
    """Write the pairs."""
    pairs = [
        pair("bert_tiny_garden", bert(2, 128, 2, 30522, garden=True)),
        pair("bert_base_garden", bert(12, 768, 12, 30522, garden=True)),
        pair("bert_tiny_plain", bert(2, 128, 2, 30522, garden=False)),
        pair("bert_base_plain", bert(12, 768, 12, 30522, garden=False)),
        pair("gpt2_small", gpt2(12, 768)),
        pair("gpt2_medium", gpt2(24, 1024)),
        pair("resnet20_auto_k2", resnet20("layer_with_weights-{}/{}")),
        pair("resnet20_auto_k3", resnet20("_operations/{}/{}")),
        pair("unet", unet()),
        pair("dcgan", dcgan()),
        pair("mlp_module", mlp(5)),
        pair("mlp_module_deep", mlp(12)),
    ]
    save_pairs("language", "benchmarks/suggest/make_language.py", pairs)
    for one in pairs:
        print(one.name, len(one.old), len(one.new), len(one.truth))


def pair(name: str, rows: Iterable[Row]) -> TruePair:
    """The pair of these rows; the old variables are made in their order."""
    listed = list(rows)
    old = tuple((one, shape) for one, shape, *_ in listed if one)
    new = tuple((key, readable, shape) for _, _, key, readable, shape in listed if key)
    return TruePair(name, old, new, {key: (one,) for one, _, key, _, _ in listed if one and key})


def bert(layers: int, width: int, heads: int, words: int, *, garden: bool) -> Iterator[Row]:
    """google-research/bert modeling.py to the garden's encoder (heads apart) or a plain subclassed Keras model."""
    depth = width // heads
    yield _row("bert/embeddings/word_embeddings", (words, width), "word_embeddings/embeddings")
    yield _row("bert/embeddings/token_type_embeddings", (2, width), "type_embeddings/embeddings")
    yield _row("bert/embeddings/position_embeddings", (512, width), "position_embedding/embeddings")
    yield from _norm("bert/embeddings/LayerNorm", "embeddings/layer_norm", width)
    for n in range(layers):
        old, new = f"bert/encoder/layer_{n}", f"transformer/layer_{n}" if garden else f"blocks/{n}"
        attention = "self_attention" if garden else "attention"
        for part in ("query", "key", "value"):
            shapes = ((width, heads, depth), (heads, depth)) if garden else ((width, width), (width,))
            place = f"{new}/{attention}/{part}"
            yield _row(f"{old}/attention/self/{part}/kernel", (width, width), f"{place}/kernel", shapes[0])
            yield _row(f"{old}/attention/self/{part}/bias", (width,), f"{place}/bias", shapes[1])
        out = f"{new}/{attention}/attention_output" if garden else f"{new}/attention/out"
        yield _row(
            f"{old}/attention/output/dense/kernel",
            (width, width),
            f"{out}/kernel",
            (heads, depth, width) if garden else (width, width),
        )
        yield _row(f"{old}/attention/output/dense/bias", (width,), f"{out}/bias")
        yield from _norm(
            f"{old}/attention/output/LayerNorm", f"{new}/self_attention_layer_norm" if garden else f"{new}/ln_1", width
        )
        yield from _dense(
            f"{old}/intermediate/dense", f"{new}/intermediate" if garden else f"{new}/up", width, 4 * width
        )
        yield from _dense(f"{old}/output/dense", f"{new}/output" if garden else f"{new}/down", 4 * width, width)
        yield from _norm(f"{old}/output/LayerNorm", f"{new}/output_layer_norm" if garden else f"{new}/ln_2", width)
    yield from _dense("bert/pooler/dense", "pooler_transform" if garden else "pooler", width, width)


def gpt2(layers: int, width: int) -> Iterator[Row]:
    """openai/gpt-2 src/model.py to a subclassed Keras model with the fused projection kept."""
    yield _row("model/wpe", (1024, width), "position_embedding/embeddings")
    yield _row("model/wte", (50257, width), "token_embedding/embeddings")
    for n in range(layers):
        old, new = f"model/h{n}", f"layers/{n}"
        for norm, name in (("ln_1", "attention_norm"), ("ln_2", "feedforward_norm")):
            if norm == "ln_1":
                yield _row(f"{old}/{norm}/g", (width,), f"{new}/{name}/gamma")
                yield _row(f"{old}/{norm}/b", (width,), f"{new}/{name}/beta")
        for part, name, wide, out in (("attn/c_attn", "attention/qkv", 1, 3), ("attn/c_proj", "attention/out", 1, 1)):
            yield _row(f"{old}/{part}/w", (1, wide * width, out * width), f"{new}/{name}/kernel", (width, out * width))
            yield _row(f"{old}/{part}/b", (out * width,), f"{new}/{name}/bias")
        yield _row(f"{old}/ln_2/g", (width,), f"{new}/feedforward_norm/gamma")
        yield _row(f"{old}/ln_2/b", (width,), f"{new}/feedforward_norm/beta")
        for part, name, wide, out in (("mlp/c_fc", "feedforward/up", 1, 4), ("mlp/c_proj", "feedforward/down", 4, 1)):
            shape = (wide * width, out * width)
            yield _row(f"{old}/{part}/w", (1, *shape), f"{new}/{name}/kernel", shape)
            yield _row(f"{old}/{part}/b", (out * width,), f"{new}/{name}/bias")
    yield _row("model/ln_f/g", (width,), "final_norm/gamma")
    yield _row("model/ln_f/b", (width,), "final_norm/beta")


def resnet20(key: str) -> Iterator[Row]:
    """tf.layers' automatic names to those of a Keras model that another model was built before."""
    widths = [(3, 16)] + [(16, 16)] * 6 + [(16, 32)] + [(32, 32)] * 5 + [(32, 64)] + [(64, 64)] * 5
    for n, (wide, out) in enumerate(widths):
        number = f"_{n}" if n else ""
        conv, norm = f"conv2d_{n + 21}", f"batch_normalization_{n + 21}"
        yield (
            f"conv2d{number}/kernel",
            (3, 3, wide, out),
            key.format(2 * n, "kernel"),
            f"{conv}/kernel",
            (3, 3, wide, out),
        )
        for leaf in ("gamma", "beta", "moving_mean", "moving_variance"):
            old = f"batch_normalization{number}/{leaf}"
            yield (old, (out,), key.format(2 * n + 1, leaf), f"{norm}/{leaf}", (out,))
    yield ("dense/kernel", (64, 10), key.format(40, "kernel"), "dense_1/kernel", (64, 10))
    yield ("dense/bias", (10,), key.format(40, "bias"), "dense_1/bias", (10,))


def unet() -> Iterator[Row]:
    """A U-Net with slim's names to a subclassed Keras model; the decoder counts downwards on one side."""
    widths = (3, 64, 128, 256, 512)
    for n in range(1, 5):
        for c, wide in ((1, widths[n - 1]), (2, widths[n])):
            yield from _slim(f"unet/down{n}/conv{c}", f"encoder/{n - 1}/conv_{'ab'[c - 1]}", (3, 3, wide, widths[n]))
    for n in range(3, 0, -1):
        yield from _slim(f"unet/up{n}/deconv", f"decoder/{3 - n}/upsample", (2, 2, widths[n], widths[n + 1]), widths[n])
        for c, wide in ((1, 2 * widths[n]), (2, widths[n])):
            yield from _slim(f"unet/up{n}/conv{c}", f"decoder/{3 - n}/conv_{'ab'[c - 1]}", (3, 3, wide, widths[n]))
    yield from _slim("unet/logits", "head", (1, 1, 64, 2))


def dcgan() -> Iterator[Row]:
    """carpedm20's DCGAN names: generator and discriminator, to two Keras models of one checkpoint."""
    widths = (512, 256, 128, 64, 3)
    yield _row("generator/g_h0_lin/Matrix", (100, 8192), "generator/project/kernel")
    yield _row("generator/g_h0_lin/bias", (8192,), "generator/project/bias")
    for n in range(1, 5):
        yield _row(f"generator/g_h{n}/w", (5, 5, widths[n], widths[n - 1]), f"generator/up_{n}/kernel")
        yield _row(f"generator/g_h{n}/biases", (widths[n],), f"generator/up_{n}/bias")
        if n < 4:
            yield from _norm(f"generator/g_bn{n}", f"generator/bn_{n}", widths[n], moving=True)
    back = (3, 64, 128, 256, 512)
    for n in range(4):
        yield _row(f"discriminator/d_h{n}_conv/w", (5, 5, back[n], back[n + 1]), f"discriminator/down_{n}/kernel")
        yield _row(f"discriminator/d_h{n}_conv/biases", (back[n + 1],), f"discriminator/down_{n}/bias")
        if n:
            yield from _norm(f"discriminator/d_bn{n}", f"discriminator/bn_{n}", back[n + 1], moving=True)
    yield _row("discriminator/d_h4_lin/Matrix", (8192, 1), "discriminator/score/kernel")
    yield _row("discriminator/d_h4_lin/bias", (1,), "discriminator/score/bias")


def mlp(depth: int) -> Iterator[Row]:
    """Raw variables ``W1``, ``b1`` to a tf.Module with a list of layers."""
    widths = [784, *[256] * (depth - 1), 10]
    for n in range(depth):
        yield (
            f"W{n + 1}",
            (widths[n], widths[n + 1]),
            f"layers/{n}/w",
            f"dense_{n}/w" if n else "dense/w",
            (widths[n], widths[n + 1]),
        )
        yield (f"b{n + 1}", (widths[n + 1],), f"layers/{n}/b", f"dense_{n}/b" if n else "dense/b", (widths[n + 1],))


def _row(old: str, shape: Shape, key: str, other: Shape | None = None) -> Row:
    return old, shape, key, key, other or shape


def _dense(old: str, new: str, wide: int, out: int) -> Iterator[Row]:
    yield _row(f"{old}/kernel", (wide, out), f"{new}/kernel")
    yield _row(f"{old}/bias", (out,), f"{new}/bias")


def _norm(old: str, new: str, width: int, *, moving: bool = False) -> Iterator[Row]:
    for leaf in ("beta", "gamma", *(("moving_mean", "moving_variance") if moving else ())):
        yield _row(f"{old}/{leaf}", (width,), f"{new}/{leaf}")


def _slim(old: str, new: str, shape: Shape, width: int = 0) -> Iterator[Row]:
    yield _row(f"{old}/weights", shape, f"{new}/kernel")
    yield _row(f"{old}/biases", (width or shape[-1],), f"{new}/bias")


if __name__ == "__main__":
    main()
