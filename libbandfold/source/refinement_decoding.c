/* Bands of a refinement, one after the other: docs/format.md#samples. */

#include "refinement_decoding.h"

#include "output.h"
#include "refinement_side.h"
#include "value_axis.h"

#include <string.h>

enum {
    PLANES = 11,
    FARTHEST = (1 << 24) - 1, /* planes are cut here before they are weighted */
    MEAN = 16,                /* magnitude of a sample that is as large as the mean of its band */
    ROW_ROOM = 6,             /* rows of scratch memory of the kernel, */
    MARGINS = 16,             /* and what each has beside its samples */
    OFFSET_UNIT = 1 << 14,    /* of offsets, in units of weighted sums */
    HALF = 1 << 17
};

/* What is known while bands of a strip are decoded. */
typedef struct {
    bfl_workspace *workspace;
    bfl_refinement_reader *reader;
    const bfl_error_bound *bound;
    bf_refinement_references references;
    bf_refinement_past past;
    bfl_axis relative;       /* where the limit is a share */
    int64_t bands, pixels, lowest, highest;
    int32_t *values;         /* [bands][pixels]: the base, and what it becomes */
    uint8_t *gone;           /* [own bands][pixels]: samples that are not coded; null: none */
    int64_t own_bands;       /* bands of the mask, which words share */
    int32_t *steps, *predicted;
} refinement;

static int32_t *difference_plane(const refinement *state, int64_t band)
{
    return state->references.planes + band % BFL_MOST_BEFORE * state->pixels;
}

static int64_t base_slot(int64_t band)
{
    return BFL_MOST_BEFORE + band % BFL_AROUND;
}

/* Take in the bases that a band needs and that before it did not. */
static void enter(refinement *state, int64_t band)
{
    for (int64_t one = band ? band + 1 : 0; one <= band + 1 && one < state->bands; one++) {
        int32_t *plane = state->references.planes + base_slot(one) * state->pixels;
        const int32_t *base = state->values + one * state->pixels;
        for (int64_t p = 0; p < state->pixels; p++)
            plane[p] = base[p] < -FARTHEST ? -FARTHEST : base[p] > FARTHEST ? FARTHEST : base[p];
    }
    memcpy(state->references.base, state->values + band * state->pixels,
           (size_t)state->pixels * sizeof *state->references.base);
}

/* Say how a band is predicted. */
static void weigh(refinement *state, int64_t band, const bfl_band_side *side)
{
    bf_refinement_references *references = &state->references;
    references->count = 0;
    for (int64_t n = 0; n < side->count; n++) {
        references->slots[references->count] = (band - 1 - n) % BFL_MOST_BEFORE;
        references->weights[references->count++] = side->weights[n];
    }
    for (int64_t n = 0; side->bent && n < BFL_AROUND; n++) {
        const int64_t other = band - 1 + n;
        if (other >= 0 && other < state->bands) {
            references->slots[references->count] = base_slot(other);
            references->weights[references->count++] = side->around[n];
        }
    }
    references->constant = side->offset * OFFSET_UNIT + HALF;
}

/* Refuse steps that lead from no sample to another. */
static bandfold_status check_steps(const refinement *state, int64_t most)
{
    int over = 0;
    for (int64_t p = 0; p < state->pixels; p++)
        over |= state->steps[p] > most || state->steps[p] < -most;
    return over ? bfl_fail(state->workspace, BANDFOLD_CORRUPT,
                           "a refinement leads out of the range of samples: it is corrupt")
                : BANDFOLD_OK;
}

/* From cell to cell of an axis. */
static bandfold_status step_on_axis(refinement *state, int64_t band, const bfl_axis *axis)
{
    const int64_t limits[2] = {state->lowest, state->highest};
    int32_t *refined = state->values + band * state->pixels, *difference = difference_plane(state, band);
    BFL_TRY(check_steps(state, axis->count - 1));
    bf_refinement_predict(&state->references, limits, state->pixels, state->predicted);
    for (int64_t p = 0; p < state->pixels; p++) {
        const int64_t cell = bfl_cell_of(axis, state->predicted[p]) + state->steps[p];
        refined[p] = axis->centres[cell < 0 ? 0 : cell < axis->count ? cell : axis->count - 1];
        const int64_t lacked = (int64_t)refined[p] - state->references.base[p];
        difference[p] = (int32_t)(lacked < -FARTHEST ? -FARTHEST : lacked > FARTHEST ? FARTHEST : lacked);
    }
    return BANDFOLD_OK;
}

static bandfold_status reconstruct(refinement *state, int64_t band, const bfl_band_side *side)
{
    if (side->values) {
        const bfl_block *mark = bfl_mark(state->workspace, BFL_SCRATCH);
        bfl_axis axis;
        BFL_TRY(bfl_used_axis(state->workspace, side->values, side->value_count, state->lowest, state->highest, &axis));
        BFL_TRY(step_on_axis(state, band, &axis));
        bfl_release(state->workspace, BFL_SCRATCH, mark);
        return BANDFOLD_OK;
    }
    if (state->bound->kind == BFL_RELATIVE)
        return step_on_axis(state, band, &state->relative);
    const int64_t limit = state->bound->limits[band], step = 2 * limit + 1;
    const int64_t most = (state->highest - state->lowest + limit) / step;
    if (most < INT32_MAX)
        BFL_TRY(check_steps(state, most));
    const int64_t limits[3] = {limit, state->lowest, state->highest};
    bf_refinement_decode(&state->references, state->steps, state->pixels, limits, state->values + band * state->pixels,
                         difference_plane(state, band));
    return BANDFOLD_OK;
}

static bandfold_status read_band(refinement *state, int64_t band, int32_t scale)
{
    bfl_refinement_reader *reader = state->reader;
    const uint8_t *gone = state->gone ? state->gone + band % state->own_bands * state->pixels : NULL;
    reader->kernel.states = reader->states;
    BFL_TRY(bfl_refinement_failure(reader, bf_refinement_read_band(&reader->kernel, &state->past, scale, gone,
                                                                   state->past.lines, state->past.samples,
                                                                   state->steps)));
    state->past.current = 1 - state->past.current;
    return BANDFOLD_OK;
}

static bandfold_status prepare(refinement *state, uint32_t lines, uint32_t samples)
{
    const uint64_t pixels = (uint64_t)state->pixels;
    bf_refinement_references *references = &state->references;
    bf_refinement_past *past = &state->past;
    references->pixels = state->pixels;
    BFL_TAKE(references->base, state->workspace, BFL_SCRATCH, pixels);
    BFL_TAKE(references->planes, state->workspace, BFL_SCRATCH, bfl_product(PLANES, pixels));
    BFL_TAKE(references->slots, state->workspace, BFL_SCRATCH, PLANES);
    BFL_TAKE(references->weights, state->workspace, BFL_SCRATCH, PLANES);
    BFL_TAKE(past->planes, state->workspace, BFL_SCRATCH, bfl_product(2, pixels));
    BFL_TAKE(past->averages, state->workspace, BFL_SCRATCH, pixels);
    BFL_TAKE(past->scratch, state->workspace, BFL_SCRATCH, bfl_product(ROW_ROOM, (uint64_t)samples + MARGINS));
    BFL_TAKE(state->steps, state->workspace, BFL_SCRATCH, pixels);
    BFL_TAKE(state->predicted, state->workspace, BFL_SCRATCH, pixels);
    past->lines = (int32_t)lines;
    past->samples = (int32_t)samples;
    memset(past->planes, MEAN, (size_t)(2 * pixels));
    for (int64_t p = 0; p < state->pixels; p++)
        past->averages[p] = MEAN << 4;
    if (state->bound->kind == BFL_RELATIVE)
        BFL_TRY(bfl_relative_axis(state->workspace, state->bound->share, state->bound->least, state->lowest,
                                  state->highest, &state->relative));
    return BANDFOLD_OK;
}

static bandfold_status refine_bands(refinement *state, uint32_t lines, uint32_t samples)
{
    bfl_band_side *sides;
    BFL_TRY(bfl_read_sides(state->reader, (uint64_t)state->bands, (uint64_t)state->pixels, state->lowest,
                           state->highest, &sides));
    bfl_align_refinement(state->reader);
    BFL_TRY(prepare(state, lines, samples));
    for (int64_t band = 0; band < state->bands; band++) {
        enter(state, band);
        weigh(state, band, &sides[band]);
        if (sides[band].scale >= 0)
            BFL_TRY(read_band(state, band, sides[band].scale));
        else
            memset(state->steps, 0, (size_t)state->pixels * sizeof *state->steps);
        BFL_TRY(reconstruct(state, band, &sides[band]));
    }
    return bfl_finish_refinement(state->reader);
}

/* Samples that are not coded: absent ones, and those that are kept exactly. */
static void mark_gone(void *context, uint64_t band, uint64_t pixel, uint64_t bits)
{
    refinement *state = context;
    (void)bits;
    state->gone[band * (uint64_t)state->pixels + pixel] = 1;
}

static bandfold_status find_gone(refinement *state, const bfl_levels *levels)
{
    uint8_t *gone;
    state->gone = levels->absent;
    if (!levels->exact.runs)
        return BANDFOLD_OK;
    const uint64_t size = bfl_product((uint64_t)state->own_bands, (uint64_t)state->pixels);
    BFL_TAKE(gone, state->workspace, BFL_SCRATCH, size);
    if (levels->absent)
        memcpy(gone, levels->absent, (size_t)size);
    state->gone = gone;
    bfl_for_exact_samples(&levels->exact, (uint64_t)state->own_bands, (uint64_t)state->pixels, mark_gone, state);
    return BANDFOLD_OK;
}

/* Ordered integers of the samples that counts stand for, in place of the counts. */
static bandfold_status order_counts(refinement *state, const bfl_header *header, uint32_t doublings)
{
    const int64_t words = state->bound->kind == BFL_TWO_WORDS ? 2 : 1, bands = state->bands, pixels = state->pixels;
    const int32_t *counts = state->values;
    if (!header->scaled || (words == 2 && header->type != BANDFOLD_FLOAT64))
        return bfl_fail(state->workspace, BANDFOLD_CORRUPT, "a refinement has more words than samples: it is corrupt");
    BFL_TAKE(state->values, state->workspace, BFL_SCRATCH,
             bfl_product((uint64_t)(words * bands), (uint64_t)pixels));
    for (int64_t band = 0; band < bands; band++) {
        const double scale = bfl_band_scale(header, (uint32_t)band, doublings), offset = header->own_offsets[band];
        for (int64_t p = band * pixels; p < (band + 1) * pixels; p++)
            bfl_order_count(header, scale, offset, counts[p], state->values + p,
                            words == 2 ? state->values + bands * pixels + p : NULL);
    }
    state->bands = words * bands;
    state->lowest = INT32_MIN;
    state->highest = INT32_MAX;
    return BANDFOLD_OK;
}

bandfold_status bfl_refine(bfl_workspace *workspace, const bfl_refinement_source *source, int32_t *counts,
                           bfl_refined *refined)
{
    const bfl_header *header = source->header;
    const bfl_levels *levels = source->levels;
    bfl_refinement_reader reader;
    bfl_error_bound bound;
    refinement state = {.workspace = workspace, .reader = &reader, .bound = &bound, .bands = header->bands,
                        .own_bands = header->bands, .pixels = (int64_t)levels->lines * header->samples,
                        .lowest = header->lowest, .highest = header->highest, .values = counts};
    BFL_TRY(bfl_open_refinement(workspace, source->tables, source->residual, source->size, &reader));
    /* Of words there may be twice as many limits, which are all 0. */
    BFL_TRY(bfl_read_bound(&reader, header->bands, &bound));
    const int ordered = bound.kind >= BFL_ONE_WORD;
    BFL_TRY(find_gone(&state, levels));
    if (ordered) {
        BFL_TAKE(bound.limits, workspace, BFL_SCRATCH, 2 * (uint64_t)header->bands);
        BFL_TRY(order_counts(&state, header, source->doublings));
    }
    BFL_TRY(refine_bands(&state, levels->lines, header->samples));
    refined->bands = header->bands;
    refined->words = ordered ? state.bands / header->bands : 0;
    refined->values = state.values;
    return BANDFOLD_OK;
}
