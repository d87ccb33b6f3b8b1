/* Components are cut into chunks of about equal size, strongest first; each chunk is a payload of its own. */

#include "segment_writer.h"

#include "byte_reader.h"
#include "chunk_worth.h"
#include "strip_choices.h"

#include "encoding.h"

#include <string.h>

enum {
    CHUNK_BYTES = 7168,
    BITS_OF_VALUE = 6,
    EXTENT_MEAN = 256,
    MOST_CLASSES = 256,
    LONGEST_HEAD = 6 * BFL_LONGEST_VARINT + 1 + BFL_MOST_CHUNKS * (2 * BFL_LONGEST_VARINT + 1 + 4)
};

enum { FOLD_FLAG = 1, ROTATED_FLAG = 2, STEP_FLAG = 4, LOW_FLAG = 8 };

/* Of each component: levels that are not zero, their energy, raw bits, and diagonals up to the last that has any. */
typedef struct {
    int64_t *nonzero, *energy, *bits, *extents;
} statistics;

static bandfold_status count_levels(bfl_workspace *workspace, const bfl_segment_content *content, statistics *counted)
{
    const uint64_t components = (uint64_t)content->components;
    BFL_TAKE(counted->nonzero, workspace, BFL_SCRATCH, components);
    BFL_TAKE(counted->energy, workspace, BFL_SCRATCH, components);
    BFL_TAKE(counted->bits, workspace, BFL_SCRATCH, components);
    BFL_TAKE(counted->extents, workspace, BFL_SCRATCH, components);
    const int64_t positions = content->rows * content->columns;
    bf_statistics(content->levels, content->components * positions, positions, content->components, positions,
                  counted->nonzero, counted->energy, counted->bits, counted->extents);
    return BANDFOLD_OK;
}

/* Each component goes to the chunk in which its middle lies; returns the number of chunks. */
static int64_t cut_chunks(const int64_t *nonzero, int64_t components, bfl_coded_chunk chunks[BFL_MOST_CHUNKS])
{
    int64_t total = 0, sum = 0, found = 0, last = -1;
    for (int64_t k = 0; k < components; k++)
        total += nonzero[k];
    int64_t count = total * BITS_OF_VALUE / (8 * CHUNK_BYTES);
    count = count < BFL_MOST_CHUNKS ? count : BFL_MOST_CHUNKS;
    memset(chunks, 0, BFL_MOST_CHUNKS * sizeof *chunks);
    if (count < 2) {
        chunks[0].components = components;
        return 1;
    }
    for (int64_t k = 0; k < components; k++) {
        sum += nonzero[k];
        const int64_t middle = (sum - nonzero[k] / 2) * count / total;
        const int64_t number = middle < count - 1 ? middle : count - 1;
        if (number != last)
            chunks[found++].first = k;
        last = number;
        chunks[found - 1].components++;
    }
    return found;
}

/* What a chunk needs room for. */
typedef struct {
    uint64_t integers, tokens, groups, bits;
    int64_t runs; /* of absent samples */
} needs;

static needs needs_of(const bfl_segment_content *content, const statistics *counted, const bfl_coded_chunk *part)
{
    const int64_t positions = content->rows * content->columns;
    needs found = {.integers = (uint64_t)part->components, .bits = 1};
    for (int64_t k = part->first; k < part->first + part->components; k++) {
        found.tokens += (uint64_t)(bf_first((int)counted->extents[k]) * positions);
        found.groups += (uint64_t)counted->extents[k] * MOST_CLASSES;
        found.bits += (uint64_t)counted->bits[k];
    }
    /* A group has at least one token. */
    found.groups = found.groups < found.tokens ? found.groups : found.tokens;
    if (part->first == 0 && content->absent) {
        found.runs = bfl_absent_runs(content->absent, content->bands, content->pixels, NULL);
        found.integers += 1 + (uint64_t)found.runs;
    }
    if (part->first == 0 && content->chosen)
        found.integers += (uint64_t)positions;
    return found;
}

/* The diagonals of each component of a chunk, then their latents. */
static bandfold_status put_latents(bfl_payload_writer *payload, const bfl_segment_content *content,
                                   const statistics *counted, const bfl_coded_chunk *part)
{
    const bfl_block *mark = bfl_mark(payload->workspace, BFL_SCRATCH);
    const int64_t positions = content->rows * content->columns, *extents = counted->extents + part->first;
    const int64_t stride = content->components * positions;
    int64_t *changes, before = part->first ? extents[-1] : BF_DIAGONALS;
    uint8_t *memory;
    BFL_TAKE(changes, payload->workspace, BFL_SCRATCH, (uint64_t)part->components);
    for (int64_t k = 0; k < part->components; k++) {
        changes[k] = extents[k] - before;
        before = extents[k];
    }
    BFL_TRY(bfl_put_signed(payload, changes, (uint64_t)part->components, EXTENT_MEAN));
    BFL_TAKE(memory, payload->workspace, BFL_SCRATCH, 5 * BF_LONGEST * (uint64_t)positions + 256);
    const int32_t first_table = payload->tables->modes[BFL_FOLDED].first_table;
    payload->group_count +=
        bf_arrange(content->levels + part->first * positions, stride, positions,
                   content->classes + part->first * positions, stride, part->components, positions, extents,
                   first_table, payload->tokens + payload->token_count, payload->token_tables + payload->group_count,
                   payload->counts + payload->group_count, payload->bits + payload->bit_count, memory);
    bfl_release(payload->workspace, BFL_SCRATCH, mark);
    for (int64_t k = 0; k < part->components; k++) {
        payload->token_count += bf_first((int)extents[k]) * positions;
        payload->bit_count += counted->bits[part->first + k];
    }
    return BANDFOLD_OK;
}

static bandfold_status write_chunk(bfl_workspace *workspace, const bfl_tables *tables,
                                   const bfl_segment_content *content, const statistics *counted,
                                   const bfl_coded_chunk *part, bfl_output_bytes *data)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    const needs room = needs_of(content, counted, part);
    bfl_payload_writer payload;
    BFL_TRY(bfl_begin_payload(workspace, tables, room.integers, room.tokens, room.groups, room.bits, &payload));
    if (part->first == 0 && content->absent)
        BFL_TRY(bfl_put_absent(&payload, content->absent, content->bands, content->pixels, room.runs));
    if (part->first == 0 && content->chosen)
        BFL_TRY(bfl_put_rotation_map(&payload, content->chosen, content->rows, content->columns));
    BFL_TRY(put_latents(&payload, content, counted, part));
    BFL_TRY(bfl_end_payload(&payload, data));
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

/* What a segment says of itself. */
static void put_place(const bfl_place *place, bfl_output_bytes *head)
{
    bfl_put_varint(head, place->index);
    bfl_put_byte(head, (uint8_t)((place->fold ? FOLD_FLAG : 0) | (place->rotated ? ROTATED_FLAG : 0) |
                                 (place->step_code ? STEP_FLAG : 0) | (place->lines ? LOW_FLAG : 0)));
    if (place->fold)
        bfl_put_varint(head, place->fold);
    if (place->rotated)
        bfl_put_varint(head, place->rotation);
    if (place->step_code)
        bfl_put_varint(head, place->step_code);
    if (place->lines)
        bfl_put_varint(head, place->lines);
}

/* Bytes of the payloads of the chunks that are kept. */
static uint64_t data_size(const bfl_coded_segment *coded)
{
    const bfl_coded_chunk *last = &coded->chunks[coded->count - 1];
    return last->start + last->size;
}

/* What comes before the payloads of the chunks, but their checksums. */
static void put_head(const bfl_coded_segment *coded, bfl_output_bytes *head)
{
    put_place(&coded->place, head);
    bfl_put_varint(head, (uint64_t)coded->count);
    for (int64_t n = 0; n < coded->count; n++) {
        bfl_put_varint(head, (uint64_t)coded->chunks[n].components);
        if (coded->count == 1)
            return;
        bfl_put_byte(head, coded->chunks[n].worth);
        bfl_put_varint(head, coded->chunks[n].size);
    }
}

/* Bytes that the payloads of all chunks take at most: a token takes 24 bits. */
static uint64_t data_room(const bfl_segment_content *content, const statistics *counted,
                          const bfl_coded_segment *coded)
{
    uint64_t room = 0;
    for (int64_t n = 0; n < coded->count; n++) {
        const needs of = needs_of(content, counted, &coded->chunks[n]);
        const uint64_t bits = 24 * (of.tokens + of.integers) + of.bits + BFL_MOST_BITS_OF_INTEGER * of.integers;
        room = bfl_sum(room, BFL_LONGEST_VARINT + 16 + bits / 8);
    }
    return room;
}

bandfold_status bfl_code_segment(bfl_workspace *workspace, const bfl_tables *tables,
                                 const bfl_segment_content *content, bfl_coded_segment *coded)
{
    bfl_output_bytes *data = &coded->data;
    statistics counted;
    BFL_TRY(count_levels(workspace, content, &counted));
    *coded = (bfl_coded_segment){.place = content->place};
    coded->count = cut_chunks(counted.nonzero, content->components, coded->chunks);
    data->room = data_room(content, &counted, coded);
    BFL_TAKE(data->data, workspace, BFL_SCRATCH, data->room);
    for (int64_t n = 0; n < coded->count; n++) {
        bfl_coded_chunk *chunk = &coded->chunks[n];
        uint64_t energy = 0;
        chunk->start = data->size;
        BFL_TRY(write_chunk(workspace, tables, content, &counted, chunk, data));
        chunk->size = data->size - chunk->start;
        for (int64_t k = chunk->first; k < chunk->first + chunk->components; k++)
            energy += (uint64_t)counted.energy[k];
        chunk->worth = bfl_chunk_worth(energy, content->step_code, chunk->size);
    }
    return data->full ? bfl_fail(workspace, BANDFOLD_FAULT, "a chunk is longer than it can be") : BANDFOLD_OK;
}

uint64_t bfl_segment_size(const bfl_coded_segment *coded)
{
    uint8_t memory[LONGEST_HEAD];
    bfl_output_bytes head = {.data = memory, .room = sizeof memory};
    put_head(coded, &head);
    return bfl_section_size(head.size + (coded->count > 1 ? 4 * (uint64_t)coded->count : 0) + data_size(coded));
}

bandfold_status bfl_write_segment(bfl_workspace *workspace, const bfl_coded_segment *coded, bandfold_bytes *section)
{
    const uint8_t *data = coded->data.data;
    bfl_output_bytes payload;
    BFL_TRY(bfl_begin_section(workspace, LONGEST_HEAD + data_size(coded), &payload));
    put_head(coded, &payload);
    /* The first checksum is of the head, too; a single chunk has none of its own. */
    const uint32_t head = bfl_crc32c(0, payload.data, payload.size);
    for (int64_t n = 0; coded->count > 1 && n < coded->count; n++)
        bfl_put_32(&payload, bfl_crc32c(n ? 0 : head, data + coded->chunks[n].start, coded->chunks[n].size));
    bfl_put_bytes(&payload, data, data_size(coded));
    return bfl_end_section(workspace, BFL_SEGMENT, &payload, section);
}
