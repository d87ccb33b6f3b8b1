/* A stream but for its segments: header, tables, packages, metadata, folds. */

#include "budget.h"
#include "byte_reader.h"
#include "decoder.h"

enum { LARGEST_LINES = 1 << 24 };

/* Packages that the stream names. */
static bandfold_status read_packages(bandfold_decoder *decoder, const bandfold_options *options)
{
    bfl_workspace *workspace = &decoder->workspace;
    const bfl_header *header = &decoder->header;
    bfl_package package;
    if (header->transform == BFL_NETWORKS)
        return bfl_fail(workspace, BANDFOLD_UNSUPPORTED,
                        "bands were coded by a trained model whose networks this library does not run");
    if (header->has_model) {
        BFL_TRY(bfl_find_package(workspace, options->packages, options->package_count, &header->model, &package));
        if (!bfl_is_predicted_model(&package))
            return bfl_fail(workspace, BANDFOLD_CORRUPT, "the package is not of the kind of the stream: it is corrupt");
        BFL_TRY(bfl_read_predicted_model(workspace, &package, &decoder->model));
    }
    if (header->has_sensor) {
        BFL_TRY(bfl_find_package(workspace, options->packages, options->package_count, &header->sensor, &package));
        BFL_TRY(bfl_read_sensor(workspace, &package, &decoder->sensor));
    }
    return BANDFOLD_OK;
}

static bandfold_status read_tables(bandfold_decoder *decoder)
{
    bfl_workspace *workspace = &decoder->workspace;
    const bfl_tables_data *found = bfl_find_tables(decoder->header.tables);
    if (found == NULL)
        return bfl_fail(workspace, BANDFOLD_UNSUPPORTED,
                        "the stream names tables that are not built in: use the release that wrote it");
    bfl_tables_data data = *found;
    if (decoder->model.engines)
        data.modes[BFL_BANDED] = decoder->model.mode;
    BFL_TRY(bfl_make_tables(workspace, &data, decoder->header.quantiser, &decoder->tables));
    BFL_TRY(bfl_make_refinement_tables(workspace, &decoder->refinement_tables));
    return bfl_make_cosine(workspace, &decoder->cosine);
}

static bandfold_status read_metadata(bandfold_decoder *decoder)
{
    const bfl_section *section = &decoder->index.single[BFL_METADATA];
    bfl_payload payload;
    if (section->payload == NULL)
        return BANDFOLD_OK;
    BFL_TRY(bfl_open_payload(&decoder->workspace, &decoder->tables, section->payload, section->size, &payload));
    BFL_TRY(bfl_read_metadata(&payload, &decoder->metadata));
    return bfl_finish_payload(&payload);
}

/* The end of the last strip of which a segment is there; 0 for none. */
static uint64_t last_line(bandfold_decoder *decoder)
{
    const bfl_entries *kinds[2] = {&decoder->index.segments, &decoder->index.remains};
    uint64_t last = 0;
    for (int kind = 0; kind < 2; kind++)
        for (uint64_t n = 0; n < kinds[kind]->count; n++) {
            const bfl_entry *entry = &kinds[kind]->entries[n];
            bfl_place place;
            if (bfl_read_place(&decoder->workspace, entry->data, entry->size, &place) != BANDFOLD_OK)
                continue;
            const uint64_t height = decoder->header.strip_lines;
            const uint64_t end = bfl_sum(bfl_product(place.index, height), place.lines ? place.lines : height);
            if (end <= LARGEST_LINES && end > last)
                last = end;
        }
    return last;
}

/* Lines of a scene whose length the header does not tell. */
static bandfold_status read_lines(bandfold_decoder *decoder)
{
    bfl_workspace *workspace = &decoder->workspace;
    const bfl_section *section = &decoder->index.single[BFL_END];
    bfl_header *header = &decoder->header;
    uint64_t lines = 0, strips = 0;
    decoder->complete = !header->open || section->payload != NULL;
    if (!header->open)
        return BANDFOLD_OK;
    if (section->payload == NULL) {
        lines = last_line(decoder);
        if (lines == 0)
            return bfl_fail(workspace, BANDFOLD_CORRUPT, "the stream was cut off before its first segment");
        header->lines = (uint32_t)lines;
        return BANDFOLD_OK;
    }
    bfl_bytes bytes = {section->payload, section->size, 0};
    if (!bfl_read_varint(&bytes, &lines) || !bfl_read_varint(&bytes, &strips) || bytes.at != bytes.size || lines < 1 ||
        lines > LARGEST_LINES)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, "the end of the stream tells an impossible number of lines");
    header->lines = (uint32_t)lines;
    return strips == bfl_strip_count(header)
               ? BANDFOLD_OK
               : bfl_fail(workspace, BANDFOLD_CORRUPT, "the end of the stream tells another number of strips");
}

bandfold_status bfl_read_stream(bandfold_decoder *decoder, const uint8_t *stream, const bandfold_options *options)
{
    bfl_workspace *workspace = &decoder->workspace;
    bfl_sections sections;
    const bfl_fold *fold;
    BFL_TRY(bfl_find_sections(workspace, stream, decoder->size, &sections));
    BFL_TRY(bfl_index_sections(workspace, &sections, &decoder->index));
    const bfl_section *header = &decoder->index.single[BFL_HEADER];
    if (header->payload == NULL)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, "the header is missing or corrupt: nothing can be decoded");
    BFL_TRY(bfl_read_header(workspace, header->payload, header->size, &decoder->header));
    BFL_TRY(read_packages(decoder, options));
    BFL_TRY(read_tables(decoder));
    BFL_TRY(read_metadata(decoder));
    BFL_TRY(read_lines(decoder));
    BFL_TRY(bfl_charge(workspace, bfl_product(BFL_STRIP_WORK, bfl_strip_count(&decoder->header))));
    bfl_read_limits(&decoder->index, decoder->header.bands, &decoder->limits);
    const bfl_fold_source source = {.header = &decoder->header,
                                    .sensor = decoder->header.has_sensor ? &decoder->sensor : NULL,
                                    .engines = decoder->model.engines};
    BFL_TRY(bfl_begin_transforms(workspace, &decoder->index, &decoder->tables, &source, &decoder->transforms));
    /* Something must be there to fill damaged strips with. */
    BFL_TRY(bfl_first_fold(workspace, &decoder->transforms, &fold));
    bfl_release(workspace, BFL_SCRATCH, NULL);
    return BANDFOLD_OK;
}
