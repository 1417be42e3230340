"""What a checkpoint's index states of a value: enough to tell equal ones without reading them."""

from __future__ import annotations

from ckptmap.checkpoint.inventory import Variable

Fingerprint = tuple[tuple[tuple[int, ...], tuple[int, ...], int, int], ...]


def fingerprint(variable: Variable) -> Fingerprint | None:
    """The stored checksums of a variable's bytes, of each part where it is cut; None where nothing states them."""
    if not variable.slices:
        span = variable.span
        return None if span is None or span.crc32c is None else (((), variable.shape, span.size, span.crc32c),)
    spans = [(part.starts, part.lengths, part.span) for part in variable.slices]
    stated = [(starts, lengths, span.size, span.crc32c) for starts, lengths, span in spans if span is not None]
    known = [(starts, lengths, size, crc) for starts, lengths, size, crc in stated if crc is not None]
    return tuple(sorted(known)) if len(known) == len(spans) else None
