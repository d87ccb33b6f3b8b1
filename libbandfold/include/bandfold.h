/* libbandfold: decodes bandfold streams (hyperspectral scenes), in C11 and with nothing but libc and libm.
 *
 * Samples are those that the Python package decodes with its restoration switched off (restore="off"); the restoration
 * network is the ground decoder's alone. Kinds of streams that are not decoded are refused with BANDFOLD_UNSUPPORTED.
 *
 * There is no global state: decoders that are used by several threads are independent as long as each is used by one
 * thread at a time. The stream and the packages are not copied: they must stay in memory until `bandfold_close`.
 */
#ifndef BANDFOLD_H
#define BANDFOLD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if !defined(BANDFOLD_API)
#if defined(__GNUC__)
#define BANDFOLD_API __attribute__((visibility("default")))
#else
#define BANDFOLD_API
#endif
#endif

/* What a call came to. Functions that can fail also tell a reason, see there. */
typedef enum {
    BANDFOLD_OK = 0,
    BANDFOLD_CORRUPT,       /* no bandfold stream, or damaged in what all of it needs */
    BANDFOLD_UNSUPPORTED,   /* a kind of stream that this library does not decode */
    BANDFOLD_NEEDS_PACKAGE, /* the stream names a package that was not given */
    BANDFOLD_OVER_LIMIT,    /* it claims more memory or work than it may take */
    BANDFOLD_NO_MEMORY,     /* the allocator had none left */
    BANDFOLD_BAD_ARGUMENT   /* a range outside of the scene, or too small a buffer */
} bandfold_status;

/* What a status means: one line in English, never null. */
BANDFOLD_API const char *bandfold_message(bandfold_status status);

/* The version of the library, as "0.1.0". */
BANDFOLD_API const char *bandfold_version(void);

/* Where memory comes from; all that is taken is given back by `bandfold_close` at the latest. */
typedef struct {
    void *(*allocate)(void *context, size_t size); /* aligned for any type; null where there is none left */
    void (*release)(void *context, void *block);
    void *context;
} bandfold_allocator;

/* Bytes of the caller's. */
typedef struct {
    const void *data;
    size_t size;
} bandfold_bytes;

/* How a stream is opened; all zero is a good choice. */
typedef struct {
    uint64_t memory_limit;               /* bytes that decoding may take, samples included; 0: 4 GiB */
    int trusted;                         /* whether short streams may take much memory and work */
    int base_only;                       /* whether refinements, which bound errors, are left alone */
    const bandfold_bytes *packages;      /* contents of package files (.bfm) that the stream may name */
    size_t package_count;
    const bandfold_allocator *allocator; /* null: malloc and free */
} bandfold_options;

typedef struct bandfold_decoder bandfold_decoder;

/* Read all of a stream but its segments.
 *
 * `options` may be null. If the result is BANDFOLD_OK, `*decoder` is to be closed; otherwise it is null. `reason`, if
 * not null, gets a text that lasts for ever: what is wrong, or "" if nothing is.
 */
BANDFOLD_API bandfold_status bandfold_open(const void *stream, size_t size, const bandfold_options *options,
                                           bandfold_decoder **decoder, const char **reason);

/* Give back all memory; null does nothing. */
BANDFOLD_API void bandfold_close(bandfold_decoder *decoder);

/* Types of samples. */
typedef enum {
    BANDFOLD_UINT8 = 0,
    BANDFOLD_INT8,
    BANDFOLD_UINT16,
    BANDFOLD_INT16,
    BANDFOLD_INT32,
    BANDFOLD_UINT32,
    BANDFOLD_FLOAT32,
    BANDFOLD_FLOAT64
} bandfold_type;

/* Bytes of a sample; 0 for a type that there is not. */
BANDFOLD_API size_t bandfold_sample_size(bandfold_type type);

/* How the file that the scene came from was laid out. */
typedef enum { BANDFOLD_BSQ = 0, BANDFOLD_BIL, BANDFOLD_BIP } bandfold_interleave;

/* What a stream says of its scene. */
typedef struct {
    uint32_t bands, lines, samples; /* samples of a line */
    bandfold_type type;
    uint32_t strip_lines;           /* lines that are decoded together; the last strip may be lower */
    double step;                    /* of the quantiser, in counts; segments may have others */
    int complete;                   /* 0: the stream was cut off, and the scene may have had more lines */
    int bounded;                    /* whether it says that errors are bounded, or samples exact */
    int has_no_data;                /* whether a value marks absent samples */
    double no_data;
    int scaled;                     /* whether samples are counts * scale + offset */
    double scale, offset;
    bandfold_interleave source_interleave;
    int source_big_endian;
} bandfold_info;

BANDFOLD_API void bandfold_get_info(const bandfold_decoder *decoder, bandfold_info *info);

/* Metadata: fields of the ENVI header of the scene, each a text or a list of texts. */
BANDFOLD_API uint32_t bandfold_field_count(const bandfold_decoder *decoder);

/* Key of a field, in UTF-8; null beyond the last one. */
BANDFOLD_API const char *bandfold_field_key(const bandfold_decoder *decoder, uint32_t field);

/* Number of the field of a key; `bandfold_field_count` if there is none. */
BANDFOLD_API uint32_t bandfold_find_field(const bandfold_decoder *decoder, const char *key);

/* Whether a field is a list; and how many items it has, 1 where it is a text. */
BANDFOLD_API int bandfold_field_is_list(const bandfold_decoder *decoder, uint32_t field);
BANDFOLD_API uint32_t bandfold_item_count(const bandfold_decoder *decoder, uint32_t field);

/* An item of a field, in UTF-8; null beyond the last one. */
BANDFOLD_API const char *bandfold_item(const bandfold_decoder *decoder, uint32_t field, uint32_t item);

/* Wavelengths of all bands as the field "wavelength" tells them, in the unit of "wavelength units": returns 1 and fills
 * `wavelengths`, which has room for one of each band, or returns 0 if the stream does not tell so many numbers.
 */
BANDFOLD_API int bandfold_wavelengths(const bandfold_decoder *decoder, double *wavelengths);

/* What became of the lines of a strip. */
typedef enum {
    BANDFOLD_INTACT = 0, /* as they were encoded */
    BANDFOLD_PARTIAL,    /* decoded from the chunks that are left */
    BANDFOLD_UNBOUNDED,  /* decoded, but what bounds their errors is lost */
    BANDFOLD_FILLED      /* lost, and filled with the means of the bands */
} bandfold_condition;

typedef struct {
    uint32_t first_line, lines; /* of the strip, whichever of them were asked for */
    bandfold_condition condition;
    int refined;                /* whether errors are bounded */
    const char *reason;         /* what is wrong, or "" */
} bandfold_strip_report;

/* A part of a scene. */
typedef struct {
    uint32_t first_band, bands; /* 0 bands: all from the first one on */
    uint32_t first_line, lines; /* 0 lines: all from the first one on */
    void (*report)(void *context, const bandfold_strip_report *strip); /* called for each strip; null: not at all */
    void *context;
} bandfold_request;

/* Bytes that the samples of a request take. Refuses what a stream of its size should not claim, or what is over the
 * memory limit, before anything is allocated. `request` may be null: the whole scene.
 */
BANDFOLD_API bandfold_status bandfold_output_size(const bandfold_decoder *decoder, const bandfold_request *request,
                                                  uint64_t *bytes, const char **reason);

/* Decode a part of a scene into memory of the caller: band by band, in each line by line, in the byte order of the
 * machine.
 *
 * `samples` has at least the `size` bytes that `bandfold_output_size` tells, aligned for their type. Damage of a strip
 * is no failure: its lines are filled with the means of the bands or with what is left, and reported. Where the result
 * is not BANDFOLD_OK samples have any value. Memory is given back but for folds, which later calls need.
 */
BANDFOLD_API bandfold_status bandfold_decode(bandfold_decoder *decoder, const bandfold_request *request, void *samples,
                                             size_t size, const char **reason);

#ifdef __cplusplus
}
#endif

#endif
