"""What a compiler for AArch64 writes, as basic blocks of instructions; and with a counter in each block."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_LABEL = re.compile(r"(\.L\d+|[A-Za-z_][\w.]*):$")
_INSTRUCTION = re.compile(r"\t([a-z][\w.]*)(?:\t(.*))?$")
_PLACE = re.compile(r"\t\.loc (\d+) (\d+)")
_FILE = re.compile(r'\t\.file (\d+) (?:"[^"]*" )?"([^"]*)"')
_SECTION = re.compile(r"\t(?:\.section\t(\S+?)(?:,.*)?|\.(text|data|bss))$")
_BRANCH = re.compile(r"b(?:\.\w+|[a-z]{2})?|br|ret|cbn?z|tbn?z")
_TARGET = re.compile(r"\.L\d+$")
_VECTOR = re.compile(r"\bv\d+\.|\bq\d+\b")

_COUNTER_BYTES = 8

# Nothing lies below the stack pointer on AArch64, and flags stay as they are.
_COUNT = """\
\tstp\tx16, x17, [sp, -16]!
\tadrp\tx16, {place}
\tldr\tx17, [x16, #:lo12:{place}]
\tadd\tx17, x17, 1
\tstr\tx17, [x16, #:lo12:{place}]
\tldp\tx16, x17, [sp], 16
"""


@dataclass(frozen=True)
class Instruction:
    """An instruction.

    Parameters
    ----------
    mnemonic, operands : str
        As the compiler writes them.
    line : str
        File and line that it was compiled from, ``rans.c:129``; empty where the compiler does not tell.
    """

    mnemonic: str
    operands: str
    line: str

    @property
    def vector(self) -> bool:
        """Whether it works on a whole register of NEON: several numbers at once, or 16 bytes of memory."""
        return _VECTOR.search(self.operands) is not None

    @property
    def branches(self) -> bool:
        """Whether another instruction than the next one may follow; calls come back and do not count."""
        return _BRANCH.fullmatch(self.mnemonic) is not None


@dataclass(frozen=True)
class Block:
    """Instructions that run one after the other, or not at all.

    Parameters
    ----------
    function : str
        Whose code it is; what is inlined is of the function that it is inlined into.
    labels : tuple of str
        At its beginning.
    instructions : tuple of Instruction
        At least one.
    """

    function: str
    labels: tuple[str, ...]
    instructions: tuple[Instruction, ...]

    @property
    def goes_on(self) -> bool:
        """Whether the block behind it may follow."""
        return self.instructions[-1].mnemonic not in ("b", "br", "ret")

    @property
    def target(self) -> str | None:
        """Label that its last instruction may branch to; None if that is no branch, or one to a register."""
        last = self.instructions[-1]
        found = _TARGET.search(last.operands) if last.branches else None
        return None if found is None else found[0]


def count_blocks(text: Iterable[str], counters: str) -> tuple[str, list[Block]]:
    """Find the basic blocks of an assembler file, and let each count how often it runs.

    Parameters
    ----------
    text : iterable of str
        Lines of the file, compiled without jump tables.
    counters : str
        Name of an array of 64-bit integers that is added to it, one for each block.

    Returns
    -------
    counted : str
        The file with the counters.
    blocks : list of Block
        In the order of the counters.
    """
    written: list[str] = []
    blocks: list[Block] = []
    files: dict[str, str] = {}
    function, place, code = "", "", True
    labels: list[str] = []
    part: list[Instruction] = []

    def close() -> None:
        if part:
            blocks.append(Block(function, tuple(labels), tuple(part)))
            labels.clear()
            part.clear()

    for raw in text:
        line = raw.rstrip("\n")
        if (label := _LABEL.match(line)) is not None and code:
            close()
            if not label[1].startswith("."):
                function, place = label[1], ""
            labels.append(label[1])
        elif (told := _PLACE.match(line)) is not None:
            place = f"{files.get(told[1], '')}:{told[2]}"
        elif (named := _FILE.match(line)) is not None:
            files[named[1]] = Path(named[2]).name
        elif (section := _SECTION.match(line)) is not None:
            close()
            code = (section[1] or "." + section[2]).startswith(".text")
        elif code and (one := _INSTRUCTION.match(line)) is not None:
            if not part:
                offset = _COUNTER_BYTES * len(blocks)
                written.append(_COUNT.format(place=f".Lcounters+{offset}").rstrip("\n"))
            part.append(Instruction(one[1], one[2] or "", place))
            if part[-1].branches:
                written.append(line)
                close()
                continue
        written.append(line)
    close()
    written.append(
        f"\t.bss\n\t.p2align 3\n\t.global {counters}\n\t.type {counters}, %object\n"
        f"\t.size {counters}, {_COUNTER_BYTES * len(blocks)}\n{counters}:\n.Lcounters:\n"
        f"\t.zero {_COUNTER_BYTES * len(blocks)}\n"
    )
    return "\n".join(written), blocks
