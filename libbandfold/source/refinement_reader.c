/* Words, raw bits and arrays of a refinement payload. */

#include "refinement_reader.h"

#include "budget.h"
#include "byte_reader.h"
#include "tables.h"

#include <string.h>

enum {
    CLASSES = 80,
    GUESS_BITS = 12,
    STATES = 4,
    PADDING = 8,       /* bytes behind raw bits that a kernel may look at */
    UNIT_SCALE = 96,   /* of a mean magnitude of 1 */
    TABLE_OCTAVES = 7, /* above so many octaves low bits are raw */
    USUAL = 151,       /* scale of the number that tells the scale of an array */
    FIRST_CLASS = 16   /* scale of the first class: two scales a class */
};

#define START ((uint64_t)1 << 32)

static const char *const TRUNCATED = "a refinement ends too early: it is corrupt";

bandfold_status bfl_make_refinement_tables(bfl_workspace *workspace, bfl_refinement_tables *tables)
{
    BFL_TAKE(tables->starts, workspace, BFL_LASTING, CLASSES * (BF_TOKENS + 1));
    BFL_TAKE(tables->guess, workspace, BFL_LASTING, (uint64_t)CLASSES << GUESS_BITS);
    bfl_accumulate(bfl_refinement_tables_data.frequencies, CLASSES, tables->starts);
    bfl_guess_tokens(tables->starts, CLASSES, GUESS_BITS, tables->guess);
    tables->kernel = (bf_refinement){.starts = tables->starts, .guess = tables->guess,
                                     .weights = bfl_refinement_tables_data.weights,
                                     .inverse = bfl_refinement_tables_data.inverse, .classes = CLASSES};
    return BANDFOLD_OK;
}

bandfold_status bfl_open_refinement(bfl_workspace *workspace, const bfl_refinement_tables *tables, const uint8_t *data,
                                    uint64_t size, bfl_refinement_reader *reader)
{
    const uint64_t count = size < 4 ? 0 : bfl_load_32(data);
    if (count < 2 * STATES || count > (size - 4) / 4)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, TRUNCATED);
    const uint64_t word_count = count - 2 * STATES, start = 4 + 4 * count, byte_count = size - start;
    uint32_t *words;
    uint8_t *bits;
    BFL_TAKE(words, workspace, BFL_SCRATCH, word_count + 1);
    BFL_TAKE(bits, workspace, BFL_SCRATCH, byte_count + PADDING);
    for (uint64_t n = 0; n < word_count; n++)
        words[n] = bfl_load_32(data + 4 + 8 * STATES + 4 * n);
    if (byte_count)
        memcpy(bits, data + start, (size_t)byte_count);
    *reader = (bfl_refinement_reader){.workspace = workspace};
    for (int n = 0; n < STATES; n++) {
        reader->states[n] = (uint64_t)bfl_load_32(data + 4 + 8 * n) << 32 | bfl_load_32(data + 8 + 8 * n);
        if (reader->states[n] < START)
            return bfl_fail(workspace, BANDFOLD_CORRUPT, "a refinement starts with an impossible state: it is corrupt");
    }
    reader->kernel = (bf_refinement_reader){.tables = &tables->kernel, .words = words,
                                            .word_count = (int64_t)word_count, .bits = bits,
                                            .byte_count = (int64_t)byte_count, .states = reader->states};
    return BANDFOLD_OK;
}

bandfold_status bfl_refinement_failure(bfl_refinement_reader *reader, int32_t failure)
{
    if (failure == 0)
        return BANDFOLD_OK;
    return bfl_fail(reader->workspace, BANDFOLD_CORRUPT,
                    failure == 1 ? TRUNCATED : "a refinement holds a number of more than 31 bits: it is corrupt");
}

/* Numbers of one scale. */
static bandfold_status read_numbers(bfl_refinement_reader *reader, int32_t scale, uint64_t count, int32_t *numbers)
{
    const int32_t octaves = (scale - UNIT_SCALE < 0 ? 0 : (scale - UNIT_SCALE) / 8) - TABLE_OCTAVES + 1;
    const int32_t raw = octaves > 0 ? octaves : 0, rest = scale - 8 * raw;
    const int32_t class = rest < FIRST_CLASS ? 0 : (rest - FIRST_CLASS) / 2;
    reader->kernel.states = reader->states;
    return bfl_refinement_failure(
        reader, bf_refinement_read_numbers(&reader->kernel, class < CLASSES ? class : CLASSES - 1, raw, (int64_t)count,
                                           numbers));
}

bandfold_status bfl_read_refinement_array(bfl_refinement_reader *reader, uint64_t count, int64_t *values)
{
    bfl_workspace *workspace = reader->workspace;
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    int32_t told, *numbers;
    BFL_TRY(bfl_charge(workspace, count));
    BFL_TRY(read_numbers(reader, USUAL, 1, &told));
    const int differences = told & 1;
    const int32_t scale = (told - differences) / 2;
    if (scale < 0 || scale > BFL_LARGEST_SCALE)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, "a refinement tells an impossible scale: it is corrupt");
    BFL_TAKE(numbers, workspace, BFL_SCRATCH, count);
    BFL_TRY(read_numbers(reader, scale, count, numbers));
    for (uint64_t n = 0; n < count; n++)
        values[n] = numbers[n] + (differences && n ? values[n - 1] : 0);
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

void bfl_align_refinement(bfl_refinement_reader *reader)
{
    reader->kernel.next_bit = (reader->kernel.next_bit + 7) / 8 * 8;
}

bandfold_status bfl_finish_refinement(bfl_refinement_reader *reader)
{
    const bf_refinement_reader *kernel = &reader->kernel;
    const int64_t left = 8 * kernel->byte_count - kernel->next_bit;
    int over = kernel->next_word != kernel->word_count || left >= 8 || left < 0;
    for (int n = 0; n < STATES; n++)
        over |= reader->states[n] != START;
    if (!over && left > 0)
        over = (kernel->bits[kernel->next_bit / 8] & (0xff >> kernel->next_bit % 8)) != 0;
    if (over)
        return bfl_fail(reader->workspace, BANDFOLD_CORRUPT, "a refinement does not end where it should");
    return BANDFOLD_OK;
}
