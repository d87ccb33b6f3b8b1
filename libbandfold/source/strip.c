/* One strip: from its segment to samples, or from the band means where the segment is damaged. */

#include "strip.h"

#include "budget.h"
#include "unfold.h"

/* Find the segment of a strip and take it apart. */
static bandfold_status find_segment(bfl_strip *strip, uint64_t number)
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
static bandfold_status read_strip(bfl_strip *strip)
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

/* Write a strip all lines of which are the means of the bands. */
static bandfold_status write_means(const bfl_strip *strip, const bfl_fold *fold)
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

static bandfold_status write_predicted(bfl_strip *strip)
{
    bandfold_decoder *decoder = strip->decoder;
    bfl_workspace *workspace = &decoder->workspace;
    const bfl_header *header = &decoder->header;
    const bfl_levels *levels = &strip->levels;
    const bfl_output *output = strip->output.output;
    int32_t *planes, *counts;
    double *row;
    uint32_t first, end;
    BFL_TRY(bfl_charge(workspace, bfl_product(bfl_product(header->bands, levels->lines), header->samples) /
                                      BFL_PREDICTED_SHARE));
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

/* Charge the inverse transforms of components that are not all 0. */
static bandfold_status charge_components(const bfl_strip *strip, const bfl_planes *planes)
{
    const bfl_header *header = &strip->decoder->header;
    const uint64_t pixels = bfl_product(strip->levels.lines, header->samples);
    const uint64_t bands = strip->source.fold->first ? strip->output.output->bands : 1;
    uint64_t live = 0;
    for (int64_t k = 0; k < planes->components; k++)
        live += planes->live[k];
    const uint64_t latents = bfl_product(live, pixels);
    return bfl_charge(&strip->decoder->workspace,
                      bfl_sum(latents / BFL_LIVE_SHARE, bfl_product(latents, bands) / BFL_PRODUCT_SHARE));
}

/* Charge rotations before they are undone. */
static bandfold_status charge_rotations(const bfl_strip *strip)
{
    const uint64_t size = strip->source.rotations ? (uint64_t)strip->source.rotations->size : 0;
    const uint64_t pixels = bfl_product(strip->levels.lines, strip->decoder->header.samples);
    return bfl_charge(&strip->decoder->workspace,
                      bfl_product(bfl_product(1 + size / BFL_ROTATED_COMPONENTS, size), pixels));
}

static bandfold_status write_folded(bfl_strip *strip)
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
    BFL_TRY(charge_rotations(strip));
    BFL_TRY(bfl_real_planes(workspace, &strip->source, &decoder->cosine, &strip->levels,
                            (double)strip->step_code / 256.0, &planes));
    BFL_TRY(charge_components(strip, &planes));
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

static bandfold_status decode(bfl_strip *strip, bandfold_strip_report *report)
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
        const bandfold_status status = bfl_refine_strip(strip);
        bfl_release(workspace, BFL_SCRATCH, mark);
        if (status != BANDFOLD_OK && status != BANDFOLD_CORRUPT)
            return status;
        report->refined = status == BANDFOLD_OK;
        report->condition = report->refined ? BANDFOLD_INTACT : BANDFOLD_UNBOUNDED;
        report->reason = report->refined ? "" : workspace->reason;
    }
    if (!report->refined)
        BFL_TRY(decoder->model.engines ? write_predicted(strip) : write_folded(strip));
    bfl_write_exact(&strip->output, &strip->levels.exact);
    return BANDFOLD_OK;
}

/* Fill a strip with the means of its own fold if that can be read, else of the nearest one. */
static bandfold_status fill(bfl_strip *strip)
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
    bfl_strip strip = {.decoder = decoder};
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
