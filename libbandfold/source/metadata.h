/* Metadata of the scene, as texts. */
#ifndef BFL_METADATA_H
#define BFL_METADATA_H

#include "payload.h"

typedef struct {
    const char *key;
    const char **items;
    uint32_t count;
    int is_list;
} bfl_field;

typedef struct {
    bfl_field *fields;
    uint32_t count;
} bfl_metadata;

bandfold_status bfl_read_metadata(bfl_payload *payload, bfl_metadata *metadata);

#endif
