/* Sorting sections by their numbers. */

#include "section_index.h"

#include "byte_reader.h"
#include "segment_layout.h"

static int comes_before(const bfl_entry *one, const bfl_entry *other)
{
    return one->number != other->number ? one->number < other->number : one->data < other->data;
}

/* Move an entry down a heap of `count` to where it belongs. */
static void sink(bfl_entry *heap, uint64_t place, uint64_t count)
{
    const bfl_entry moved = heap[place];
    for (uint64_t child; (child = 2 * place + 1) < count; place = child) {
        if (child + 1 < count && comes_before(&heap[child], &heap[child + 1]))
            child++;
        if (!comes_before(&moved, &heap[child]))
            break;
        heap[place] = heap[child];
    }
    heap[place] = moved;
}

/* By number and place in the stream, with no more memory and no recursion. */
static void sort(bfl_entries *entries)
{
    for (uint64_t place = entries->count / 2; place-- > 0;)
        sink(entries->entries, place, entries->count);
    for (uint64_t last = entries->count; last-- > 1;) {
        const bfl_entry largest = entries->entries[0];
        entries->entries[0] = entries->entries[last];
        entries->entries[last] = largest;
        sink(entries->entries, 0, last);
    }
}

static void keep_first(bfl_entries *entries)
{
    uint64_t kept = 0;
    for (uint64_t n = 0; n < entries->count; n++)
        if (kept == 0 || entries->entries[kept - 1].number != entries->entries[n].number)
            entries->entries[kept++] = entries->entries[n];
    entries->count = kept;
}

static bfl_entries *entries_of(bfl_section_index *index, const bfl_section *section)
{
    switch (section->kind) {
    case BFL_FOLD:
        return section->intact ? &index->folds : NULL;
    case BFL_ROTATION:
        return section->intact ? &index->rotations : NULL;
    case BFL_SEGMENT:
        return section->intact ? &index->segments : &index->remains;
    case BFL_REFINEMENT:
        return section->intact ? &index->refinements : NULL;
    default:
        return NULL;
    }
}

static bandfold_status add(bfl_workspace *workspace, bfl_entries *entries, const bfl_section *section)
{
    bfl_bytes bytes = {section->payload, section->size, 0};
    uint64_t number;
    if (!bfl_read_varint(&bytes, &number))
        return BANDFOLD_OK; /* without a number it is as good as absent */
    if (section->kind == BFL_REFINEMENT && section->size - bytes.at < BFL_REFINEMENT_HEAD)
        return BANDFOLD_OK;
    if (section->kind == BFL_SEGMENT && !section->intact) {
        const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
        bfl_segment segment;
        const bandfold_status status = bfl_split_segment(workspace, section->payload, section->size, 0, &segment);
        bfl_release(workspace, BFL_SCRATCH, mark);
        if (status != BANDFOLD_OK)
            return status == BANDFOLD_CORRUPT ? BANDFOLD_OK : status;
    }
    const uint64_t start = section->kind == BFL_SEGMENT ? 0 : bytes.at;
    entries->entries[entries->count++] =
        (bfl_entry){number, section->payload + start, section->size - start};
    return BANDFOLD_OK;
}

bandfold_status bfl_index_sections(bfl_workspace *workspace, const bfl_sections *sections, bfl_section_index *index)
{
    bfl_entries *const kinds[] = {&index->folds, &index->rotations, &index->segments, &index->remains,
                                  &index->refinements};
    enum { COUNT = sizeof kinds / sizeof *kinds };
    for (uint64_t n = 0; n < sections->count; n++) {
        bfl_entries *entries = entries_of(index, &sections->found[n]);
        if (entries)
            entries->count++;
    }
    for (int kind = 0; kind < COUNT; kind++) {
        BFL_TAKE(kinds[kind]->entries, workspace, BFL_LASTING, kinds[kind]->count);
        kinds[kind]->count = 0;
    }
    for (uint64_t n = 0; n < sections->count; n++) {
        const bfl_section *section = &sections->found[n];
        bfl_entries *entries = entries_of(index, section);
        if (entries)
            BFL_TRY(add(workspace, entries, section));
        else if (section->kind == BFL_REFINEMENT)
            index->damaged_refinements = 1;
        else if (section->intact && section->kind < BFL_KINDS && !index->single[section->kind].payload)
            index->single[section->kind] = *section;
    }
    for (int kind = 0; kind < COUNT; kind++) {
        sort(kinds[kind]);
        if (kinds[kind] != &index->refinements)
            keep_first(kinds[kind]);
    }
    return BANDFOLD_OK;
}

uint64_t bfl_entry_place(const bfl_entries *entries, uint64_t number)
{
    uint64_t low = 0, high = entries->count;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (entries->entries[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const bfl_entry *bfl_find_entry(const bfl_entries *entries, uint64_t number)
{
    const uint64_t place = bfl_entry_place(entries, number);
    return place < entries->count && entries->entries[place].number == number ? &entries->entries[place] : NULL;
}
