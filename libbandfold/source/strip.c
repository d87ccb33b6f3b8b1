/* One strip: from its segment to samples, or from the band means where the segment is damaged. */

#include "budget.h"
#include "decoder.h"
#include "exact_base.h"
#include "refinement_decoding.h"
#include "unfold.h"

#include <string.h>

enum { IDENTITY = 4 }; /* bytes that name the tables of a refinement */

/* A strip on its way. */
typedef struct {
    bandfold_decoder *decoder;
    bfl_strip_output output;
    bfl_segment segment;
    bfl_levels_source source;
    bfl_levels levels;
    uint64_t step_code;
    const bfl_entry *intact;  /* the segment; null where only chunks are left */
} strip_state;

/* Find the segment of a strip and take it apart. */
static bandfold_status find_segment(strip_state *strip, uint64_t number)
{
    bandfold_decoder *decoder = strip->decoder;
    bfl_workspace *workspace = &decoder->workspace;
    strip->intact = bfl_find_entry(&decoder->index.segments, number);
    const bfl_entry *entry = strip->intact ? strip->intact : bfl_find_entry(&decoder->index.remains, number);
    if (entry == NULL)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, "the segment is missing or its checksum is wrong");
    BFL_TRY(bfl_split_segment(workspace, entry->data, entry->size, strip->intact != NULL, &strip->segment));
    const bfl_place *place = &strip->segment.place;
    strip->step_code = place->step_code ? place->step_code : decoder->header.step_code;
    strip->output.doublings = place->doublings;
    if (!bfl_scales_are_finite(&decoder->header, place->doublings))
        return bfl_fail(workspace, BANDFOLD_CORRUPT, "counts of a strip are worth more than any number: it is corrupt");
    return BANDFOLD_OK;
}

/* Folds, rotations and entropy decoding. */
static bandfold_status read_strip(strip_state *strip)
{
    bandfold_decoder *decoder = strip->decoder;
    bfl_workspace *workspace = &decoder->workspace;
    const bfl_place *place = &strip->segment.place;
    strip->source = (bfl_levels_source){.header = &decoder->header, .tables = &decoder->tables};
    BFL_TRY(bfl_find_fold(workspace, &decoder->transforms, place->fold, &strip->source.fold));
    if (place->rotated)
        BFL_TRY(bfl_find_rotations(workspace, &decoder->transforms, place->rotation, strip->source.fold->components,
                                   &strip->source.rotations));
    BFL_TRY(bfl_read_levels(workspace, &strip->source, &strip->segment, &strip->levels));
    strip->output.absent = strip->levels.absent;
    return BANDFOLD_OK;
}

/* Counts of all bands in integers, [bands][pixels]. */
static bandfold_status exact_counts(strip_state *strip, int32_t **counts)
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
static void write_refined(const strip_state *strip, const bfl_refined *refined)
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

/* The strip within its limits. Where that fails as corrupt, the base is decoded in its place. */
static bandfold_status refine(strip_state *strip)
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

/* Write a strip all lines of which are the means of the bands. */
static bandfold_status write_means(const strip_state *strip, const bfl_fold *fold)
{
    const bfl_header *header = &strip->decoder->header;
    const bfl_output *output = strip->output.output;
    double *row;
    int32_t *counts;
    uint32_t first, end;
    BFL_TAKE(row, &strip->decoder->workspace, BFL_SCRATCH, header->samples);
    BFL_TAKE(counts, &strip->decoder->workspace, BFL_SCRATCH, header->samples);
    bfl_wanted_lines(&strip->output, &first, &end);
    for (uint32_t band = output->first_band; band < output->first_band + output->bands; band++) {
        for (uint32_t x = 0; x < header->samples; x++)
            row[x] = (double)fold->means[band] / 64.0;
        bfl_round_counts(header, row, counts);
        for (uint32_t line = first; line < end; line++)
            bfl_write_counts(&strip->output, band, line, counts);
    }
    return BANDFOLD_OK;
}

static bandfold_status write_predicted(strip_state *strip)
{
    bandfold_decoder *decoder = strip->decoder;
    bfl_workspace *workspace = &decoder->workspace;
    const bfl_header *header = &decoder->header;
    const bfl_levels *levels = &strip->levels;
    const bfl_output *output = strip->output.output;
    int32_t *planes, *counts;
    double *row;
    uint32_t first, end;
    BFL_TRY(bfl_reconstruct_bands(workspace, &strip->source, &decoder->model, levels, strip->step_code, &planes));
    BFL_TAKE(row, workspace, BFL_SCRATCH, header->samples);
    BFL_TAKE(counts, workspace, BFL_SCRATCH, header->samples);
    bfl_wanted_lines(&strip->output, &first, &end);
    for (uint32_t band = output->first_band; band < output->first_band + output->bands; band++)
        for (uint32_t line = first; line < end; line++) {
            const int32_t *from = planes + (band * 8 * levels->rows + line) * 8 * levels->columns;
            for (uint32_t x = 0; x < header->samples; x++)
                row[x] = from[x] / 16.0;
            bfl_round_counts(header, row, counts);
            bfl_write_counts(&strip->output, band, line, counts);
        }
    return BANDFOLD_OK;
}

static bandfold_status write_folded(strip_state *strip)
{
    bandfold_decoder *decoder = strip->decoder;
    bfl_workspace *workspace = &decoder->workspace;
    const bfl_header *header = &decoder->header;
    const bfl_output *output = strip->output.output;
    bfl_planes planes;
    bfl_unfolding unfolding;
    double *row;
    int32_t *counts;
    uint32_t first, end;
    if (bfl_is_flat(&strip->levels))
        return write_means(strip, strip->source.fold);
    BFL_TRY(bfl_real_planes(workspace, &strip->source, &decoder->cosine, &strip->levels,
                            (double)strip->step_code / 256.0, &planes));
    BFL_TRY(bfl_begin_unfolding(workspace, strip->source.fold, &planes, header->samples, &unfolding));
    BFL_TAKE(row, workspace, BFL_SCRATCH, header->samples);
    BFL_TAKE(counts, workspace, BFL_SCRATCH, header->samples);
    bfl_wanted_lines(&strip->output, &first, &end);
    for (uint32_t line = first; line < end; line++) {
        bfl_unfold_line(&unfolding, line);
        for (uint32_t band = output->first_band; band < output->first_band + output->bands; band++) {
            bfl_unfold_band(&unfolding, line, band, row);
            bfl_round_counts(header, row, counts);
            bfl_write_counts(&strip->output, band, line, counts);
        }
    }
    return BANDFOLD_OK;
}

/* The base of a strip: what it is without a refinement. */
static bandfold_status write_base(strip_state *strip)
{
    bandfold_decoder *decoder = strip->decoder;
    const bfl_output *output = strip->output.output;
    const uint64_t bands = decoder->model.engines ? decoder->header.bands : output->bands;
    BFL_TRY(bfl_charge(&decoder->workspace,
                       bfl_product(bfl_product(bands, strip->levels.lines), decoder->header.samples)));
    return decoder->model.engines ? write_predicted(strip) : write_folded(strip);
}

static bandfold_status decode(strip_state *strip, bandfold_strip_report *report)
{
    bandfold_decoder *decoder = strip->decoder;
    bfl_workspace *workspace = &decoder->workspace;
    BFL_TRY(find_segment(strip, strip->output.first_line / decoder->header.strip_lines));
    BFL_TRY(read_strip(strip));
    if (strip->segment.lost) {
        report->condition = BANDFOLD_PARTIAL;
        report->reason = "the segment has a wrong checksum: decoded from its first chunks";
    } else if (!decoder->base_only &&
               bfl_refinement_expected(&decoder->index, &decoder->limits, strip->segment.place.index)) {
        const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
        const bandfold_status status = refine(strip);
        bfl_release(workspace, BFL_SCRATCH, mark);
        if (status != BANDFOLD_OK && status != BANDFOLD_CORRUPT)
            return status;
        report->refined = status == BANDFOLD_OK;
        report->condition = report->refined ? BANDFOLD_INTACT : BANDFOLD_UNBOUNDED;
        report->reason = report->refined ? "" : workspace->reason;
    }
    if (!report->refined)
        BFL_TRY(write_base(strip));
    bfl_write_exact(&strip->output, &strip->levels.exact);
    return BANDFOLD_OK;
}

/* Fill a strip with the means of its own fold if that can be read, else of the nearest one. */
static bandfold_status fill(strip_state *strip)
{
    bandfold_decoder *decoder = strip->decoder;
    bfl_workspace *workspace = &decoder->workspace;
    const bfl_entries *segments = &decoder->index.segments;
    const uint64_t number = strip->output.first_line / decoder->header.strip_lines;
    const uint64_t at = bfl_entry_place(segments, number);
    const int own = at < segments->count && segments->entries[at].number == number;
    const uint64_t near[2] = {own ? at : at - 1, own ? at - 1 : at};
    const bfl_fold *fold = NULL;
    int told = 0;
    strip->output.absent = NULL;
    strip->output.doublings = 0;
    for (int n = 0; n < 2; n++) {
        bfl_place place;
        /* Before the first segment there is none: the place wraps to a number that is not there. */
        if (near[n] >= segments->count ||
            bfl_read_place(workspace, segments->entries[near[n]].data, segments->entries[near[n]].size, &place))
            continue;
        if (!told && bfl_scales_are_finite(&decoder->header, place.doublings))
            strip->output.doublings = place.doublings;
        told = 1;
        const bandfold_status status =
            fold ? BANDFOLD_OK : bfl_find_fold(workspace, &decoder->transforms, place.fold, &fold);
        if (status != BANDFOLD_OK && status != BANDFOLD_CORRUPT)
            return status;
    }
    if (fold == NULL)
        BFL_TRY(bfl_first_fold(workspace, &decoder->transforms, &fold));
    return write_means(strip, fold);
}

bandfold_status bfl_decode_strip(bandfold_decoder *decoder, const bfl_output *output, uint64_t number,
                                 bandfold_strip_report *report)
{
    bfl_workspace *workspace = &decoder->workspace;
    strip_state strip = {.decoder = decoder};
    strip.output = (bfl_strip_output){.header = &decoder->header, .output = output,
                                      .first_line = (uint32_t)(number * decoder->header.strip_lines),
                                      .lines = bfl_strip_height(&decoder->header, number)};
    *report = (bandfold_strip_report){.first_line = strip.output.first_line, .lines = strip.output.lines, .reason = ""};
    bandfold_status status = decode(&strip, report);
    if (status == BANDFOLD_CORRUPT) {
        const char *reason = workspace->reason;
        bfl_release(workspace, BFL_SCRATCH, NULL);
        status = fill(&strip);
        report->condition = BANDFOLD_FILLED;
        report->refined = 0;
        report->reason = reason;
    }
    bfl_release(workspace, BFL_SCRATCH, NULL);
    return status;
}
