/* The functions of bandfold.h. */

#include "bandfold.h"

#include "budget.h"
#include "decoder.h"

#if !defined(BANDFOLD_VERSION)
#define BANDFOLD_VERSION "unknown"
#endif

const char *bandfold_message(bandfold_status status)
{
    switch (status) {
    case BANDFOLD_OK:
        return "no error";
    case BANDFOLD_CORRUPT:
        return "this is no bandfold stream, or it is damaged in what all of it needs";
    case BANDFOLD_UNSUPPORTED:
        return "libbandfold does not decode or encode this kind of stream: use the Python package";
    case BANDFOLD_NEEDS_PACKAGE:
        return "a package is needed, or cannot be used: give its file";
    case BANDFOLD_OVER_LIMIT:
        return "more memory or work is needed than may be taken: raise the limit, for a stream that you trust";
    case BANDFOLD_NO_MEMORY:
        return "there is no memory left";
    case BANDFOLD_BAD_ARGUMENT:
        return "an argument is out of its range";
    case BANDFOLD_NOT_WRITTEN:
        return "what was encoded could not be written";
    case BANDFOLD_FAULT:
        return "something was encoded wrongly: no stream comes out of it";
    case BANDFOLD_OVER_RATE:
        return "a strip does not fit the rate: raise it";
    }
    return "unknown status";
}

const char *bandfold_version(void)
{
    return BANDFOLD_VERSION;
}

size_t bandfold_sample_size(bandfold_type type)
{
    static const uint8_t SIZES[] = {1, 1, 2, 2, 4, 4, 4, 8};
    return (size_t)type < sizeof SIZES ? SIZES[type] : 0;
}

bandfold_status bandfold_open(const void *stream, size_t size, const bandfold_options *options,
                              bandfold_decoder **decoder, const char **reason)
{
    static const bandfold_options usual = {0};
    if (decoder)
        *decoder = NULL;
    options = options ? options : &usual;
    if (decoder == NULL || (stream == NULL && size) || (options->packages == NULL && options->package_count) ||
        (options->allocator && (!options->allocator->allocate || !options->allocator->release)))
        return bfl_told(BANDFOLD_BAD_ARGUMENT, "a pointer is null that must not be", reason);
    bfl_workspace workspace = {.allocator = options->allocator ? *options->allocator : bfl_standard_allocator,
                               .limit = bfl_memory_limit(size, options->memory_limit, options->trusted),
                               .work = bfl_work_limit(size, 1, options->trusted)};
    bandfold_decoder *made = bfl_take(&workspace, BFL_LASTING, 1, sizeof *made);
    if (made == NULL)
        return bfl_told(workspace.status, workspace.reason, reason);
    made->workspace = workspace;
    made->size = size;
    made->trusted = options->trusted;
    made->base_only = options->base_only;
    const bandfold_status status = bfl_read_stream(made, stream, options);
    bfl_told(status, made->workspace.reason, reason);
    if (status == BANDFOLD_OK)
        *decoder = made;
    else
        bandfold_close(made);
    return status;
}

void bandfold_close(bandfold_decoder *decoder)
{
    if (decoder == NULL)
        return;
    /* The decoder lies in the first block of those that last. */
    bfl_workspace workspace = decoder->workspace;
    bfl_release(&workspace, BFL_SCRATCH, NULL);
    bfl_release(&workspace, BFL_LASTING, NULL);
}

void bandfold_get_info(const bandfold_decoder *decoder, bandfold_info *info)
{
    const bfl_header *header = &decoder->header;
    *info = (bandfold_info){
        .bands = header->bands,
        .lines = header->lines,
        .samples = header->samples,
        .type = header->type,
        .strip_lines = header->strip_lines,
        .step = (double)header->step_code / 256.0,
        .complete = decoder->complete,
        .bounded = decoder->limits.promised || decoder->index.refinements.count > 0,
        .has_no_data = header->has_no_data,
        .no_data = header->no_data,
        .scaled = header->scaled,
        .scale = header->scaled ? header->scale : 1.0,
        .offset = header->offset,
        .source_interleave = header->interleave,
        .source_big_endian = header->big_endian,
    };
}

/* A request with explicit ends; 0 where it leads out of the scene. */
static int resolve(const bfl_header *header, const bandfold_request *request, bfl_output *output)
{
    const bandfold_request whole = {0}, *wanted = request ? request : &whole;
    if (wanted->first_band >= header->bands || wanted->first_line >= header->lines)
        return 0;
    *output = (bfl_output){.first_band = wanted->first_band, .first_line = wanted->first_line};
    output->bands = wanted->bands ? wanted->bands : header->bands - wanted->first_band;
    output->lines = wanted->lines ? wanted->lines : header->lines - wanted->first_line;
    return output->bands <= header->bands - wanted->first_band && output->lines <= header->lines - wanted->first_line;
}

/* Work of a request that is certain: every strip and every sample costs. */
static uint64_t certain_work(const bfl_header *header, const bfl_output *output)
{
    const uint64_t first = output->first_line / header->strip_lines;
    const uint64_t last = (output->first_line + output->lines - 1) / header->strip_lines;
    const uint64_t of_plane = header->scaled ? BFL_SCALED_PLANE_WORK : BFL_PLANE_WORK;
    const uint64_t planes = bfl_product(bfl_product(of_plane, output->bands), last - first + 1);
    const uint64_t samples = bfl_product(bfl_product(output->bands, output->lines), header->samples);
    return bfl_sum(planes, bfl_product(samples, 1 + header->scaled + header->has_no_data) / BFL_SAMPLE_SHARE);
}

static uint64_t work_limit(const bandfold_decoder *decoder)
{
    const uint64_t factor = decoder->model.engines ? BFL_PREDICTED_FACTOR : 1;
    return bfl_work_limit(decoder->size, factor, decoder->trusted);
}

bandfold_status bandfold_output_size(const bandfold_decoder *decoder, const bandfold_request *request, uint64_t *bytes,
                                     const char **reason)
{
    bfl_output output;
    if (decoder == NULL || bytes == NULL || !resolve(&decoder->header, request, &output))
        return bfl_told(BANDFOLD_BAD_ARGUMENT, "the request leads out of the scene", reason);
    const uint64_t samples = bfl_product(bfl_product(output.bands, output.lines), decoder->header.samples);
    *bytes = bfl_product(samples, bandfold_sample_size(decoder->header.type));
    if (certain_work(&decoder->header, &output) > work_limit(decoder))
        return bfl_told(BANDFOLD_OVER_LIMIT, "the stream claims more samples than one of its size should", reason);
    if (*bytes > decoder->workspace.limit || *bytes > SIZE_MAX)
        return bfl_told(BANDFOLD_OVER_LIMIT, "samples take more memory than the limit: decode fewer lines", reason);
    return bfl_told(BANDFOLD_OK, "", reason);
}

bandfold_status bandfold_decode(bandfold_decoder *decoder, const bandfold_request *request, void *samples, size_t size,
                                const char **reason)
{
    bfl_output output;
    uint64_t bytes;
    const bandfold_status checked = bandfold_output_size(decoder, request, &bytes, reason);
    if (checked != BANDFOLD_OK)
        return checked;
    if (samples == NULL || size < bytes)
        return bfl_told(BANDFOLD_BAD_ARGUMENT, "the memory for samples is too small", reason);
    const bfl_header *header = &decoder->header;
    bfl_workspace *workspace = &decoder->workspace;
    resolve(header, request, &output);
    output.samples = samples;
    workspace->work = work_limit(decoder);
    bandfold_status status = bfl_charge(workspace, certain_work(header, &output));
    const uint64_t last = (output.first_line + output.lines - 1) / header->strip_lines;
    /* The samples count against the limit, too. */
    workspace->used += bytes;
    for (uint64_t strip = output.first_line / header->strip_lines; status == BANDFOLD_OK && strip <= last; strip++) {
        bandfold_strip_report report;
        status = bfl_decode_strip(decoder, &output, strip, &report);
        if (status == BANDFOLD_OK && request && request->report)
            request->report(request->context, &report);
    }
    workspace->used -= bytes;
    return bfl_told(status, workspace->reason, reason);
}
