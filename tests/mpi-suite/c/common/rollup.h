/* What this process holds in memory. */
#ifndef ROLLUP_H
#define ROLLUP_H

#include "check.h"

/* A line of /proc/self/smaps_rollup, in KiB. */
static long long rollup_kib(const char *name) {
    char line[200];
    long long kib = 0;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    if (!file)
        CHECK_FAILED("no /proc/self/smaps_rollup");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            sscanf(line + strlen(name) + 1, "%lld", &kib);
    if (file)
        fclose(file);
    return kib;
}

#endif
