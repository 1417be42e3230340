from ckptmap.report.text import byte_count, parameter_count, plural, printable


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
