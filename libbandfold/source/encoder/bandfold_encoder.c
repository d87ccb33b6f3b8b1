/* The functions of bandfold.h that encode. */

#include "encoder.h"

#include "budget.h"

#include <string.h>

enum { LARGEST_DIMENSION = 1 << 24 };

bandfold_status bandfold_encoder_open(const bandfold_settings *settings, bandfold_encoder **encoder,
                                      const char **reason)
{
    if (encoder)
        *encoder = NULL;
    if (encoder == NULL || settings == NULL ||
        (settings->allocator && (!settings->allocator->allocate || !settings->allocator->release)))
        return bfl_told(BANDFOLD_BAD_ARGUMENT, "a pointer is null that must not be", reason);
    bfl_workspace workspace = {.allocator = settings->allocator ? *settings->allocator : bfl_standard_allocator,
                               .limit = settings->memory_limit ? settings->memory_limit : BFL_DEFAULT_MEMORY,
                               .work = UINT64_MAX};
    bandfold_encoder *made = bfl_take(&workspace, BFL_LASTING, 1, sizeof *made);
    if (made == NULL)
        return bfl_told(workspace.status, workspace.reason, reason);
    made->workspace = workspace;
    const bandfold_status status = bfl_begin_stream(made, settings);
    bfl_told(status, made->workspace.reason, reason);
    if (status == BANDFOLD_OK)
        *encoder = made;
    else
        bandfold_encoder_close(made);
    return status;
}

void bandfold_encoder_close(bandfold_encoder *encoder)
{
    if (encoder == NULL)
        return;
    /* The encoder lies in the first block of those that last. */
    bfl_workspace workspace = encoder->workspace;
    bfl_release(&workspace, BFL_SCRATCH, NULL);
    bfl_release(&workspace, BFL_LASTING, NULL);
}

uint32_t bandfold_encoder_strip_lines(const bandfold_encoder *encoder)
{
    return encoder->header.strip_lines;
}

uint32_t bandfold_encoder_lines(const bandfold_encoder *encoder)
{
    return (uint32_t)(encoder->lines + (uint64_t)encoder->held.lines);
}

uint64_t bandfold_encoder_most_memory(const bandfold_encoder *encoder)
{
    return encoder->workspace.most;
}

uint64_t bandfold_encoder_lasting_memory(const bandfold_encoder *encoder)
{
    return encoder->lasting;
}

/* Whether lines can be taken now. */
static bandfold_status check_open(bandfold_encoder *encoder, const void *samples, uint32_t lines, const char **reason)
{
    if (encoder == NULL || (samples == NULL && lines))
        return bfl_told(BANDFOLD_BAD_ARGUMENT, "a pointer is null that must not be", reason);
    if (encoder->failed != BANDFOLD_OK)
        return bfl_told(encoder->failed, encoder->workspace.reason, reason);
    if (encoder->finished)
        return bfl_told(BANDFOLD_BAD_ARGUMENT, "the stream is finished: begin another one", reason);
    if (lines > LARGEST_DIMENSION - bandfold_encoder_lines(encoder))
        return bfl_told(BANDFOLD_BAD_ARGUMENT, "a stream has 2**24 lines at most: begin another one", reason);
    return BANDFOLD_OK;
}

/* Code what is held where a strip is full; a failure lasts. */
static bandfold_status advance(bandfold_encoder *encoder, uint32_t lines)
{
    encoder->held.lines += lines;
    if (encoder->held.lines < encoder->held.room)
        return BANDFOLD_OK;
    return encoder->failed = bfl_code_strip(encoder);
}

bandfold_status bandfold_encoder_push(bandfold_encoder *encoder, const void *samples, uint32_t lines,
                                      const char **reason)
{
    const bandfold_status checked = check_open(encoder, samples, lines, reason);
    if (checked != BANDFOLD_OK)
        return checked;
    if (encoder->band)
        return bfl_told(BANDFOLD_BAD_ARGUMENT, "a frame is not finished: hand over the rest of its bands", reason);
    const bfl_held_strip *held = &encoder->held;
    const size_t row = (size_t)held->width * bandfold_sample_size(held->type);
    const uint8_t *from = samples;
    for (uint32_t line = 0; line < lines; line++) {
        for (int64_t band = 0; band < held->bands; band++, from += row)
            memcpy(bfl_sample_at(held, band, held->lines, 0), from, row);
        const bandfold_status status = advance(encoder, 1);
        if (status != BANDFOLD_OK)
            return bfl_told(status, encoder->workspace.reason, reason);
    }
    return bfl_told(BANDFOLD_OK, "", reason);
}

bandfold_status bandfold_encoder_push_band(bandfold_encoder *encoder, const void *samples, uint32_t lines,
                                           const char **reason)
{
    const bandfold_status checked = check_open(encoder, samples, lines, reason);
    if (checked != BANDFOLD_OK)
        return checked;
    const bfl_held_strip *held = &encoder->held;
    if (lines == 0 || (encoder->band && lines != encoder->frame_lines))
        return bfl_told(BANDFOLD_BAD_ARGUMENT, "all bands of a frame have as many lines, one at least", reason);
    if (lines > held->room - held->lines)
        return bfl_told(BANDFOLD_BAD_ARGUMENT,
                    "a frame does not fit into what is left of a strip: make strips as high as frames, or a multiple",
                    reason);
    const size_t row = (size_t)held->width * bandfold_sample_size(held->type);
    memcpy(bfl_sample_at(held, encoder->band, held->lines, 0), samples, row * lines);
    encoder->frame_lines = lines;
    if (++encoder->band < held->bands)
        return bfl_told(BANDFOLD_OK, "", reason);
    encoder->band = 0;
    const bandfold_status status = advance(encoder, lines);
    return bfl_told(status, encoder->workspace.reason, reason);
}

bandfold_status bandfold_encoder_finish(bandfold_encoder *encoder, const char **reason)
{
    if (encoder == NULL)
        return bfl_told(BANDFOLD_BAD_ARGUMENT, "a pointer is null that must not be", reason);
    if (encoder->failed != BANDFOLD_OK)
        return bfl_told(encoder->failed, encoder->workspace.reason, reason);
    if (encoder->finished)
        return bfl_told(BANDFOLD_OK, "", reason);
    if (encoder->band)
        return bfl_told(BANDFOLD_BAD_ARGUMENT, "a frame is not finished: hand over the rest of its bands", reason);
    if (encoder->strips + (uint64_t)encoder->held.lines == 0)
        return bfl_told(BANDFOLD_BAD_ARGUMENT, "there are no lines: a stream has at least one", reason);
    encoder->failed = bfl_end_stream(encoder);
    encoder->finished = encoder->failed == BANDFOLD_OK;
    return bfl_told(encoder->failed, encoder->workspace.reason, reason);
}
