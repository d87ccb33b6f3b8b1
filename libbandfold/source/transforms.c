/* Reading folds and rotations, each once. */

#include "transforms.h"

static const char *const NO_FOLD = "the fold of a segment is missing or its checksum is wrong";
static const char *const NO_ROTATION = "the rotations of a segment are missing or their checksum is wrong";

bandfold_status bfl_begin_transforms(bfl_workspace *workspace, const bfl_section_index *index, const bfl_tables *tables,
                                     const bfl_fold_source *source, bfl_transforms *transforms)
{
    const uint64_t folds = index->folds.count, rotations = index->rotations.count;
    *transforms = (bfl_transforms){.index = index, .tables = tables, .source = *source};
    BFL_TAKE(transforms->fold_states, workspace, BFL_LASTING, folds);
    BFL_TAKE(transforms->fold_faults, workspace, BFL_LASTING, folds);
    BFL_TAKE(transforms->folds, workspace, BFL_LASTING, folds);
    BFL_TAKE(transforms->rotation_states, workspace, BFL_LASTING, rotations);
    BFL_TAKE(transforms->rotation_faults, workspace, BFL_LASTING, rotations);
    BFL_TAKE(transforms->rotations, workspace, BFL_LASTING, rotations);
    return BANDFOLD_OK;
}

static bandfold_status read_fold(bfl_workspace *workspace, const bfl_transforms *transforms, uint64_t place)
{
    const bfl_entry *entry = &transforms->index->folds.entries[place];
    bfl_payload payload;
    transforms->folds[place] = (bfl_fold){0};
    BFL_TRY(bfl_open_payload(workspace, transforms->tables, entry->data, entry->size, &payload));
    BFL_TRY(bfl_read_fold(&payload, &transforms->source, &transforms->folds[place]));
    return bfl_finish_payload(&payload);
}

static bandfold_status read_rotations(bfl_workspace *workspace, const bfl_transforms *transforms, uint64_t place)
{
    const bfl_entry *entry = &transforms->index->rotations.entries[place];
    bfl_payload payload;
    BFL_TRY(bfl_open_payload(workspace, transforms->tables, entry->data, entry->size, &payload));
    BFL_TRY(bfl_read_rotations(&payload, &transforms->rotations[place]));
    return bfl_finish_payload(&payload);
}

/* Read a section with `read`, unless that was done before; what failed leaves no memory behind. */
static bandfold_status read_once(bfl_workspace *workspace, const bfl_transforms *transforms, uint64_t place,
                                 bfl_reading *state, const char **fault,
                                 bandfold_status (*read)(bfl_workspace *, const bfl_transforms *, uint64_t))
{
    if (*state == BFL_READ)
        return BANDFOLD_OK;
    if (*state == BFL_FAILED)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, *fault);
    const bfl_block *lasting = bfl_mark(workspace, BFL_LASTING), *scratch = bfl_mark(workspace, BFL_SCRATCH);
    const bandfold_status status = read(workspace, transforms, place);
    bfl_release(workspace, BFL_SCRATCH, scratch);
    if (status == BANDFOLD_OK) {
        *state = BFL_READ;
        return BANDFOLD_OK;
    }
    bfl_release(workspace, BFL_LASTING, lasting);
    if (status == BANDFOLD_CORRUPT) {
        *state = BFL_FAILED;
        *fault = workspace->reason;
    }
    return status;
}

bandfold_status bfl_find_fold(bfl_workspace *workspace, bfl_transforms *transforms, uint64_t number,
                              const bfl_fold **fold)
{
    const bfl_entries *folds = &transforms->index->folds;
    const bfl_entry *entry = bfl_find_entry(folds, number);
    if (entry == NULL)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, NO_FOLD);
    const uint64_t place = (uint64_t)(entry - folds->entries);
    BFL_TRY(read_once(workspace, transforms, place, &transforms->fold_states[place], &transforms->fold_faults[place],
                      read_fold));
    *fold = &transforms->folds[place];
    return BANDFOLD_OK;
}

bandfold_status bfl_find_rotations(bfl_workspace *workspace, bfl_transforms *transforms, uint64_t number,
                                   int64_t components, const bfl_rotations **rotations)
{
    const bfl_entries *sections = &transforms->index->rotations;
    const bfl_entry *entry = bfl_find_entry(sections, number);
    if (entry == NULL)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, NO_ROTATION);
    const uint64_t place = (uint64_t)(entry - sections->entries);
    BFL_TRY(read_once(workspace, transforms, place, &transforms->rotation_states[place],
                      &transforms->rotation_faults[place], read_rotations));
    if (transforms->rotations[place].size > components)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, "rotations are of more components than the fold has");
    *rotations = &transforms->rotations[place];
    return BANDFOLD_OK;
}

bandfold_status bfl_first_fold(bfl_workspace *workspace, bfl_transforms *transforms, const bfl_fold **fold)
{
    const bfl_entries *folds = &transforms->index->folds;
    const char *fault = NULL;
    for (uint64_t n = 0; n < folds->count; n++) {
        const bandfold_status status = bfl_find_fold(workspace, transforms, folds->entries[n].number, fold);
        if (status != BANDFOLD_CORRUPT)
            return status;
        fault = fault ? fault : workspace->reason;
    }
    return bfl_fail(workspace, BANDFOLD_CORRUPT,
                    fault ? fault : "no fold is intact: nothing can be decoded without one");
}
