/* Reading a model of predicted bands; what does not make one up is refused. */

#include "predicted_model.h"

#include "kernels.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    GROUPS = 8,
    SUPPORT = 24,
    CLASSES = 48,
    POINTS = 3,
    MOST_UNITS = 64,
    LARGEST_KERNEL = 1 << 14,
    LARGEST_BYTE = 127,
    LARGEST_POINT = 1 << 10,
    MOST_SHIFT = 24,
    REACH = 1 << 24,
    PRECISION = 24
};

static const char *const MARK = "basis-functions";

static bandfold_status refuse(bfl_workspace *workspace)
{
    return bfl_fail(workspace, BANDFOLD_NEEDS_PACKAGE, "a package holds no usable model of predicted bands");
}

int bfl_is_predicted_model(const bfl_package *package)
{
    return bfl_has_array(package, MARK);
}

/* An array of the statistics, all values of which are between -`most` and `most`. */
static bandfold_status read_part(bfl_workspace *workspace, const bfl_package *package, const char *part,
                                 int32_t dimensions, int64_t most, bfl_array *array, const int32_t **kept)
{
    char name[64];
    int32_t *values;
    snprintf(name, sizeof name, "banded_%s", part);
    BFL_TRY(bfl_read_array(workspace, package, name, dimensions, array));
    BFL_TAKE(values, workspace, BFL_LASTING, (uint64_t)array->count);
    for (int64_t n = 0; n < array->count; n++) {
        if (array->values[n] > most || array->values[n] < -most)
            return refuse(workspace);
        values[n] = (int32_t)array->values[n];
    }
    *kept = values;
    return BANDFOLD_OK;
}

static int has_shape(const bfl_array *array, int64_t a, int64_t b, int64_t c)
{
    return array->shape[0] == a && (array->dimensions < 2 || array->shape[1] == b) &&
           (array->dimensions < 3 || array->shape[2] == c);
}

/* Frequencies of all classes, and reconstruction points. */
static bandfold_status read_statistics(bfl_workspace *workspace, const bfl_package *package, bfl_mode_data *mode)
{
    bfl_array frequencies, points;
    BFL_TRY(read_part(workspace, package, "frequencies", 2, (int64_t)1 << PRECISION, &frequencies, &mode->frequencies));
    BFL_TRY(read_part(workspace, package, "points", 2, LARGEST_POINT, &points, &mode->points));
    if (!has_shape(&frequencies, CLASSES, BF_TOKENS, 0) || !has_shape(&points, CLASSES, POINTS, 0))
        return refuse(workspace);
    for (int64_t row = 0; row < CLASSES; row++) {
        int64_t sum = 0;
        for (int64_t token = 0; token < BF_TOKENS; token++) {
            const int64_t frequency = frequencies.values[row * BF_TOKENS + token];
            if (frequency < 1)
                return refuse(workspace);
            sum += frequency;
        }
        if (sum != (int64_t)1 << PRECISION)
            return refuse(workspace);
    }
    mode->classes = CLASSES;
    return BANDFOLD_OK;
}

/* Whether sums of a layer stay below 2**24: its inputs are at most 127. */
static int is_exact(const int32_t *weights, int64_t units, int64_t inputs, const int32_t *bias, int64_t biases)
{
    int64_t largest = 0, largest_bias = 0;
    for (int64_t unit = 0; unit < units; unit++) {
        int64_t sum = 0;
        for (int64_t n = 0; n < inputs; n++)
            sum += labs(weights[unit * inputs + n]);
        largest = sum > largest ? sum : largest;
    }
    for (int64_t n = 0; n < biases; n++)
        largest_bias = labs(bias[n]) > largest_bias ? labs(bias[n]) : largest_bias;
    return largest * LARGEST_BYTE + largest_bias < REACH;
}

/* The context network: two hidden layers, whose weights are bytes. */
static bandfold_status read_network(bfl_workspace *workspace, const bfl_package *package, bfl_mode_data *mode)
{
    bfl_array hidden, bias, middle, middle_bias, output, offset, shifts;
    BFL_TRY(read_part(workspace, package, "hidden", 3, LARGEST_BYTE, &hidden, &mode->hidden));
    BFL_TRY(read_part(workspace, package, "bias", 2, REACH, &bias, &mode->bias));
    BFL_TRY(read_part(workspace, package, "middle", 3, LARGEST_BYTE, &middle, &mode->middle));
    BFL_TRY(read_part(workspace, package, "middle_bias", 2, REACH, &middle_bias, &mode->middle_bias));
    BFL_TRY(read_part(workspace, package, "output", 2, LARGEST_BYTE, &output, &mode->output));
    BFL_TRY(read_part(workspace, package, "offset", 1, REACH, &offset, &mode->offset));
    BFL_TRY(read_part(workspace, package, "shifts", 1, MOST_SHIFT, &shifts, &mode->shifts));
    const int64_t units = hidden.shape[1], middle_units = middle.shape[1], features = hidden.shape[2];
    if (units < 1 || units > MOST_UNITS || middle_units < 1 || middle_units > MOST_UNITS ||
        (features != BF_FEATURES && features != BF_FEATURES + BF_EXTENDED_FEATURES) ||
        !has_shape(&hidden, GROUPS, units, features) || !has_shape(&bias, BF_CHANNELS, units, 0) ||
        !has_shape(&middle, GROUPS, middle_units, units) || !has_shape(&middle_bias, GROUPS, middle_units, 0) ||
        !has_shape(&output, GROUPS, middle_units, 0) || !has_shape(&offset, GROUPS, 0, 0) ||
        !has_shape(&shifts, 3, 0, 0))
        return refuse(workspace);
    for (int n = 0; n < 3; n++)
        if (mode->shifts[n] < 0)
            return refuse(workspace);
    if (!is_exact(mode->hidden, GROUPS * units, features, mode->bias, bias.count) ||
        !is_exact(mode->middle, GROUPS * middle_units, units, mode->middle_bias, middle_bias.count) ||
        !is_exact(mode->output, GROUPS, middle_units, mode->offset, offset.count))
        return refuse(workspace);
    mode->features = (int32_t)features;
    mode->units = (int32_t)units;
    mode->middle_units = (int32_t)middle_units;
    return BANDFOLD_OK;
}

bandfold_status bfl_read_predicted_model(bfl_workspace *workspace, const bfl_package *package,
                                         bfl_predicted_model *model)
{
    bfl_array kernels;
    BFL_TRY(bfl_read_array(workspace, package, MARK, 4, &kernels));
    if (!has_shape(&kernels, kernels.shape[0], BF_CHANNELS, SUPPORT) || kernels.shape[3] != SUPPORT ||
        kernels.shape[0] < 1)
        return refuse(workspace);
    model->engines = kernels.shape[0];
    BFL_TAKE(model->kernels, workspace, BFL_LASTING, (uint64_t)kernels.count);
    for (int64_t n = 0; n < kernels.count; n++) {
        if (kernels.values[n] >= LARGEST_KERNEL || kernels.values[n] <= -LARGEST_KERNEL)
            return refuse(workspace);
        model->kernels[n] = (int32_t)kernels.values[n];
    }
    BFL_TRY(read_statistics(workspace, package, &model->mode));
    return read_network(workspace, package, &model->mode);
}
