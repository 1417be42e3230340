"""The code blocks of README.md and docs/, and what a comment before a block says of running it.

``<!-- not run: why -->``: never; ``<!-- matrix: why -->``: under the marker ``matrix``, since it needs TensorFlow;
``<!-- exit 1: why -->``: with this exit code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))
SHELLS = ("sh", "", "console")
_BLOCK = re.compile(
    r"(?P<comments>(?:^<!--[^\n]*-->\n)*)^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE
)
_COMMENT = re.compile(r"<!-- (not run|matrix|exit \d): (.+?) -->")


@dataclass(frozen=True)
class Block:
    """One code block: where it stands, and how it is to be run."""

    document: str
    line: int
    language: str
    text: str
    marks: dict[str, str]

    @property
    def place(self) -> str:
        return f"{self.document}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The commands of a shell block: without prompts, joined where a line goes on, without output."""
        lines = self.text.replace("\\\n", " ").splitlines()
        if any(line.startswith("$ ") for line in lines):
            return [line[2:] for line in lines if line.startswith("$ ")]
        return [line for line in lines if line.strip() and not line.startswith("#")]

    @property
    def is_shell(self) -> bool:
        """It has commands; a block without a language counts where a command of ckptmap begins a line of it."""
        if self.language == "sh":
            return True
        return (
            self.language in SHELLS and re.search(r"^(\$ )?(ckptmap|python|pip) ", self.text, re.MULTILINE) is not None
        )

    @property
    def exit_code(self) -> int:
        return next((int(mark[5:]) for mark in self.marks if mark.startswith("exit ")), 0)


def blocks(document: str) -> list[Block]:
    """All code blocks of a document, in their order."""
    text = (ROOT / document).read_text("utf-8")
    return [
        Block(
            document,
            text[: found.start("language")].count("\n") + 1,
            found["language"],
            found["text"],
            dict(_COMMENT.findall(found["comments"])),
        )
        for found in _BLOCK.finditer(text)
    ]
