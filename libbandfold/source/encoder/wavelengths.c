/* Wavelengths in nanometres, as the fields "wavelength" and "wavelength units" tell them. */

#include "wavelengths.h"

#include "decimal_number.h"

#include <math.h>
#include <string.h>

static const double LARGEST_MICROMETRES = 100.0;

static const bandfold_field *find_field(const bandfold_field *fields, uint32_t count, const char *key)
{
    for (uint32_t n = 0; n < count; n++)
        if (strcmp(fields[n].key, key) == 0)
            return &fields[n];
    return NULL;
}

/* A unit without spaces around it, in lower case; empty where there is none, or where it is too long to be one. */
static void tidy_unit(const char *text, char unit[16])
{
    size_t length = strlen(text);
    while (*text == ' ' && length)
        text++, length--;
    while (length && text[length - 1] == ' ')
        length--;
    if (length > 15)
        length = 15;
    for (size_t n = 0; n < length; n++)
        unit[n] = (char)(text[n] >= 'A' && text[n] <= 'Z' ? text[n] + ('a' - 'A') : text[n]);
    unit[length] = '\0';
}

/* Nanometres of a unit; 0 where it is not known. */
static double nanometres(const char *unit, double largest)
{
    static const char *const NANOMETRES[] = {"nanometers", "nanometres", "nm"};
    static const char *const MICROMETRES[] = {"micrometers", "micrometres", "microns", "um", "\xc2\xb5m"};
    if (unit[0] == '\0' || strcmp(unit, "unknown") == 0)
        return largest < LARGEST_MICROMETRES ? 1000.0 : 1.0;
    for (size_t n = 0; n < sizeof NANOMETRES / sizeof *NANOMETRES; n++)
        if (strcmp(unit, NANOMETRES[n]) == 0)
            return 1.0;
    for (size_t n = 0; n < sizeof MICROMETRES / sizeof *MICROMETRES; n++)
        if (strcmp(unit, MICROMETRES[n]) == 0)
            return 1000.0;
    return 0.0;
}

/* Wavelengths of all bands; returns 0 where they are not there, not numbers, or of a unit that is not known. */
static int read_wavelengths(const bandfold_field *fields, uint32_t count, int64_t bands, double *values)
{
    const bandfold_field *field = find_field(fields, count, "wavelength");
    const bandfold_field *units = find_field(fields, count, "wavelength units");
    double largest = 0.0;
    char unit[16] = "";
    if (field == NULL || !field->is_list || field->count != bands)
        return 0;
    for (int64_t band = 0; band < bands; band++) {
        if (!bfl_read_decimal(field->items[band], &values[band]) || values[band] <= 0.0)
            return 0;
        largest = values[band] > largest ? values[band] : largest;
    }
    if (units && !units->is_list)
        tidy_unit(units->items[0], unit);
    const double factor = nanometres(unit, largest);
    for (int64_t band = 0; band < bands; band++)
        values[band] *= factor;
    return factor > 0.0;
}

bandfold_status bfl_check_wavelengths(bfl_workspace *workspace, const bfl_package *package, int64_t bands,
                                      const bandfold_field *fields, uint32_t count)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    double *found, *known;
    if (!bfl_has_array(package, "wavelengths"))
        return BANDFOLD_OK;
    BFL_TRY(bfl_read_doubles(workspace, package, "wavelengths", bands, &known));
    BFL_TAKE(found, workspace, BFL_SCRATCH, (uint64_t)bands);
    if (bands < 2 || !read_wavelengths(fields, count, bands, found))
        return BANDFOLD_OK;
    for (int64_t band = 0; band < bands; band++) {
        const int64_t before = band ? band - 1 : 0, behind = band < bands - 1 ? band + 1 : band;
        const double distance = (known[behind] - known[before]) / (double)(behind - before);
        if (fabs(found[band] - known[band]) > fabs(distance) / 2)
            return bfl_fail(workspace, BANDFOLD_NEEDS_PACKAGE,
                            "wavelengths are not those of the package: take a package of the sensor");
    }
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}
