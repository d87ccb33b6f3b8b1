/* One strip, from samples to sections: plan, fold, cosine transform, rotation, quantisation, entropy coding. */

#include "encoder.h"

#include "header_writer.h"
#include "segment_writer.h"
#include "strip_analysis.h"

static bandfold_status send(bandfold_encoder *encoder, const void *section, size_t size)
{
    if (size && encoder->write(encoder->context, section, size) != 0)
        return bfl_fail(&encoder->workspace, BANDFOLD_NOT_WRITTEN, "a section could not be written");
    return BANDFOLD_OK;
}

/* The header, behind what a stream begins with if it is the first one. */
static bandfold_status send_header(bandfold_encoder *encoder)
{
    bandfold_bytes section;
    uint8_t *whole;
    BFL_TRY(bfl_write_header(&encoder->workspace, &encoder->header, &section));
    if (encoder->strips)
        return send(encoder, section.data, section.size);
    BFL_TAKE(whole, &encoder->workspace, BFL_SCRATCH, BFL_PREAMBLE_BYTES + section.size);
    bfl_output_bytes output = {.data = whole, .room = BFL_PREAMBLE_BYTES + section.size};
    bfl_put_preamble(&output);
    bfl_put_bytes(&output, section.data, section.size);
    return send(encoder, output.data, (size_t)output.size);
}

/* What goes before a segment: all that is needed to decode it, if it is new or is to be repeated. */
static bandfold_status send_before(bandfold_encoder *encoder, int renewed)
{
    if (!renewed && !(encoder->repeat && encoder->since_repeated >= encoder->repeat)) {
        encoder->since_repeated++;
        return BANDFOLD_OK;
    }
    encoder->since_repeated = 1;
    BFL_TRY(send_header(encoder));
    if (!encoder->strips)
        BFL_TRY(send(encoder, encoder->metadata.data, encoder->metadata.size));
    return send(encoder, encoder->planner.sections.data, (size_t)encoder->planner.sections.size);
}

/* Quantise and code the latents of a strip; its section lies in scratch memory. */
static bandfold_status code_latents(bandfold_encoder *encoder, const bfl_latents *latents, const uint8_t *chosen,
                                    const uint8_t *absent, bandfold_bytes *section)
{
    bfl_workspace *workspace = &encoder->workspace;
    const bfl_header *header = &encoder->header;
    const int64_t lines = encoder->held.lines;
    const uint64_t count = bfl_product((uint64_t)latents->components * BF_CHANNELS,
                                       (uint64_t)(latents->rows * latents->columns));
    const double step = (double)header->step_code / 256.0;
    int32_t *levels;
    uint8_t *classes;
    BFL_TAKE(levels, workspace, BFL_SCRATCH, count);
    BFL_TAKE(classes, workspace, BFL_SCRATCH, count);
    BFL_TRY(bfl_quantise(workspace, &encoder->quantiser, latents, step, levels, classes));
    BFL_TRY(bfl_check_levels(workspace, &encoder->quantiser, latents, levels, classes, step, encoder->strips));
    const bfl_segment_content content = {
        .place = {.index = encoder->strips,
                  .fold = encoder->planner.number,
                  .rotation = encoder->planner.number,
                  .rotated = chosen != NULL,
                  .lines = lines < header->strip_lines ? (uint64_t)lines : 0},
        .step_code = (uint32_t)header->step_code,
        .components = latents->components,
        .rows = latents->rows,
        .columns = latents->columns,
        .levels = levels,
        .classes = classes,
        .chosen = chosen,
        .absent = absent,
        .bands = encoder->held.bands,
        .pixels = lines * encoder->held.width,
    };
    return bfl_write_segment(workspace, &encoder->tables, &content, section);
}

/* Plan, analyse, rotate and code: what is written is known before anything is written. */
static bandfold_status code(bandfold_encoder *encoder)
{
    bfl_workspace *workspace = &encoder->workspace;
    bfl_stream_planner *planner = &encoder->planner;
    const double step = (double)encoder->header.step_code / 256.0;
    uint8_t *absent = NULL, *chosen = NULL;
    bandfold_bytes segment;
    bfl_latents latents;
    int renewed;
    encoder->filled.lines = encoder->held.lines;
    if (encoder->marker.told) {
        const bfl_held_strip *held = &encoder->held;
        BFL_TAKE(absent, workspace, BFL_SCRATCH, (uint64_t)(held->bands * held->lines * held->width));
        bfl_fill_absent(held, &encoder->marker, &encoder->filled, absent);
    }
    BFL_TRY(bfl_follow(workspace, planner, &encoder->filled, step, &renewed));
    BFL_TRY(bfl_analyse_strip(workspace, &planner->fold, &encoder->filled, &latents));
    const int64_t blocks = latents.rows * latents.columns;
    if (planner->rotations.count) {
        BFL_TAKE(chosen, workspace, BFL_SCRATCH, (uint64_t)blocks);
        BFL_TRY(bfl_rotate_blocks(workspace, &planner->rotations, step, latents.values, blocks, chosen));
    }
    BFL_TRY(code_latents(encoder, &latents, chosen, absent, &segment));
    BFL_TRY(send_before(encoder, renewed));
    BFL_TRY(send(encoder, segment.data, segment.size));
    encoder->lines += (uint64_t)encoder->held.lines;
    encoder->strips++;
    encoder->held.lines = 0;
    return BANDFOLD_OK;
}

bandfold_status bfl_code_strip(bandfold_encoder *encoder)
{
    const bandfold_status status = code(encoder);
    bfl_release(&encoder->workspace, BFL_SCRATCH, NULL);
    return status;
}

static bandfold_status end(bandfold_encoder *encoder)
{
    bandfold_bytes section;
    if (encoder->held.lines)
        BFL_TRY(code(encoder));
    /* Without a header nothing can be decoded, however few strips there are. */
    if (encoder->repeat)
        BFL_TRY(send_header(encoder));
    BFL_TRY(bfl_write_end(&encoder->workspace, encoder->lines, encoder->strips, &section));
    return send(encoder, section.data, section.size);
}

bandfold_status bfl_end_stream(bandfold_encoder *encoder)
{
    const bandfold_status status = end(encoder);
    bfl_release(&encoder->workspace, BFL_SCRATCH, NULL);
    return status;
}
