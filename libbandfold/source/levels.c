/* Entropy decoding of a segment, chunk by chunk: docs/format.md#chunks. */

#include "levels.h"

#include "block_choices.h"
#include "budget.h"

#include "rans.h"

enum { DIAGONALS = BF_DIAGONALS, EXTENT_MEAN = 256 };

/* What is read from chunk to chunk. */
typedef struct {
    const bfl_levels_source *source;
    bfl_levels *levels;
    bf_latents strip;
    int64_t extent; /* of the last component */
} levels_reader;

static bandfold_status read_sides(levels_reader *reader, bfl_payload *payload, const bfl_place *place)
{
    const bfl_header *header = reader->source->header;
    bfl_levels *levels = reader->levels;
    if (header->has_no_data)
        BFL_TRY(bfl_read_mask(payload, header, levels->lines, &levels->absent));
    if (place->exact)
        BFL_TRY(bfl_read_exact_samples(payload, header, levels->lines, &levels->exact));
    if (reader->source->rotations)
        BFL_TRY(bfl_read_rotation_map(payload, levels->rows, levels->columns, reader->source->rotations->count,
                                      &levels->chosen));
    if (header->regional)
        BFL_TRY(bfl_read_block_weights(payload, levels->rows, levels->columns, &levels->block_codes));
    if (levels->ordered)
        BFL_TRY(bfl_read_predictions(payload, levels->components, levels->ordered));
    return BANDFOLD_OK;
}

static bandfold_status read_components(levels_reader *reader, bfl_payload *payload, uint64_t components)
{
    const bfl_header *header = reader->source->header;
    const bfl_mode *mode = &reader->source->tables->modes[header->spectral ? BFL_FOLDED : BFL_BANDED];
    int64_t *extents;
    uint64_t diagonals = 0;
    if (components > (uint64_t)(reader->levels->components - reader->strip.done))
        return bfl_corrupt(payload, "a segment has more components than its fold: it is corrupt");
    BFL_TAKE(extents, payload->workspace, BFL_SCRATCH, components);
    BFL_TRY(bfl_read_signed(payload, components, EXTENT_MEAN, extents));
    for (uint64_t k = 0; k < components; k++) {
        reader->extent += extents[k];
        if (reader->extent < 0 || reader->extent > DIAGONALS)
            return bfl_corrupt(payload, "a component has more diagonals than there are: the segment is corrupt");
        extents[k] = reader->extent;
        diagonals += (uint64_t)reader->extent;
    }
    const uint64_t latents = bfl_product((uint64_t)reader->levels->positions * BF_CHANNELS, diagonals) / DIAGONALS;
    BFL_TRY(bfl_charge(payload->workspace, bfl_product(BFL_LATENT_WORK, latents)));
    switch (bf_read(&mode->network, &payload->reader, &payload->raw, &reader->strip, mode->first_table, extents,
                    (int32_t)components)) {
    case 0:
        return BANDFOLD_OK;
    case 1:
        return bfl_corrupt(payload, "raw bits end too early: the segment is corrupt");
    default:
        return bfl_corrupt(payload, "a latent is out of range: the segment is corrupt");
    }
}

static bandfold_status prepare(bfl_workspace *workspace, levels_reader *reader)
{
    const bfl_header *header = reader->source->header;
    bfl_levels *levels = reader->levels;
    levels->rows = ((int64_t)levels->lines + 7) / 8;
    levels->columns = ((int64_t)header->samples + 7) / 8;
    levels->positions = levels->rows * levels->columns;
    levels->components = reader->source->fold->components;
    const uint64_t planes = bfl_product(BF_CHANNELS * (uint64_t)levels->components, (uint64_t)levels->positions);
    BFL_TRY(bfl_charge(workspace, planes / BFL_ZERO_SHARE));
    BFL_TAKE(levels->quantised, workspace, BFL_SCRATCH, planes);
    BFL_TAKE(levels->classes, workspace, BFL_SCRATCH, planes);
    if (header->transform == BFL_PREDICTED)
        BFL_TRY(bfl_order_bands(workspace, reader->source->fold, levels->components, &levels->ordered));
    const bfl_mode *mode = &reader->source->tables->modes[header->spectral ? BFL_FOLDED : BFL_BANDED];
    reader->strip = (bf_latents){.quantised = levels->quantised, .classes = levels->classes,
                               .components = (int32_t)levels->components, .rows = (int32_t)levels->rows,
                               .columns = (int32_t)levels->columns, .state_count = mode->states};
    if (mode->dependent)
        BFL_TAKE(reader->strip.states, workspace, BFL_SCRATCH, BF_LONGEST * (uint64_t)levels->positions);
    BFL_TAKE(reader->strip.memory, workspace, BFL_SCRATCH,
             (uint64_t)bf_held_size((int32_t)levels->rows, (int32_t)levels->columns));
    return BANDFOLD_OK;
}

bandfold_status bfl_read_levels(bfl_workspace *workspace, const bfl_levels_source *source, const bfl_segment *segment,
                                bfl_levels *levels)
{
    const bfl_header *header = source->header;
    const bfl_place *place = &segment->place;
    levels_reader reader = {.source = source, .levels = levels, .extent = DIAGONALS};
    *levels = (bfl_levels){0};
    if (place->index >= bfl_strip_count(header))
        return bfl_fail(workspace, BANDFOLD_CORRUPT, "a segment has a number beyond the strips: it is corrupt");
    levels->lines = bfl_strip_height(header, place->index);
    if ((place->lines ? place->lines : header->strip_lines) != levels->lines)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, "a segment has not the lines of its strip: it is corrupt");
    BFL_TRY(prepare(workspace, &reader));
    for (uint64_t n = 0; n < segment->count; n++) {
        const bfl_chunk *chunk = &segment->chunks[n];
        bfl_payload payload;
        BFL_TRY(bfl_open_payload(workspace, source->tables, chunk->data, chunk->size, &payload));
        if (n == 0)
            BFL_TRY(read_sides(&reader, &payload, place));
        BFL_TRY(read_components(&reader, &payload, chunk->components));
        BFL_TRY(bfl_finish_payload(&payload));
    }
    return BANDFOLD_OK;
}
