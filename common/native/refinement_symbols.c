/* Symbols of refinement: their classes, tokens and entropy coder. See bitstream/refinement/contexts.py and
 * interleaved_ans.py there.
 */

#include "refinement.h"
#include "tokens.h"

#include <string.h>

enum {
    PRECISION = 24,
    WORD = 32,
    GUESS_BITS = 12,
    FEATURES = 8,
    STATES = 4,
    ABSENT = 255,
    MEAN = 16,
    LARGEST = 255,
    RATIOS = 4096,
    UNIT_RATIO_BITS = 8,
    FIRST_CLASS = 16,
    GROUP = 16, /* scales that share weights */
    GROUPS = 10,
    UNIT_SCALE = 96,
    TABLE_OCTAVES = 7,
    MARGIN = 8 /* columns beside a row of scratch memory */
};

static const uint64_t START = (uint64_t)1 << WORD;

/* What the samples of a band are classified by. Sums of features stay below 2**16. */
typedef struct {
    const bf_refinement *tables;
    const uint8_t *previous;
    uint8_t *own;
    uint16_t *average;
    int32_t lines, samples;
    int32_t raw;                /* low bits that are left out */
    int32_t scale, inverse;     /* of the rest */
    int32_t cap;                /* no larger magnitude matters */
    const int32_t *weights;
    int32_t *values;            /* a row with margins, as the others */
    uint16_t *three, *five, *deep, *up, *running;
    uint8_t *classes;           /* of a line */
    int32_t steps[4];           /* mantissas of ratios from which on the class is one more */
    int32_t first;              /* class of the ratio 2**-127, had it one */
} contexts;

/* Mantissas of 2**(k / 8) as float32, rounded up; behind the last one nothing. */
static const int32_t EIGHTHS[9] = {0, 0x0b95c2, 0x1837f1, 0x25fed7, 0x3504f4, 0x45672b, 0x5744fd, 0x6ac0c7, INT32_MAX};

static contexts start_band(const bf_refinement *tables, const bf_refinement_past *past, int32_t scale)
{
    const int32_t samples = past->samples;
    const int64_t plane = (int64_t)past->lines * samples;
    contexts band = {.tables = tables, .previous = past->planes + (1 - past->current) * plane,
                     .own = past->planes + past->current * plane, .average = past->averages,
                     .lines = past->lines, .samples = samples};
    const int64_t row = (int64_t)samples + 2 * MARGIN;
    band.raw = scale - UNIT_SCALE < TABLE_OCTAVES * 8 ? 0 : (scale - UNIT_SCALE) / 8 - TABLE_OCTAVES + 1;
    band.scale = scale - 8 * band.raw;
    band.inverse = tables->inverse[band.scale];
    band.cap = ((LARGEST + 1) << 16) / band.inverse + 1;
    band.weights = tables->weights + FEATURES * (band.scale / GROUP < GROUPS ? band.scale / GROUP : GROUPS - 1);
    band.values = past->scratch + MARGIN;
    band.three = (uint16_t *)(past->scratch + row) + MARGIN;
    band.five = band.three + row;
    band.deep = band.five + row;
    band.up = band.deep + row;
    band.running = band.up + row;
    band.classes = (uint8_t *)(band.running + row);
    for (int32_t x = 0; x < samples; x++)
        band.running[x] = MEAN << 4;
    /* Two eighths of an octave a class: every second eighth counts, the odd ones where the scale is odd. */
    const int32_t from = band.scale - FIRST_CLASS, odd = from & 1;
    for (int32_t n = 0; n < 4; n++)
        band.steps[n] = EIGHTHS[odd ? 2 * n + 1 : 2 * n + 2];
    band.first = (from - odd) / 2 - 4 * (UNIT_RATIO_BITS + 127);
    return band;
}

BF_INLINE void repeat_edges(uint16_t *row, int64_t samples, int64_t reach)
{
    for (int64_t n = 1; n <= reach; n++) {
        row[-n] = row[0];
        row[samples - 1 + n] = row[samples - 1];
    }
}

/* First sample of a line, or of the one at the edge. */
BF_INLINE int64_t start_of(int32_t line, const contexts *band)
{
    line = line < 0 ? 0 : line >= band->lines ? band->lines - 1 : line;
    return (int64_t)line * band->samples;
}

/* Sums down the columns: of three and of five lines one band before, and of three of what runs over the bands. */
BF_INLINE void sum_columns(const uint8_t *restrict p2, const uint8_t *restrict p1, const uint8_t *restrict p,
                           const uint8_t *restrict n1, const uint8_t *restrict n2, const uint16_t *restrict d1,
                           const uint16_t *restrict d, const uint16_t *restrict e1, int64_t samples,
                           uint16_t *restrict three, uint16_t *restrict five, uint16_t *restrict deep)
{
    for (int64_t x = 0; x < samples; x++) {
        const uint16_t middle = (uint16_t)(p1[x] + p[x] + n1[x]);
        three[x] = middle;
        five[x] = (uint16_t)(middle + p2[x] + n2[x]);
        deep[x] = (uint16_t)(d1[x] + d[x] + e1[x]);
    }
}

/* Weighted sums of all features; rows have margins. Counters have 64 bits: with fewer, and where overflow is to wrap
 * around (-fwrapv, which Python is built with), compilers would not take `x - 1` for the neighbour of `x`.
 */
BF_INLINE void weigh_features(const int32_t *restrict w, const uint16_t *restrict up, const uint16_t *restrict three,
                              const uint16_t *restrict five, const uint16_t *restrict d,
                              const uint16_t *restrict deep, const uint16_t *restrict running, int64_t samples,
                              int32_t *restrict values)
{
    const int32_t w0 = w[0] * MEAN, w1 = w[1], w2 = w[2], w3 = w[3], w4 = w[4], w5 = w[5], w6 = w[6], w7 = w[7];
    for (int64_t x = 0; x < samples; x++) {
        const uint16_t sides = (uint16_t)(up[x - 1] + up[x + 1]);
        const uint16_t near = (uint16_t)(three[x - 1] + three[x] + three[x + 1]);
        const uint16_t far = (uint16_t)(five[x - 2] + five[x - 1] + five[x] + five[x + 1] + five[x + 2]);
        const uint16_t around = (uint16_t)(deep[x - 1] + deep[x] + deep[x + 1]);
        const uint16_t wide = (uint16_t)(running[x - 3] + running[x - 2] + running[x - 1] + running[x] +
                                         running[x + 1] + running[x + 2] + running[x + 3]);
        values[x] = w0 + w1 * up[x] + w2 * sides + w3 * near + w4 * far + w5 * d[x] + w6 * around + w7 * wide;
    }
}

/* Classes from weighted sums: `steps` are mantissas of ratios from which on the class is one more. */
BF_INLINE void classes_of(const int32_t *restrict values, const int32_t *restrict steps, int32_t first, int32_t last,
                          int64_t samples, uint8_t *restrict classes)
{
    const int32_t s0 = steps[0], s1 = steps[1], s2 = steps[2], s3 = steps[3];
    for (int64_t x = 0; x < samples; x++) {
        int32_t value = values[x] >> GUESS_BITS;
        value = value < 1 ? 1 : value;
        value = value >= RATIOS ? RATIOS - 1 : value;
        /* Exponent and mantissa of the ratio are its logarithm, in eighths after four comparisons. */
        const union { float number; int32_t bits; } ratio = {(float)value};
        const int32_t mantissa = ratio.bits & 0x7fffff;
        int32_t kind = first + 4 * (ratio.bits >> 23);
        kind += (mantissa >= s0) + (mantissa >= s1) + (mantissa >= s2) + (mantissa >= s3);
        kind = kind < 0 ? 0 : kind > last ? last : kind;
        classes[x] = (uint8_t)kind;
    }
}

/* Classes of a line, all lines above being known. */
BF_CLONES
static void classify_line(const contexts *band, int32_t line, const uint8_t *absent, uint8_t *restrict classes)
{
    const int64_t samples = band->samples;
    const int64_t here = start_of(line, band), above = start_of(line - 1, band), below = start_of(line + 1, band);
    const uint8_t *p = band->previous + here;
    const uint8_t *last = line > 0 ? band->own + above : p;
    uint16_t *restrict up = band->up;
    sum_columns(band->previous + start_of(line - 2, band), band->previous + above, p, band->previous + below,
                band->previous + start_of(line + 2, band), band->average + above, band->average + here,
                band->average + below, samples, band->three, band->five, band->deep);
    for (int64_t x = 0; x < samples; x++)
        up[x] = last[x];
    repeat_edges(up, samples, 1);
    repeat_edges(band->three, samples, 1);
    repeat_edges(band->five, samples, 2);
    repeat_edges(band->deep, samples, 1);
    repeat_edges(band->running, samples, 3);
    weigh_features(band->weights, up, band->three, band->five, band->average + here, band->deep, band->running,
                   samples, band->values);
    classes_of(band->values, band->steps, band->first, band->tables->classes - 1, samples, classes);
    if (absent)
        for (int64_t x = 0; x < samples; x++)
            classes[x] = absent[x] ? ABSENT : classes[x];
}

/* Take in a line: its normalised magnitudes, and what runs down the columns. */
BF_CLONES
static void learn_line(const contexts *band, int32_t line, const int32_t *restrict numbers, const uint8_t *absent)
{
    const int64_t samples = band->samples;
    const int32_t cap = band->cap, inverse = band->inverse, raw = band->raw;
    uint8_t *restrict own = band->own + (int64_t)line * samples;
    uint16_t *restrict running = band->running;
    for (int64_t x = 0; x < samples; x++) {
        const int32_t high = numbers[x] >> raw;
        const uint32_t magnitude = high < 0 ? 0u - (uint32_t)high : (uint32_t)high;
        const int32_t held = (int32_t)(magnitude > (uint32_t)cap ? (uint32_t)cap : magnitude);
        int32_t found = (held * inverse) >> 16;
        found = found > LARGEST ? LARGEST : found;
        own[x] = (uint8_t)found;
    }
    if (absent)
        for (int64_t x = 0; x < samples; x++)
            own[x] = absent[x] ? MEAN : own[x];
    for (int64_t x = 0; x < samples; x++)
        running[x] = (uint16_t)(running[x] + (((own[x] << 4) - running[x]) >> 3));
}

/* Take in a band. */
BF_CLONES
static void learn_band(const contexts *band)
{
    const int64_t count = (int64_t)band->lines * band->samples;
    const uint8_t *restrict own = band->own;
    uint16_t *restrict averages = band->average;
    for (int64_t p = 0; p < count; p++)
        averages[p] = (uint16_t)(averages[p] + (((own[p] << 4) - averages[p]) >> 3));
}

/* Classes of a band that is known; its normalised magnitudes are added to what is known. */
BF_EXPORT void bf_refinement_classes(const bf_refinement *tables, const bf_refinement_past *past, int32_t scale,
                                     const int32_t *numbers, const uint8_t *absent, int32_t lines, int32_t samples,
                                     uint8_t *classes)
{
    const contexts band = start_band(tables, past, scale);
    for (int32_t line = 0; line < lines; line++) {
        const int64_t start = (int64_t)line * samples;
        const uint8_t *gone = absent ? absent + start : NULL;
        classify_line(&band, line, gone, classes + start);
        learn_line(&band, line, numbers + start, gone);
    }
    learn_band(&band);
}

/* Bits that are being written, the first one of a byte is the most significant. */
typedef struct {
    uint8_t *to;
    uint64_t held;
    int count; /* below 32 between calls */
} bit_sink;

BF_INLINE void put_bits(bit_sink *sink, uint32_t field, int width)
{
    sink->held = sink->held << width | field;
    sink->count += width;
    if (sink->count >= 32) {
        const uint32_t word = (uint32_t)(sink->held >> (sink->count - 32));
        sink->to[0] = (uint8_t)(word >> 24);
        sink->to[1] = (uint8_t)(word >> 16);
        sink->to[2] = (uint8_t)(word >> 8);
        sink->to[3] = (uint8_t)word;
        sink->to += 4;
        sink->count -= 32;
    }
}

/* Tokens of any numbers, and their raw bits. */
static void large_tokens(const int32_t *numbers, const uint8_t *classes, int64_t count, int32_t raw, uint8_t *tokens,
                         bit_sink *to)
{
    bit_sink sink = *to;
    for (int64_t p = 0; p < count; p++) {
        const int32_t high = numbers[p] >> raw;
        const uint32_t magnitude = high < 0 ? 0u - (uint32_t)high : (uint32_t)high;
        /* Without branches: which way they went could not be told beforehand. */
        const int exponent = highest_bit(magnitude | BF_DIRECT), large = magnitude >= BF_DIRECT;
        const uint32_t token = BF_DIRECT + 2 * (uint32_t)(exponent - 4) + ((magnitude >> (exponent - 1)) & 1);
        const int more = large ? exponent - 1 : 0, width = (magnitude != 0) + more;
        const uint32_t field = (uint32_t)(high < 0) << more | (magnitude & (((uint32_t)1 << more) - 1));
        tokens[p] = (uint8_t)(large ? token : magnitude);
        if (classes[p] == ABSENT)
            continue;
        put_bits(&sink, field, width);
        if (raw)
            put_bits(&sink, (uint32_t)numbers[p] & (((uint32_t)1 << raw) - 1), raw);
    }
    *to = sink;
}

/* Store bits, the first one as the most significant of the first byte. */
BF_INLINE void store_bits(uint8_t *to, uint64_t bits)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && defined(__GNUC__)
    bits = __builtin_bswap64(bits);
    memcpy(to, &bits, 8);
#else
    for (int n = 0; n < 8; n++)
        to[n] = (uint8_t)(bits >> (56 - 8 * n));
#endif
}

/* Raw bits of some samples, those of two neighbours put together. */
enum { CHUNK = 512, SMALL = 1 << 15 };
typedef struct {
    uint32_t fields[CHUNK / 2], widths[CHUNK / 2];
} raw_pairs;

/* Tokens of some samples and their raw bits, as long as no magnitude is beyond what is small; returns whether so. */
BF_CLONES
static int small_tokens(const int32_t *restrict numbers, const uint8_t *restrict classes, int64_t count,
                        uint8_t *restrict tokens, raw_pairs *restrict pairs)
{
    uint32_t fields[CHUNK], widths[CHUNK];
    uint32_t all = 0;
    for (int64_t p = 0; p < count; p++)
        all |= numbers[p] < 0 ? 0u - (uint32_t)numbers[p] : (uint32_t)numbers[p];
    if (all >= SMALL)
        return 0;
    for (int64_t p = 0; p < count; p++) {
        const int32_t magnitude = numbers[p] < 0 ? -numbers[p] : numbers[p], direct = magnitude | BF_DIRECT;
        /* The highest bit, and not the one below it: what is rounded to a float keeps its exponent. */
        const union { float number; int32_t bits; } highest = {(float)(direct & ~(direct >> 1))};
        const int32_t exponent = (highest.bits >> 23) - 127, large = magnitude >= BF_DIRECT;
        const int32_t token = BF_DIRECT + 2 * (exponent - 4) + ((magnitude >> (exponent - 1)) & 1);
        const int32_t more = large ? exponent - 1 : 0;
        const uint32_t kept = classes[p] == ABSENT ? 0 : ~0u;
        tokens[p] = (uint8_t)(large ? token : magnitude);
        widths[p] = (uint32_t)((magnitude != 0) + more) & kept;
        fields[p] = ((uint32_t)(numbers[p] < 0) << more | ((uint32_t)magnitude & ((1u << more) - 1))) & kept;
    }
    for (int64_t p = count; p < count + (count & 1); p++)
        widths[p] = fields[p] = 0;
    for (int64_t p = 0; p < (count + 1) / 2; p++) {
        pairs->fields[p] = fields[2 * p] << widths[2 * p + 1] | fields[2 * p + 1];
        pairs->widths[p] = widths[2 * p] + widths[2 * p + 1];
    }
    return 1;
}

/* Put raw bits of samples behind each other without asking when a word is full. */
BF_INLINE void put_pairs(bit_sink *sink, const raw_pairs *pairs, int64_t count)
{
    uint8_t *to = sink->to;
    uint64_t held = sink->held;
    int filled = sink->count;
    for (; filled >= 8; filled -= 8)
        *to++ = (uint8_t)(held >> (filled - 8));
    for (int64_t p = 0; p < count; p++) {
        held = held << pairs->widths[p] | pairs->fields[p];
        filled += (int)pairs->widths[p];
        /* One bit at least stays free: a shift by 64 is not defined. */
        store_bits(to, held << 1 << (63 - filled));
        to += filled >> 3;
        filled &= 7;
    }
    sink->to = to;
    sink->held = held;
    sink->count = filled;
}

/* Tokens, and raw bits from bit `next_bit` of the first byte on; returns where they end. */
BF_EXPORT int64_t bf_refinement_tokens(const int32_t *numbers, const uint8_t *classes, int32_t lines, int32_t samples,
                                       int32_t raw, int64_t next_bit, uint8_t *tokens, uint8_t *bits)
{
    bit_sink sink = {bits, (uint64_t)(bits[0] >> (8 - next_bit)), (int)next_bit};
    const int64_t count = (int64_t)lines * samples;
    raw_pairs pairs;
    for (int64_t first = 0; first < count; first += CHUNK) {
        const int64_t some = count - first < CHUNK ? count - first : CHUNK;
        if (!raw && small_tokens(numbers + first, classes + first, some, tokens + first, &pairs))
            put_pairs(&sink, &pairs, (some + 1) / 2);
        else
            large_tokens(numbers + first, classes + first, some, raw, tokens + first, &sink);
    }
    const int64_t end = (sink.to - bits) * 8 + sink.count;
    for (; sink.count > 0; sink.count -= 8)
        *sink.to++ = (uint8_t)(sink.count >= 8 ? sink.held >> (sink.count - 8) : sink.held << (8 - sink.count));
    return end;
}

/* Code a block of tokens, the last one first, into words that end at `left`; returns where they start. */
BF_EXPORT int64_t bf_refinement_encode(const bf_refinement *tables, const uint8_t *tokens, const uint8_t *classes,
                                       int32_t lines, int32_t samples, uint64_t *states, uint32_t *words, int64_t left)
{
    for (int32_t line = lines - 1; line >= 0; line--) {
        const uint8_t *symbols = tokens + (int64_t)line * samples, *kinds = classes + (int64_t)line * samples;
        for (int32_t x = samples - 1; x >= 0; x--) {
            if (kinds[x] == ABSENT)
                continue;
            const uint32_t *start = tables->starts + kinds[x] * (BF_TOKENS + 1) + symbols[x];
            const uint64_t frequency = start[1] - start[0];
            uint64_t state = states[x % STATES];
            if (state >> (64 - PRECISION) >= frequency) {
                words[--left] = (uint32_t)state;
                state >>= WORD;
            }
            states[x % STATES] = ((state / frequency) << PRECISION) + start[0] + state % frequency;
        }
    }
    return left;
}

/* Where reading is; failures show at the end of a line, since nothing is read beyond memory meanwhile. */
typedef struct {
    const uint32_t *words;
    int64_t word_count, next_word;
    const uint8_t *bits;
    int64_t byte_count, next_bit;
    int32_t too_large;
} cursor;

BF_INLINE uint64_t window(const cursor *at, int64_t bit)
{
    const int64_t byte = bit >> 3;
    uint64_t found;
    memcpy(&found, at->bits + (byte < at->byte_count ? byte : at->byte_count), 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && defined(__GNUC__)
    found = __builtin_bswap64(found);
#else
    const uint8_t *from = at->bits + (byte < at->byte_count ? byte : at->byte_count);
    found = 0;
    for (int n = 0; n < 8; n++)
        found = found << 8 | from[n];
#endif
    return found << (bit & 7);
}

BF_INLINE int32_t read_one(const bf_refinement *tables, uint64_t *state, int32_t kind, int32_t raw, cursor *at)
{
    const uint32_t low = (uint32_t)*state & ((1u << PRECISION) - 1);
    const uint32_t *starts = tables->starts + kind * (BF_TOKENS + 1);
    int32_t token = tables->guess[((int64_t)kind << GUESS_BITS) + (low >> (PRECISION - GUESS_BITS))];
    while (low >= starts[token + 1])
        token++;
    uint64_t next = (uint64_t)(starts[token + 1] - starts[token]) * (*state >> PRECISION) + low - starts[token];
    if (next < START) {
        next = next << WORD | at->words[at->next_word < at->word_count ? at->next_word : at->word_count];
        at->next_word++;
    }
    *state = next;
    const uint64_t field = window(at, at->next_bit);
    const int negative = token && field >> 63;
    int64_t high = token;
    at->next_bit += token != 0;
    if (token >= BF_DIRECT) {
        const int octave = (token - BF_DIRECT) / 2, half = (token - BF_DIRECT) % 2;
        high = ((int64_t)(2 + half) << (octave + 3)) + (int64_t)((field << 1) >> (61 - octave));
        at->next_bit += octave + 3;
        at->too_large |= high > (int64_t)1 << 31;
        high = high > (int64_t)1 << 31 ? 0 : high;
    }
    int64_t value = negative ? -high : high;
    if (raw) {
        value = value * ((int64_t)1 << raw) + (int64_t)(window(at, at->next_bit) >> (64 - raw));
        at->next_bit += raw;
    }
    at->too_large |= value < INT32_MIN || value > INT32_MAX;
    return (int32_t)value;
}

static int32_t read_line(bf_refinement_reader *reader, const uint8_t *classes, int32_t raw, int64_t count,
                         int32_t *numbers)
{
    const bf_refinement *tables = reader->tables;
    cursor at = {reader->words, reader->word_count, reader->next_word, reader->bits, reader->byte_count,
                 reader->next_bit, 0};
    uint64_t states[STATES];
    memcpy(states, reader->states, sizeof states);
    int64_t x = 0;
    for (; x + STATES <= count; x += STATES)
        for (int n = 0; n < STATES; n++)
            numbers[x + n] =
                classes[x + n] == ABSENT ? 0 : read_one(tables, &states[n], classes[x + n], raw, &at);
    for (int n = 0; x + n < count; n++)
        numbers[x + n] = classes[x + n] == ABSENT ? 0 : read_one(tables, &states[n], classes[x + n], raw, &at);
    memcpy(reader->states, states, sizeof states);
    reader->next_word = at.next_word;
    reader->next_bit = at.next_bit;
    if (at.next_word > at.word_count || at.next_bit > 8 * at.byte_count)
        return 1;
    return at.too_large ? 2 : 0;
}

/* Read numbers of one class; returns 0, 1 where the payload ends too early, 2 where a number is too large. */
BF_EXPORT int32_t bf_refinement_read_numbers(bf_refinement_reader *reader, int32_t kind, int32_t raw, int64_t count,
                                             int32_t *numbers)
{
    enum { PART = 256 };
    uint8_t classes[PART];
    memset(classes, kind, sizeof classes);
    for (int64_t start = 0; start < count; start += PART) {
        const int64_t part = count - start < PART ? count - start : PART;
        const int32_t failure = read_line(reader, classes, raw, part, numbers + start);
        if (failure)
            return failure;
    }
    return 0;
}

/* Read the numbers of a band; returns as above. */
BF_EXPORT int32_t bf_refinement_read_band(bf_refinement_reader *reader, const bf_refinement_past *past, int32_t scale,
                                          const uint8_t *absent, int32_t lines, int32_t samples, int32_t *numbers)
{
    const contexts band = start_band(reader->tables, past, scale);
    for (int32_t line = 0; line < lines; line++) {
        const int64_t start = (int64_t)line * samples;
        const uint8_t *gone = absent ? absent + start : NULL;
        classify_line(&band, line, gone, band.classes);
        const int32_t failure = read_line(reader, band.classes, band.raw, samples, numbers + start);
        if (failure)
            return failure;
        learn_line(&band, line, numbers + start, gone);
    }
    learn_band(&band);
    return 0;
}
