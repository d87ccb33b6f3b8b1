/* Reading the basis of a sensor; what does not make one up is refused. */

#include "sensor_basis.h"

#include "vectors.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_MERGED = 128, MOST_INTERVALS = 1000 };

#define LARGEST_MEAN ((int64_t)1 << 40)

static bandfold_status refuse(bfl_workspace *workspace)
{
    return bfl_fail(workspace, BANDFOLD_NEEDS_PACKAGE, "a package holds no usable fold of a sensor");
}

static bandfold_status keep(bfl_workspace *workspace, const bfl_array *array, int64_t **kept)
{
    BFL_TAKE(*kept, workspace, BFL_LASTING, (uint64_t)array->count);
    memcpy(*kept, array->values, (size_t)array->count * sizeof **kept);
    return BANDFOLD_OK;
}

static bandfold_status read_vectors(bfl_workspace *workspace, const bfl_package *package, const char *name,
                                    bfl_sensor_vectors *vectors)
{
    bfl_array codes, precisions;
    char of_precisions[64];
    snprintf(of_precisions, sizeof of_precisions, "%s-precision", name);
    BFL_TRY(bfl_read_array(workspace, package, name, 2, &codes));
    BFL_TRY(bfl_read_array(workspace, package, of_precisions, 1, &precisions));
    vectors->length = codes.shape[0];
    vectors->count = codes.shape[1];
    if (precisions.count != vectors->count || vectors->count > vectors->length)
        return refuse(workspace);
    BFL_TRY(keep(workspace, &precisions, &vectors->precisions));
    BFL_TAKE(vectors->rows, workspace, BFL_LASTING, (uint64_t)codes.count);
    for (int64_t k = 0; k < vectors->count; k++) {
        const int64_t precision = vectors->precisions[k];
        if (precision < 1 || precision > BFL_FINEST_PRECISION)
            return refuse(workspace);
        for (int64_t n = 0; n < vectors->length; n++) {
            const int64_t code = codes.values[n * vectors->count + k];
            if (code > (int64_t)2 << precision || code < -((int64_t)2 << precision))
                return refuse(workspace);
            vectors->rows[k * vectors->length + n] = ldexp((double)code, -(int)precision);
        }
    }
    return bfl_orthonormalise(workspace, vectors->rows, vectors->length, vectors->count);
}

bandfold_status bfl_read_sensor(bfl_workspace *workspace, const bfl_package *package, bfl_sensor *sensor)
{
    bfl_array ends, means, merged;
    BFL_TRY(bfl_read_array(workspace, package, "ends", 1, &ends));
    BFL_TRY(bfl_read_array(workspace, package, "means", 1, &means));
    BFL_TRY(bfl_read_array(workspace, package, "merged", 1, &merged));
    sensor->intervals = ends.count;
    sensor->bands = means.count;
    if (ends.count < 1 || ends.count > MOST_INTERVALS || merged.count != ends.count ||
        ends.values[ends.count - 1] != means.count)
        return refuse(workspace);
    for (int64_t band = 0; band < means.count; band++)
        if (means.values[band] > LARGEST_MEAN || means.values[band] < -LARGEST_MEAN)
            return refuse(workspace);
    BFL_TRY(keep(workspace, &ends, &sensor->ends));
    BFL_TRY(keep(workspace, &means, &sensor->means));
    BFL_TRY(keep(workspace, &merged, &sensor->merged));
    BFL_TAKE(sensor->first, workspace, BFL_LASTING, (uint64_t)sensor->intervals);
    int64_t total = 0;
    for (int64_t i = 0; i < sensor->intervals; i++) {
        char name[32];
        snprintf(name, sizeof name, "first-%03d", (int)i);
        BFL_TRY(read_vectors(workspace, package, name, &sensor->first[i]));
        const int64_t length = ends.values[i] - (i ? ends.values[i - 1] : 0);
        if (length < 1 || sensor->first[i].length != length || merged.values[i] < 0 ||
            merged.values[i] > sensor->first[i].count || merged.values[i] > MOST_MERGED - total)
            return refuse(workspace);
        total += merged.values[i];
    }
    BFL_TRY(read_vectors(workspace, package, "second", &sensor->second));
    return sensor->second.length == total ? BANDFOLD_OK : refuse(workspace);
}
