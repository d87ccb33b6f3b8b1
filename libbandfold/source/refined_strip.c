/* A strip within its limits: its exact base, and its refinement. */

#include "strip.h"

#include "budget.h"
#include "exact_base.h"
#include "refinement_decoding.h"

#include <string.h>

enum { IDENTITY = 4 }; /* bytes that name the tables of a refinement */

/* Counts of all bands in integers, [bands][pixels]. */
static bandfold_status exact_counts(bfl_strip *strip, int32_t **counts)
{
    bandfold_decoder *decoder = strip->decoder;
    bfl_workspace *workspace = &decoder->workspace;
    const bfl_header *header = &decoder->header;
    const bfl_levels *levels = &strip->levels;
    const uint64_t pixels = (uint64_t)levels->lines * header->samples;
    const int64_t width = 8 * levels->columns;
    int32_t *planes;
    if (!decoder->model.engines)
        return bfl_exact_counts(workspace, &strip->source, &decoder->cosine, levels, strip->step_code, counts);
    BFL_TAKE(*counts, workspace, BFL_SCRATCH, bfl_product(header->bands, pixels));
    BFL_TRY(bfl_reconstruct_bands(workspace, &strip->source, &decoder->model, levels, strip->step_code, &planes));
    for (uint32_t band = 0; band < header->bands; band++)
        for (uint64_t p = 0; p < pixels; p++) {
            const int64_t line = band * 8 * levels->rows + (int64_t)(p / header->samples);
            const int32_t count = (planes[line * width + (int64_t)(p % header->samples)] + 8) >> 4;
            (*counts)[band * pixels + p] = count < header->lowest ? header->lowest
                                           : count > header->highest ? header->highest : count;
        }
    return BANDFOLD_OK;
}

/* Write a strip whose errors are bounded. */
static void write_refined(const bfl_strip *strip, const bfl_refined *refined)
{
    const bfl_output *output = strip->output.output;
    const uint32_t samples = strip->decoder->header.samples;
    const uint64_t pixels = (uint64_t)strip->levels.lines * samples;
    uint32_t first, end;
    bfl_wanted_lines(&strip->output, &first, &end);
    for (uint32_t band = output->first_band; band < output->first_band + output->bands; band++)
        for (uint32_t line = first; line < end; line++) {
            const int32_t *row = refined->values + band * pixels + (uint64_t)line * samples;
            const int32_t *low = refined->words == 2 ? row + (uint64_t)refined->bands * pixels : NULL;
            if (refined->words)
                bfl_write_ordered(&strip->output, band, line, row, low);
            else
                bfl_write_counts(&strip->output, band, line, row);
        }
}

bandfold_status bfl_refine_strip(bfl_strip *strip)
{
    bandfold_decoder *decoder = strip->decoder;
    bfl_workspace *workspace = &decoder->workspace;
    const bfl_header *header = &decoder->header;
    uint64_t size;
    int other;
    int32_t *counts;
    bfl_refined refined;
    const uint8_t *found =
        bfl_find_refinement(&decoder->index, strip->segment.place.index, strip->intact, &size, &other);
    if (found == NULL)
        return bfl_fail(workspace, BANDFOLD_CORRUPT,
                        other ? "the refinement belongs to another segment: no error limit holds"
                              : "the refinement is missing or its checksum is wrong: no error limit holds");
    if (memcmp(found, bfl_refinement_tables_data.identity, sizeof bfl_refinement_tables_data.identity) != 0)
        return bfl_fail(workspace, BANDFOLD_CORRUPT,
                        "the refinement needs tables that are not built in: no error limit holds");
    BFL_TRY(bfl_charge(workspace, bfl_product(bfl_product(header->bands, strip->levels.lines), header->samples)));
    BFL_TRY(exact_counts(strip, &counts));
    const bfl_refinement_source source = {.tables = &decoder->refinement_tables, .header = header,
                                          .levels = &strip->levels, .doublings = strip->output.doublings,
                                          .residual = found + IDENTITY, .size = size - IDENTITY};
    BFL_TRY(bfl_refine(workspace, &source, counts, &refined));
    write_refined(strip, &refined);
    return BANDFOLD_OK;
}
