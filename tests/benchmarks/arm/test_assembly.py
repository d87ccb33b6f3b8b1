"""Counting how often basic blocks of assembler run: in texts, and executed where that can be."""

import json
import shutil
import subprocess

import pytest

from bandfold.benchmarks.arm.assembly import count_blocks
from bandfold.benchmarks.arm.instruction_profile import Share, functions, innermost_loops

TEXT = """\
\t.arch armv8-a
\t.file 0 "/somewhere" "a.c"
\t.text
\t.type\tsum, %function
sum:
.LFB0:
\t.file 1 "a.c"
\t.loc 1 3 1
\tcbz\tw1, .L4
\tmov\tx2, 0
.L3:
\t.loc 1 5 7 is_stmt 1
\tldr\tq1, [x0, x2]
\tadd\tv0.4s, v0.4s, v1.4s
.LBB2:
\tadd\tx2, x2, 16
\tcmp\tx2, x1
\tbne\t.L3
\tbl\tother
\t.loc 1 7 1
\tadd\tw0, w0, 1
.L4:
\tret
\t.size\tsum, .-sum
\t.section\t.rodata
.LC0:
\t.word\t1
"""


def test_blocks_end_at_branches_and_begin_at_their_targets():
    text, blocks = count_blocks(TEXT.splitlines(), "counters")
    assert [[one.mnemonic for one in block.instructions] for block in blocks] == [
        ["cbz"],
        ["mov"],
        ["ldr", "add", "add", "cmp", "bne"],
        ["bl", "add"],
        ["ret"],
    ]
    assert [block.function for block in blocks] == ["sum"] * 5
    assert [block.target for block in blocks] == [".L4", None, ".L3", None, None]
    assert [one.vector for one in blocks[2].instructions] == [True, True, False, False, False]
    assert {one.line for one in blocks[2].instructions} == {"a.c:5"}
    # A counter for each block, and all that was there in its order.
    for place in range(5):
        assert text.count(f"x17, [x16, #:lo12:.Lcounters+{8 * place}]") == 2
    added = ("x16", "x17")
    kept = [line for line in text.splitlines() if not any(register in line for register in added)]
    assert kept[: len(TEXT.splitlines())] == TEXT.splitlines()


def test_functions_and_innermost_loops_are_added_up():
    _, blocks = count_blocks(TEXT.splitlines(), "counters")
    counted = list(zip(blocks, [2, 1, 10, 1, 2], strict=True))
    assert functions(counted) == [Share("sum", 2 + 1 + 50 + 2 + 2, 20)]
    assert innermost_loops(counted) == [Share("sum a.c:5", 50, 20)]
    assert functions([(block, 0) for block in blocks]) == []


NESTED = """\
\t.text
twice:
.L2:
\tmov\tx1, 0
.L3:
\tadd\tx1, x1, 1
\tcmp\tx1, 4
\tbne\t.L3
\tsubs\tx0, x0, 1
\tbne\t.L2
\tret
"""


def test_a_loop_around_another_is_not_innermost():
    _, blocks = count_blocks(NESTED.splitlines(), "counters")
    counted = list(zip(blocks, [3, 12, 3, 1], strict=True))
    assert [(one.executed, one.vector) for one in innermost_loops(counted)] == [(36, 0)]


PROGRAM = """\
#include <stdio.h>
#include <stdint.h>
int many(int n, const int *of) { int sum = 0; for (int i = 0; i < n; i++) sum += i * of[i]; return sum; }
extern uint64_t counters[];
int main(void)
{
    static const int of[8] = {1, 2, 3, 4, 5, 0, 0, 9};
    int found = many(8, of);
    printf("[%d", found);
    for (int n = 0; n < BLOCKS; n++)
        printf(", %d", (int)counters[n]);
    printf("]");
    return 0;
}
"""


@pytest.mark.skipif(
    not (shutil.which("aarch64-linux-gnu-gcc") and shutil.which("qemu-aarch64-static")),
    reason="needs apt install gcc-aarch64-linux-gnu qemu-user-static",
)
def test_counters_count_and_change_nothing(tmp_path):
    def compiled(*options):
        command = ["aarch64-linux-gnu-gcc", "-O1", "-fno-jump-tables", "-static", *map(str, options)]
        subprocess.run(command, check=True, cwd=tmp_path)

    lines = PROGRAM.splitlines()
    (tmp_path / "many.c").write_text("\n".join(lines[:3]))
    (tmp_path / "main.c").write_text("\n".join([*lines[:2], "int many(int, const int *);", *lines[3:]]))
    compiled("-S", "-g1", "many.c", "-o", "many.s")
    text, blocks = count_blocks((tmp_path / "many.s").read_text().splitlines(), "counters")
    (tmp_path / "many.s").write_text(text)
    compiled(f"-DBLOCKS={len(blocks)}", "main.c", "many.s", "-o", "program")
    told = subprocess.run(["qemu-aarch64-static", tmp_path / "program"], capture_output=True, check=True)
    found, *runs = json.loads(told.stdout)
    assert found == 2 + 2 * 3 + 3 * 4 + 4 * 5 + 7 * 9
    (loop,) = innermost_loops(zip(blocks, runs, strict=True))
    assert loop.name == "many many.c:3"
    around = max(runs)
    assert around == 8
    assert runs[0] == 1
    assert loop.executed == around * len(blocks[runs.index(around)].instructions)
