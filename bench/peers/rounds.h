/* What every program in C here needs to time itself, as ../rounds.ts does. */

#ifndef ROUNDS_H
#define ROUNDS_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Nanoseconds. */
static inline double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

static inline int ascending(const void * a, const void * b) {
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

/* Sorts them. */
static inline double median(double * times, int count) {
    qsort(times, count, sizeof *times, ascending);
    return times[count / 2];
}

/* Prints a measurement as ../rounds.ts reads it. */
static inline void report(double ns, const char * answer) {
    printf("{\"ns\": %f, \"answer\": \"%s\"}\n", ns, answer);
}

#endif
