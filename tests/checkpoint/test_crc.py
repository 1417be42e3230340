from __future__ import annotations

import pytest

from ckptmap.checkpoint.crc import crc32c, mask, unmask


@pytest.mark.parametrize(
    ("data", "crc"),
    [  # RFC 3720, B.4
        (b"", 0),
        (b"123456789", 0xE3069283),
        (b"\x00" * 32, 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_known_checksums(data: bytes, crc: int) -> None:
    assert crc32c(data) == crc


def test_continues_from_an_earlier_checksum() -> None:
    assert crc32c(memoryview(b"6789"), crc32c(b"12345")) == 0xE3069283


@pytest.mark.parametrize(("crc", "stored"), [(0, 0xA282EAD8), (0x7FFF, 0xA280EAD8), (0xE3069283, 0xC78AB0E5)])
def test_mask_and_unmask(crc: int, stored: int) -> None:
    assert mask(crc) == stored
    assert unmask(stored) == crc
