"""The picture of differences along the depth of a network."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from ckptmap.report.depth import Depth, depth_picture

_SVG = "{http://www.w3.org/2000/svg}"


def bars(text: str) -> list[tuple[str, float]]:
    root = ET.fromstring(text)  # noqa: S314  # our own
    return [(one.attrib["class"], float(one.attrib["width"])) for one in root.findall(f"{_SVG}g/{_SVG}rect")]


def test_bars_grow_with_the_power_of_ten() -> None:
    found = bars(depth_picture([Depth("a", 0.0), Depth("b", 1e-7), Depth("c", 1e-3), Depth("d", 1e-1)], 1e-5))
    assert [kind for kind, _ in found] == ["ok", "ok", "failure", "failure"]
    widths = [width for _, width in found]
    assert widths[0] == 2.0
    assert widths[2] - widths[1] == pytest.approx(2 * (widths[3] - widths[2]), abs=0.2)


def test_the_first_layer_that_differs_stands_out() -> None:
    text = depth_picture([Depth("stem", 0.0), Depth("unit1/conv", 0.2), Depth("unit2/conv", 0.3)], 1e-5)
    assert re.findall(r'class="first">([^<]*)<', text) == ["unit1/conv"]


def test_another_shape_fills_the_row_and_the_unknown_is_empty() -> None:
    found = bars(depth_picture([Depth("a", float("inf")), Depth("b", 10.0), Depth("c", None)], 1e-5))
    assert found[0] == found[1]
    assert found[2][1] == 0.0


def test_it_is_as_wide_as_a_phone_however_deep_the_network() -> None:
    layers = [Depth(f"layer{at}", 1e-1 if at >= 700 else 0.0) for at in range(1000)]
    text = depth_picture(layers, 1e-5)
    root = ET.fromstring(text)  # noqa: S314
    assert root.attrib["viewBox"].startswith("0 0 360 ")
    assert len(bars(text)) <= 64
    assert re.findall(r'class="first">([^<]*)<', text) == ["layer700"]


def test_names_are_text_and_long_ones_are_cut() -> None:
    text = depth_picture([Depth("<script>alert(1)</script>", 1.0), Depth("scope/" * 20 + "end", 1.0)], 1e-5)
    root = ET.fromstring(text)  # noqa: S314
    labels = [one.text or "" for one in root.findall(f"{_SVG}g/{_SVG}text")]
    assert labels[0] == "…t>alert(1)</script>"
    assert "<script" not in text
    assert len(labels[1]) == 20
    assert labels[1].endswith("end")
