/* Digits and powers of ten up to 10**22 are exact in float64: their product or quotient is the nearest number. */

#include "decimal_number.h"

#include <stdint.h>

enum { MOST_DIGITS = 15, MOST_POWER = 22, MOST_EXPONENT = 1000 };

/* An exponent behind the letter e; returns what follows it, the text itself where there is none. */
static const char *read_exponent(const char *text, int *power)
{
    const char *at = text + 1;
    int found = 0;
    if (*text != 'e' && *text != 'E')
        return text;
    const int negative = *at == '-';
    at += *at == '-' || *at == '+';
    if (*at < '0' || *at > '9')
        return text;
    for (; *at >= '0' && *at <= '9'; at++)
        found = found < MOST_EXPONENT ? 10 * found + (*at - '0') : found;
    *power += negative ? -found : found;
    return at;
}

int bfl_read_decimal(const char *text, double *value)
{
    uint64_t digits = 0;
    int count = 0, taken = 0, point = 0, power = 0;
    while (*text == ' ')
        text++;
    const int negative = *text == '-';
    text += *text == '-' || *text == '+';
    for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
        if (*text == '.') {
            point = 1;
            continue;
        }
        count++;
        digits = 10 * digits + (uint64_t)(*text - '0');
        power -= point;
        /* Zeros in front do not count. */
        taken += digits != 0;
        if (taken > MOST_DIGITS)
            return 0;
    }
    text = read_exponent(text, &power);
    while (*text == ' ')
        text++;
    if (count == 0 || *text != '\0' || power > MOST_POWER || power < -MOST_POWER)
        return 0;
    double scale = 1.0;
    for (int n = 0; n < (power < 0 ? -power : power); n++)
        scale *= 10.0;
    const double magnitude = power < 0 ? (double)digits / scale : (double)digits * scale;
    *value = negative ? -magnitude : magnitude;
    return 1;
}
