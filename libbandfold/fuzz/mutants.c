/* Decodes hostile inputs, one after the other, or encodes with them, and tells what the costliest took.
 *
 * Inputs come through standard input, each behind its length in 4 bytes, lowest first, or from the files that are
 * named. With --packages each stream that comes is followed by the package that it may name. With --encode settings and
 * samples come in place of streams, each followed by a package. The last line that is printed is a JSON object. Where
 * an input breaks a rule of memory the process ends, and standard error tells its number if a sanitiser does not.
 */

#include "encode_all.h"
#include "packages.h"

#include "../example/file_bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STATUSES = BANDFOLD_OVER_RATE + 1 };

/* What is done with an input. */
typedef outcome (*attempt)(const void *data, size_t size, const bandfold_bytes *given, size_t given_count);

typedef struct {
    unsigned long long tried, damaged, statuses[STATUSES];
    double slowest;
    double largest; /* bytes held, over those that an input of its size may take */
    unsigned long long slowest_input, largest_input;
} campaign;

static double now(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void try_input(campaign *all, attempt call, const void *data, size_t size, const bandfold_bytes *given,
                      size_t given_count)
{
    const double hundreds = size > 100000 ? (double)size / 100000.0 : 1.0, started = now();
    const outcome found = call(data, size, given, given_count);
    const double seconds = (now() - started) / hundreds;
    const double largest = (double)found.largest / hundreds;
    all->statuses[found.status]++;
    all->damaged += found.damaged > 0;
    if (seconds > all->slowest) {
        all->slowest = seconds;
        all->slowest_input = all->tried;
    }
    if (largest > all->largest) {
        all->largest = largest;
        all->largest_input = all->tried;
    }
    all->tried++;
}

/* Read the next input from a pipe; null at its end. */
static void *next_input(size_t *size)
{
    unsigned char length[4];
    if (fread(length, 1, sizeof length, stdin) != sizeof length)
        return NULL;
    *size = (size_t)length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 | (size_t)length[3] << 24;
    /* Of exactly that size, so that a sanitiser sees what is read behind it. */
    void *data = malloc(*size ? *size : 1);
    if (data && fread(data, 1, *size, stdin) != *size) {
        free(data);
        data = NULL;
    }
    return data;
}

static void try_pipe(campaign *all, attempt call, int with_packages)
{
    void *data;
    size_t size;
    while ((data = next_input(&size)) != NULL) {
        bandfold_bytes own = {0};
        void *package = with_packages ? next_input(&own.size) : NULL;
        own.data = package;
        if (with_packages)
            try_input(all, call, data, size, &own, package != NULL);
        else
            try_input(all, call, data, size, packages, package_count);
        free(package);
        free(data);
    }
}

int main(int count, char **words)
{
    campaign all = {0};
    const int encoding = count == 2 && strcmp(words[1], "--encode") == 0;
    const int with_packages = encoding || (count == 2 && strcmp(words[1], "--packages") == 0);
    void *data;
    size_t size;
    if (!load_packages()) {
        fputs("error: a file of BANDFOLD_PACKAGES cannot be read\n", stderr);
        return 2;
    }
    for (int n = 1; n < count && !with_packages; n++) {
        data = read_file(words[n], &size);
        if (data == NULL) {
            fprintf(stderr, "error: %s cannot be read\n", words[n]);
            return 2;
        }
        try_input(&all, decode_all, data, size, packages, package_count);
        free(data);
    }
    if (count == 1 || with_packages)
        try_pipe(&all, encoding ? encode_all : decode_all, with_packages);
    printf("{\"tried\": %llu, \"damaged\": %llu, \"statuses\": [", all.tried, all.damaged);
    for (int n = 0; n < STATUSES; n++)
        printf("%s%llu", n ? ", " : "", all.statuses[n]);
    printf("], \"slowest\": %.3f, \"slowest_input\": %llu, \"largest\": %.0f, \"largest_input\": %llu}\n", all.slowest,
           all.slowest_input, all.largest, all.largest_input);
    for (size_t n = 0; n < package_count; n++)
        free((void *)packages[n].data);
    return 0;
}
