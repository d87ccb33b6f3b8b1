/* The packages that streams of a campaign name. */
#ifndef PACKAGES_H
#define PACKAGES_H

#include "bandfold.h"

enum { MOST_PACKAGES = 16 };

extern bandfold_bytes packages[MOST_PACKAGES];
extern size_t package_count;

/* Read the files that the environment variable BANDFOLD_PACKAGES names, separated by colons. Returns 0 where one fails.
 */
int load_packages(void);

#endif
