"""Files that lie in memory: what a parser under fuzzing reads."""

from __future__ import annotations

from collections.abc import Mapping


class MemoryFiles:
    """Files by their path, all of one folder with the empty name; see ``ckptmap.checkpoint.files.Files``."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self.contents = contents

    def size(self, path: str) -> int | None:
        return len(self.contents[path]) if path in self.contents else None

    def is_folder(self, path: str) -> bool:
        return path == ""

    def names(self, folder: str) -> list[str]:
        return sorted(self.contents) if folder == "" else []

    def modified(self, path: str) -> float:
        del path
        return 0.0

    def read(self, path: str, offset: int, length: int) -> bytes:
        return self.contents[path][offset : offset + length]

    def join(self, folder: str, name: str) -> str:
        return f"{folder}/{name}" if folder else name

    def split(self, path: str) -> tuple[str, str]:
        folder, _, name = path.rpartition("/")
        return folder, name

    def close(self) -> None:
        pass
