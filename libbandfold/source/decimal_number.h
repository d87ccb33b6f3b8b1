/* Decimal numbers as texts. */
#ifndef BFL_DECIMAL_NUMBER_H
#define BFL_DECIMAL_NUMBER_H

/* Read a number, whatever the locale is: returns 0 where a text is none, or has more digits than are read exactly. */
int bfl_read_decimal(const char *text, double *value);

#endif
