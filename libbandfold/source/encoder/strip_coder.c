/* One strip, from samples to sections: plan, fold, cosine transform, rotation, quantisation, entropy coding. */

#include "encoder.h"

#include "exact_math.h"
#include "header_writer.h"

#include <math.h>

enum { FIRST_PLANS = 3, END_BYTES = 16, STEP_UNIT = 256 };

/* Octaves between the steps of the first plan and the first strip from which on it is planned again. */
static const double FAR = 0.4;

static bandfold_status send(bandfold_encoder *encoder, const void *section, size_t size)
{
    if (size && encoder->write(encoder->context, section, size) != 0)
        return bfl_fail(&encoder->workspace, BANDFOLD_NOT_WRITTEN, "a section could not be written");
    return BANDFOLD_OK;
}

/* The header, behind what a stream begins with if it is the first one; in scratch memory. */
static bandfold_status make_head(bandfold_encoder *encoder, bandfold_bytes *head)
{
    uint8_t *whole;
    BFL_TRY(bfl_write_header(&encoder->workspace, &encoder->header, head));
    if (encoder->strips)
        return BANDFOLD_OK;
    BFL_TAKE(whole, &encoder->workspace, BFL_SCRATCH, BFL_PREAMBLE_BYTES + head->size);
    bfl_output_bytes output = {.data = whole, .room = BFL_PREAMBLE_BYTES + head->size};
    bfl_put_preamble(&output);
    bfl_put_bytes(&output, head->data, head->size);
    *head = (bandfold_bytes){output.data, (size_t)output.size};
    return BANDFOLD_OK;
}

/* What goes before a segment: all that is needed to decode it, if it is new or is to be repeated. */
typedef struct {
    bandfold_bytes head, metadata, basis; /* empty: nothing */
    uint64_t size;
} before;

static bandfold_status make_before(bandfold_encoder *encoder, int renewed, before *made)
{
    const bfl_output_bytes *sections = &encoder->planner.sections;
    *made = (before){0};
    if (!renewed && !(encoder->repeat && encoder->since_repeated >= encoder->repeat))
        return BANDFOLD_OK;
    BFL_TRY(make_head(encoder, &made->head));
    if (!encoder->strips)
        made->metadata = encoder->metadata;
    made->basis = (bandfold_bytes){sections->data, (size_t)sections->size};
    made->size = made->head.size + made->metadata.size + sections->size;
    return BANDFOLD_OK;
}

/* Fold, transform and rotate the strip under the basis in use. */
static bandfold_status analyse(bandfold_encoder *encoder, const uint8_t *absent, bfl_strip_task *task)
{
    bfl_workspace *workspace = &encoder->workspace;
    const bfl_stream_planner *planner = &encoder->planner;
    const int64_t lines = encoder->held.lines;
    uint8_t *chosen = NULL;
    *task = (bfl_strip_task){.quantiser = &encoder->quantiser, .tables = &encoder->tables};
    task->header_code = encoder->header.step_code;
    BFL_TRY(bfl_analyse_strip(workspace, &planner->fold, &encoder->filled, &task->latents));
    const bfl_latents *latents = &task->latents;
    if (planner->rotations.count) {
        const int64_t blocks = latents->rows * latents->columns;
        BFL_TAKE(chosen, workspace, BFL_SCRATCH, (uint64_t)blocks);
        BFL_TRY(bfl_rotate_blocks(workspace, &planner->rotations, planner->step, latents->values, blocks, chosen));
    }
    task->content = (bfl_segment_content){
        .place = {.index = encoder->strips,
                  .fold = planner->number,
                  .rotation = planner->number,
                  .rotated = chosen != NULL,
                  .lines = lines < encoder->header.strip_lines ? (uint64_t)lines : 0},
        .components = latents->components,
        .rows = latents->rows,
        .columns = latents->columns,
        .chosen = chosen,
        .absent = absent,
        .bands = encoder->held.bands,
        .pixels = lines * encoder->held.width,
    };
    return BANDFOLD_OK;
}

/* Code the strip that was planned for a step, behind so many bytes of other sections. */
static bandfold_status code_task(bandfold_encoder *encoder, bfl_strip_task *task, double step, uint64_t overhead,
                                 uint32_t *code, bfl_coded_segment *coded)
{
    bfl_workspace *workspace = &encoder->workspace;
    const bfl_strip_plan plan = {step, encoder->planner.mismatch.left_out, overhead};
    bfl_counted_samples counted = {0};
    if (encoder->control.kind == BFL_FIXED_QUALITY)
        BFL_TRY(bfl_count_samples(workspace, &encoder->filled, task->content.absent, &counted));
    return bfl_control_strip(workspace, &encoder->control, task, &counted, &plan, code, coded);
}

/* The strip for which there is no plan yet: where the step comes out far from that of the plan, it is planned again. */
static bandfold_status code_first(bandfold_encoder *encoder, const uint8_t *absent, before *made,
                                  bfl_coded_segment *coded)
{
    bfl_workspace *workspace = &encoder->workspace;
    double step;
    uint32_t code = 0;
    bfl_block_sample sample;
    bfl_sensor_planner folds;
    BFL_TRY(bfl_sample_blocks(workspace, &encoder->filled, &sample));
    BFL_TRY(bfl_begin_sensor_plan(workspace, &encoder->sensor, &sample, &folds));
    BFL_TRY(bfl_first_step(workspace, &encoder->control, &folds, &step));
    encoder->header.step_code = bfl_step_code(step);
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    for (int turn = 0; turn < FIRST_PLANS; turn++) {
        bfl_strip_task task;
        bfl_release(workspace, BFL_SCRATCH, mark);
        BFL_TRY(bfl_renew(workspace, &encoder->planner, &folds, step, turn > 0));
        BFL_TRY(make_before(encoder, 1, made));
        BFL_TRY(analyse(encoder, absent, &task));
        BFL_TRY(code_task(encoder, &task, step, made->size, &code, coded));
        if (fabs(bfl_log2_of((double)code) - bfl_log2_of(step * STEP_UNIT)) < FAR)
            break;
        step = (double)code / STEP_UNIT;
    }
    return bfl_check_left_out(workspace, &encoder->planner, fmax(encoder->planner.step, (double)code / STEP_UNIT));
}

/* A strip behind others. */
static bandfold_status code_next(bandfold_encoder *encoder, const uint8_t *absent, before *made,
                                 bfl_coded_segment *coded)
{
    bfl_workspace *workspace = &encoder->workspace;
    const double step = bfl_next_step(&encoder->control);
    bfl_strip_task task;
    uint32_t code;
    int renewed;
    BFL_TRY(bfl_follow(workspace, &encoder->planner, &encoder->filled, step, &renewed));
    BFL_TRY(make_before(encoder, renewed, made));
    BFL_TRY(analyse(encoder, absent, &task));
    BFL_TRY(code_task(encoder, &task, step, made->size, &code, coded));
    return renewed ? bfl_check_left_out(workspace, &encoder->planner, fmax(step, (double)code / STEP_UNIT))
                   : BANDFOLD_OK;
}

/* What the stream ends with is paid for in advance, before a step is known. */
static bandfold_status open_bucket(bandfold_encoder *encoder)
{
    bfl_leaky_bucket *bucket = &encoder->control.rate.bucket;
    const bfl_held_strip *held = &encoder->held;
    bandfold_bytes header;
    if (encoder->control.kind != BFL_LIMITED_RATE)
        return BANDFOLD_OK;
    if (encoder->strips == 0) {
        encoder->header.step_code = 1;
        BFL_TRY(bfl_write_header(&encoder->workspace, &encoder->header, &header));
        bucket->saved -= (double)(header.size + END_BYTES);
    }
    bfl_open_bucket(bucket, (uint64_t)(held->bands * held->lines * held->width));
    return BANDFOLD_OK;
}

/* Plan, analyse, rotate and code: what is written is known before anything is written. */
static bandfold_status code(bandfold_encoder *encoder)
{
    bfl_workspace *workspace = &encoder->workspace;
    const bfl_held_strip *held = &encoder->held;
    uint8_t *absent = NULL;
    bandfold_bytes segment;
    bfl_coded_segment coded;
    before made;
    BFL_TRY(bfl_scrub(workspace, &encoder->scrubber, 0));
    encoder->filled.lines = held->lines;
    if (encoder->marker.told) {
        BFL_TAKE(absent, workspace, BFL_SCRATCH, (uint64_t)(held->bands * held->lines * held->width));
        bfl_fill_absent(held, &encoder->marker, &encoder->filled, absent);
    }
    BFL_TRY(open_bucket(encoder));
    if (encoder->planner.planned)
        BFL_TRY(code_next(encoder, absent, &made, &coded));
    else
        BFL_TRY(code_first(encoder, absent, &made, &coded));
    BFL_TRY(bfl_write_segment(workspace, &coded, &segment));
    if (encoder->control.kind == BFL_LIMITED_RATE &&
        !bfl_close_bucket(&encoder->control.rate.bucket, made.size + segment.size))
        return bfl_fail(workspace, BANDFOLD_OVER_RATE, "the rate is too low: a strip takes more than is left");
    encoder->since_repeated = made.size ? 1 : encoder->since_repeated + 1;
    BFL_TRY(send(encoder, made.head.data, made.head.size));
    BFL_TRY(send(encoder, made.metadata.data, made.metadata.size));
    BFL_TRY(send(encoder, made.basis.data, made.basis.size));
    BFL_TRY(send(encoder, segment.data, segment.size));
    encoder->lines += (uint64_t)held->lines;
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
    BFL_TRY(bfl_scrub(&encoder->workspace, &encoder->scrubber, 1));
    /* Without a header nothing can be decoded, however few strips there are. */
    if (encoder->repeat) {
        BFL_TRY(bfl_write_header(&encoder->workspace, &encoder->header, &section));
        BFL_TRY(send(encoder, section.data, section.size));
    }
    BFL_TRY(bfl_write_end(&encoder->workspace, encoder->lines, encoder->strips, &section));
    return send(encoder, section.data, section.size);
}

bandfold_status bfl_end_stream(bandfold_encoder *encoder)
{
    const bandfold_status status = end(encoder);
    bfl_release(&encoder->workspace, BFL_SCRATCH, NULL);
    return status;
}
