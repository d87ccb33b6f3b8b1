/* libbandfold: decodes and encodes bandfold streams (hyperspectral scenes), in C11 and with nothing but libc and libm.
 *
 * Samples are those that the Python package decodes with its restoration switched off (restore="off"); the restoration
 * network is the ground decoder's alone. Streams that are encoded are those of the Python package, byte by byte. Kinds
 * of streams that are not decoded, and settings that are not encoded with, are refused with BANDFOLD_UNSUPPORTED.
 *
 * There is no global state: decoders and encoders that are used by several threads are independent as long as each is
 * used by one thread at a time. Of a decoder the stream and the packages are not copied: they must stay in memory until
 * `bandfold_close`. An encoder needs nothing of what it was given once it is open.
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
    BANDFOLD_UNSUPPORTED,   /* a kind of stream that this library does not decode, or does not encode */
    BANDFOLD_NEEDS_PACKAGE, /* a package was not given, or cannot be used */
    BANDFOLD_OVER_LIMIT,    /* it claims more memory or work than it may take */
    BANDFOLD_NO_MEMORY,     /* the allocator had none left */
    BANDFOLD_BAD_ARGUMENT,  /* a range outside of the scene, too small a buffer, or settings that are impossible */
    BANDFOLD_NOT_WRITTEN,   /* the function that takes what is encoded has failed */
    BANDFOLD_FAULT,         /* what was encoded is not what was to be encoded: a fault, of memory or of the program */
    BANDFOLD_OVER_RATE      /* a strip does not fit the rate */
} bandfold_status;

/* What a status means: one line in English, never null. */
BANDFOLD_API const char *bandfold_message(bandfold_status status);

/* The version of the library, as "0.1.0". */
BANDFOLD_API const char *bandfold_version(void);

/* Where memory comes from; all that is taken is given back by `bandfold_close` or `bandfold_encoder_close` at the
 * latest.
 */
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

/* A field of metadata: a text, which is one item, or a list of texts; all in UTF-8, and ended by zeros. */
typedef struct {
    const char *key; /* as in an ENVI header, in lower case */
    const char *const *items;
    uint32_t count;
    int is_list;
} bandfold_field;

/* How a stream is encoded. What is 0 has its usual value, where one is named. */
typedef struct {
    uint32_t bands, samples;      /* samples of a line */
    bandfold_type type;           /* of 8 or 16 bits */
    double step;                  /* of the quantiser, in counts: 1/16 to 2**20; it is rounded to 1/256 */
    double bits_per_sample;       /* in place of a step: of all bytes, on average from the first strip on */
    double psnr, rmse;            /* in place of a step: in dB, the peak being 65535; or in counts; of each strip */
    uint64_t buffer;              /* bytes of the transmitter's buffer, with a rate; 0: four strips at that rate */
    bandfold_bytes package;       /* the package file (.bfm) of the sensor, for as many bands */
    uint32_t strip_lines;         /* lines that are coded together, a multiple of 8; 0: 64, more or fewer where lines
                                     are short or long */
    int effort;                   /* time to spend on fewer bytes, 1 to 9; 0: 5 */
    int32_t repeat;               /* strips after which header and fold are told again; 0: 8, below 0: never */
    int32_t scrub;                /* strips after which package and tables in memory are compared with their checksum,
                                     as at the end; 0: 16, below 0: never */
    int has_no_data;              /* whether a value marks absent samples */
    double no_data;
    bandfold_interleave source_interleave; /* only told to who decodes, as is the byte order */
    int source_big_endian;
    const bandfold_field *fields; /* metadata that the stream brings along */
    uint32_t field_count;
    /* Called with each section of the stream, in order, as soon as it is finished; not 0 ends the encoding. */
    int (*write)(void *context, const void *section, size_t size);
    void *context;                /* for `write` */
    uint64_t memory_limit;        /* bytes; 0: 4 GiB */
    uint64_t reserve;             /* bytes that are taken at once for the coding of strips: while it is enough, nothing
                                     is allocated later; see `bandfold_encoder_most_memory` */
    const bandfold_allocator *allocator; /* null: malloc and free */
} bandfold_settings;

typedef struct bandfold_encoder bandfold_encoder;

/* Begin a stream. Nothing is written before the first strip is full.
 *
 * If the result is BANDFOLD_OK, `*encoder` is to be closed; otherwise it is null. `reason` is as in `bandfold_open`.
 */
BANDFOLD_API bandfold_status bandfold_encoder_open(const bandfold_settings *settings, bandfold_encoder **encoder,
                                                   const char **reason);

/* Take lines as a push-broom instrument delivers them: all bands of a line, then all of the next one, in the byte order
 * of the machine. What comes out does not depend on how many lines are handed over at once.
 *
 * A failure of coding lasts: later calls return it again. What was written by then is a stream that was cut off.
 */
BANDFOLD_API bandfold_status bandfold_encoder_push(bandfold_encoder *encoder, const void *samples, uint32_t lines,
                                                   const char **reason);

/* Take the next band of a frame, as a framing camera delivers them: `lines` whole lines of it. All bands of a frame
 * have as many lines, which must fit into what is left of a strip.
 */
BANDFOLD_API bandfold_status bandfold_encoder_push_band(bandfold_encoder *encoder, const void *samples, uint32_t lines,
                                                        const char **reason);

/* Code the lines that are left and end the stream; the second time nothing happens. */
BANDFOLD_API bandfold_status bandfold_encoder_finish(bandfold_encoder *encoder, const char **reason);

/* Lines of a strip, and lines that were handed over. */
BANDFOLD_API uint32_t bandfold_encoder_strip_lines(const bandfold_encoder *encoder);
BANDFOLD_API uint32_t bandfold_encoder_lines(const bandfold_encoder *encoder);

/* Bytes that were needed at a time so far, and of these what is needed as long as the encoder is open: the difference
 * is a `reserve` with which strips like those so far are coded without any allocation.
 */
BANDFOLD_API uint64_t bandfold_encoder_most_memory(const bandfold_encoder *encoder);
BANDFOLD_API uint64_t bandfold_encoder_lasting_memory(const bandfold_encoder *encoder);

/* Give back all memory; null does nothing. A stream that is not finished stays cut off. */
BANDFOLD_API void bandfold_encoder_close(bandfold_encoder *encoder);

#ifdef __cplusplus
}
#endif

#endif
