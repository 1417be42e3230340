from ckptmap.basics.escapes import printable
from ckptmap.basics.text import byte_count, classes_text, parameter_count, plural


def test_control_characters_are_escaped() -> None:
    assert printable("a\x1b[31mb\u202ec\n") == "a\\x1b[31mb\\u202ec\\n"
    assert printable("bad\udcff") == "bad\\udcff"
    assert printable("naïve/Größe") == "naïve/Größe"


def test_byte_counts() -> None:
    assert [byte_count(n) for n in (0, 999, 1000, 67_432_101, 10**16)] == [
        "0 bytes", "999 bytes", "1.0 kB", "67.4 MB", "10.0 PB",
    ]  # fmt: skip


def test_plurals() -> None:
    assert (plural(1, "variable"), plural(1500, "variable")) == ("1 variable", "1,500 variables")


def test_parameter_counts() -> None:
    assert [parameter_count(n) for n in (12, 4500, 4_475_000)] == ["12", "4.5 k", "4.5 M"]


def test_classes_are_told_by_their_first_names() -> None:
    many = [f"c{at}" for at in range(7)]
    assert classes_text({"carried": ["cat", "dog"], "new": ["owl"], "dropped": []}) == (
        "2 of 3 carried over: cat, dog; new: owl"
    )
    assert classes_text({"carried": [], "new": ["owl"], "dropped": many}) == (
        "0 of 1 carried over; new: owl; dropped: c0, c1, c2, c3, c4, … (2 more)"
    )
