/* What a stream is begun with: settings are checked, and what they name is read. */

#include "encoder.h"

#include "budget.h"
#include "metadata_writer.h"
#include "wavelengths.h"

#include <float.h>
#include <limits.h>
#include <string.h>

enum {
    DEFAULT_EFFORT = 5,
    MOST_EFFORT = 9,
    STRIP_LINES = 64,
    LEAST_PIXELS = 1024,
    MOST_SAMPLES = 3 << 23,
    LARGEST_DIMENSION = 1 << 24,
    MOST_BANDS = 1 << 16,
    MOST_ENTRIES = 1 << 22,
    REPEAT = 8,
    SCRUB = 16,
    FEW_COMPONENTS = 64,
    UNIFORM_TABLES = 0,
    DEPENDENT_TABLES = 1
};

static const double SMALLEST_STEP = 1.0 / 16, LARGEST_STEP = 1 << 20, HIGHEST_PSNR = 140.0;

/* What each effort does, from 1 to 9: onboard/effort.py. */
static const struct {
    uint8_t quantiser, searches;
    int most_rotated; /* components of a fold at most whose strongest ones are rotated */
} EFFORTS[MOST_EFFORT] = {{0, 1, FEW_COMPONENTS}, {0, 1, FEW_COMPONENTS}, {0, 1, INT_MAX}, {2, 1, INT_MAX}, {2, 1, INT_MAX},
                          {2, 1, INT_MAX},        {2, 2, INT_MAX},        {2, 3, INT_MAX}, {2, 4, INT_MAX}};

static bandfold_status refuse(bandfold_encoder *encoder, const char *reason)
{
    return bfl_fail(&encoder->workspace, BANDFOLD_BAD_ARGUMENT, reason);
}

static int is_given(double target)
{
    return target != 0.0;
}

/* What the encoding aims at: one thing. */
static bandfold_status check_target(bandfold_encoder *encoder, const bandfold_settings *settings)
{
    const double step = settings->step, bps = settings->bits_per_sample, psnr = settings->psnr, rmse = settings->rmse;
    if (is_given(step) + is_given(bps) + is_given(psnr) + is_given(rmse) != 1)
        return refuse(encoder, "give one of step, bits per sample, psnr and rmse");
    if (is_given(step) && !(step >= SMALLEST_STEP && step <= LARGEST_STEP))
        return refuse(encoder, "the step is out of range: give 1/16 to 2**20 counts");
    if (!(bps >= 0.0 && bps <= DBL_MAX) || !(rmse >= 0.0 && rmse <= DBL_MAX) || !(psnr >= 0.0 && psnr <= HIGHEST_PSNR))
        return refuse(encoder, "a rate or a quality is out of range: give a finite number above 0, of psnr up to 140");
    if (settings->buffer && !is_given(bps))
        return refuse(encoder, "a buffer goes with a rate: give bits per sample, or leave it out");
    return BANDFOLD_OK;
}

static bandfold_status check_settings(bandfold_encoder *encoder, const bandfold_settings *settings)
{
    if (settings->write == NULL)
        return refuse(encoder, "there is no function that takes what is written");
    if (settings->bands < 1 || settings->bands > MOST_BANDS || settings->samples < 1 ||
        settings->samples > LARGEST_DIMENSION)
        return refuse(encoder, "there are too few or too many bands, or samples of a line");
    if (settings->type > BANDFOLD_FLOAT64)
        return refuse(encoder, "there is no such type of samples");
    if (settings->type > BANDFOLD_INT16)
        return bfl_fail(&encoder->workspace, BANDFOLD_UNSUPPORTED,
                        "samples of more than 16 bits are not encoded: use the Python package, or scale them");
    BFL_TRY(check_target(encoder, settings));
    if (settings->effort > MOST_EFFORT || settings->effort < 0)
        return refuse(encoder, "the effort is out of range: give 1 to 9");
    if (settings->strip_lines % BFL_SIDE || settings->strip_lines > LARGEST_DIMENSION)
        return refuse(encoder, "strips have a multiple of 8 lines");
    if (settings->source_interleave > BANDFOLD_BIP)
        return refuse(encoder, "there is no such interleave");
    return bfl_check_fields(&encoder->workspace, settings->fields, settings->field_count);
}

/* Lines of a strip where nobody says: more than usual where lines are short, fewer where they are long. */
static uint32_t strip_height(const bandfold_settings *settings)
{
    const uint64_t block = (uint64_t)settings->samples * BFL_SIDE;
    const uint64_t least = (LEAST_PIXELS + block - 1) / block * BFL_SIDE;
    const uint64_t most = MOST_SAMPLES / (block * settings->bands) * BFL_SIDE;
    const uint64_t usual = least > STRIP_LINES ? least : STRIP_LINES, lines = usual < most ? usual : most;
    return settings->strip_lines ? settings->strip_lines : lines > BFL_SIDE ? (uint32_t)lines : BFL_SIDE;
}

static void make_header(bandfold_encoder *encoder, const bandfold_settings *settings, int quantiser)
{
    encoder->header = (bfl_header){
        .bands = settings->bands,
        .samples = settings->samples,
        .strip_lines = strip_height(settings),
        .step_code = bfl_step_code(settings->step),
        .type = settings->type,
        .interleave = settings->source_interleave,
        .big_endian = settings->source_big_endian != 0,
        .open = 1,
        .spectral = 1,
        .quantiser = (uint8_t)quantiser,
        .has_no_data = settings->has_no_data != 0,
        .no_data = settings->no_data,
        .has_sensor = 1,
    };
}

static bandfold_status read_package(bandfold_encoder *encoder, const bandfold_settings *settings)
{
    const bandfold_bytes *file = &settings->package;
    bfl_workspace *workspace = &encoder->workspace;
    bfl_reference *reference = &encoder->header.sensor;
    bfl_package package;
    int64_t entries = 0;
    if (file->data == NULL)
        return bfl_fail(workspace, BANDFOLD_NEEDS_PACKAGE, "an encoder needs the package of a sensor");
    BFL_TRY(bfl_open_package(workspace, file, "sensor", &package, encoder->sensor_name, reference->identity));
    reference->name = (const uint8_t *)encoder->sensor_name;
    reference->length = strlen(encoder->sensor_name);
    BFL_TRY(bfl_read_sensor(workspace, &package, &encoder->sensor));
    if (encoder->sensor.bands != encoder->header.bands)
        return bfl_fail(workspace, BANDFOLD_NEEDS_PACKAGE,
                        "the package is for another number of bands: take a package of the sensor");
    BFL_TRY(bfl_check_wavelengths(workspace, &package, settings->bands, settings->fields, settings->field_count));
    for (int64_t i = 0; i < encoder->sensor.intervals; i++) {
        const int64_t length = encoder->sensor.first[i].length;
        entries += length * length;
    }
    return entries <= MOST_ENTRIES ? BANDFOLD_OK
                                   : bfl_fail(workspace, BANDFOLD_NEEDS_PACKAGE,
                                              "intervals of the package have too many bands");
}

/* Memory of the lines that are held. */
static bandfold_status make_strips(bandfold_encoder *encoder)
{
    bfl_workspace *workspace = &encoder->workspace;
    const bfl_header *header = &encoder->header;
    const uint64_t count = bfl_product(bfl_product(header->bands, header->strip_lines), header->samples);
    const size_t size = bandfold_sample_size(header->type);
    encoder->held = (bfl_held_strip){
        .type = header->type, .bands = header->bands, .width = header->samples, .room = header->strip_lines};
    encoder->held.samples = bfl_take(workspace, BFL_LASTING, count, size);
    if (encoder->held.samples == NULL)
        return workspace->status;
    encoder->filled = encoder->held;
    if (!encoder->marker.told)
        return BANDFOLD_OK;
    encoder->filled.samples = bfl_take(workspace, BFL_LASTING, count, size);
    return encoder->filled.samples ? BANDFOLD_OK : workspace->status;
}

/* Metadata as a section that lasts until it is written. */
static bandfold_status keep_metadata(bandfold_encoder *encoder, const bandfold_settings *settings)
{
    bfl_workspace *workspace = &encoder->workspace;
    bandfold_bytes section;
    uint8_t *kept;
    if (settings->field_count == 0)
        return BANDFOLD_OK;
    BFL_TRY(bfl_write_metadata(workspace, &encoder->tables, settings->fields, settings->field_count, &section));
    BFL_TAKE(kept, workspace, BFL_LASTING, section.size);
    memcpy(kept, section.data, section.size);
    encoder->metadata = (bandfold_bytes){kept, section.size};
    return BANDFOLD_OK;
}

/* A number of strips: the usual one for 0, and 0 below. */
static uint32_t strips_or(int32_t told, uint32_t usual)
{
    return told < 0 ? 0 : told ? (uint32_t)told : usual;
}

bandfold_status bfl_begin_stream(bandfold_encoder *encoder, const bandfold_settings *settings)
{
    bfl_workspace *workspace = &encoder->workspace;
    BFL_TRY(check_settings(encoder, settings));
    const int effort = (settings->effort ? settings->effort : DEFAULT_EFFORT) - 1;
    const bfl_tables_data *data = &bfl_shipped_tables[EFFORTS[effort].quantiser ? DEPENDENT_TABLES : UNIFORM_TABLES];
    make_header(encoder, settings, EFFORTS[effort].quantiser);
    encoder->write = settings->write;
    encoder->context = settings->context;
    encoder->repeat = strips_or(settings->repeat, REPEAT);
    encoder->marker = bfl_make_marker(settings);
    encoder->control = bfl_make_control(settings);
    const bfl_block *before = bfl_mark(workspace, BFL_LASTING);
    BFL_TRY(read_package(encoder, settings));
    memcpy(encoder->header.tables, data->identity, sizeof data->identity);
    BFL_TRY(bfl_make_tables(workspace, data, EFFORTS[effort].quantiser, &encoder->tables));
    BFL_TRY(bfl_make_pushes(workspace, &encoder->tables));
    BFL_TRY(bfl_make_quantiser(workspace, &encoder->tables, EFFORTS[effort].searches, &encoder->quantiser));
    bfl_begin_scrubbing(workspace, before, strips_or(settings->scrub, SCRUB), &encoder->scrubber);
    bfl_make_kernel_cosine(&encoder->cosine);
    BFL_TRY(bfl_begin_planning(workspace, &encoder->sensor, &encoder->tables, &encoder->cosine,
                               EFFORTS[effort].most_rotated, &encoder->planner));
    BFL_TRY(make_strips(encoder));
    BFL_TRY(keep_metadata(encoder, settings));
    bfl_release(workspace, BFL_SCRATCH, NULL);
    encoder->lasting = workspace->used;
    return settings->reserve ? bfl_reserve(workspace, settings->reserve) : BANDFOLD_OK;
}
