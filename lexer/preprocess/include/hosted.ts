/**
 * Stand-ins for headers of the C library, for machines that have none: types, and the functions that headers are likely to name.
 *
 * They are not the interface of any C library; nothing is bound from them.
 *
 * @module
 */

const ASSERT = `#undef assert
#define assert(e) ((void)0)
#if !defined static_assert && !defined __cplusplus
#define static_assert _Static_assert
#endif
`;

const STDIO = `#pragma once
#include <stddef.h>
#include <stdarg.h>
typedef struct _IO_FILE FILE;
typedef long long fpos_t;
extern FILE *stdin;
extern FILE *stdout;
extern FILE *stderr;
#define stdin stdin
#define stdout stdout
#define stderr stderr
#define EOF (-1)
#define BUFSIZ 8192
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
extern int fclose(FILE *);
extern int fflush(FILE *);
extern FILE *fopen(const char *, const char *);
extern int fprintf(FILE *, const char *, ...);
extern int printf(const char *, ...);
extern int snprintf(char *, size_t, const char *, ...);
extern int sprintf(char *, const char *, ...);
extern int vfprintf(FILE *, const char *, va_list);
extern int vsnprintf(char *, size_t, const char *, va_list);
extern int fputc(int, FILE *);
extern int fputs(const char *, FILE *);
extern int fgetc(FILE *);
extern char *fgets(char *, int, FILE *);
extern size_t fread(void *, size_t, size_t, FILE *);
extern size_t fwrite(const void *, size_t, size_t, FILE *);
extern int fseek(FILE *, long, int);
extern long ftell(FILE *);
extern int puts(const char *);
extern int remove(const char *);
`;

const STDLIB = `#pragma once
#include <stddef.h>
#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
typedef struct { int quot; int rem; } div_t;
typedef struct { long quot; long rem; } ldiv_t;
typedef struct { long long quot; long long rem; } lldiv_t;
extern void *malloc(size_t);
extern void *calloc(size_t, size_t);
extern void *realloc(void *, size_t);
extern void free(void *);
extern _Noreturn void abort(void);
extern _Noreturn void exit(int);
extern int atexit(void (*)(void));
extern int atoi(const char *);
extern double atof(const char *);
extern long strtol(const char *, char **, int);
extern unsigned long strtoul(const char *, char **, int);
extern double strtod(const char *, char **);
extern char *getenv(const char *);
extern void qsort(void *, size_t, size_t, int (*)(const void *, const void *));
extern int abs(int);
extern int rand(void);
extern void srand(unsigned int);
`;

const STRING = `#pragma once
#include <stddef.h>
extern void *memcpy(void *, const void *, size_t);
extern void *memmove(void *, const void *, size_t);
extern void *memset(void *, int, size_t);
extern int memcmp(const void *, const void *, size_t);
extern void *memchr(const void *, int, size_t);
extern size_t strlen(const char *);
extern int strcmp(const char *, const char *);
extern int strncmp(const char *, const char *, size_t);
extern char *strcpy(char *, const char *);
extern char *strncpy(char *, const char *, size_t);
extern char *strcat(char *, const char *);
extern char *strchr(const char *, int);
extern char *strrchr(const char *, int);
extern char *strstr(const char *, const char *);
extern char *strdup(const char *);
extern char *strerror(int);
`;

const MATH = `#pragma once
#define M_PI 3.14159265358979323846
#define M_E 2.7182818284590452354
#define HUGE_VAL (__builtin_huge_val())
#define INFINITY (__builtin_inff())
#define NAN (__builtin_nanf(""))
extern double fabs(double);
extern float fabsf(float);
extern double sqrt(double);
extern float sqrtf(float);
extern double exp(double);
extern double log(double);
extern double pow(double, double);
extern double sin(double);
extern double cos(double);
extern double floor(double);
extern double ceil(double);
`;

const TIME = `#pragma once
#include <stddef.h>
typedef long long time_t;
typedef long clock_t;
struct timespec { time_t tv_sec; long tv_nsec; };
struct tm { int tm_sec; int tm_min; int tm_hour; int tm_mday; int tm_mon; int tm_year; int tm_wday; int tm_yday; int tm_isdst; };
extern time_t time(time_t *);
extern clock_t clock(void);
`;

const SYS_TYPES = `#pragma once
#include <stddef.h>
#include <stdint.h>
typedef long long off_t;
typedef intptr_t ssize_t;
typedef int pid_t;
typedef unsigned int uid_t;
typedef unsigned int gid_t;
typedef unsigned int mode_t;
typedef long long time_t;
`;

const ERRNO = `#pragma once
extern int errno;
#define errno errno
#define EDOM 33
#define ERANGE 34
#define EINVAL 22
#define ENOMEM 12
`;

const INTTYPES = `#pragma once
#include <stdint.h>
#define PRId8 "d"
#define PRId16 "d"
#define PRId32 "d"
#define PRIu8 "u"
#define PRIu16 "u"
#define PRIu32 "u"
#define PRIx8 "x"
#define PRIx16 "x"
#define PRIx32 "x"
#ifdef __linux__
#define PRId64 "ld"
#define PRIu64 "lu"
#define PRIx64 "lx"
#else
#define PRId64 "lld"
#define PRIu64 "llu"
#define PRIx64 "llx"
#endif
typedef struct { intmax_t quot; intmax_t rem; } imaxdiv_t;
`;

const WCHAR = `#pragma once
#include <stddef.h>
#define __need_wint_t
#include <stddef.h>
typedef struct { int __count; unsigned int __value; } mbstate_t;
extern size_t wcslen(const wchar_t *);
`;

/** Headers of the C library. */
export const HOSTED_HEADERS: Readonly<Record<string, string>> = {
  "assert.h": ASSERT,
  "stdio.h": STDIO,
  "stdlib.h": STDLIB,
  "string.h": STRING,
  "math.h": MATH,
  "time.h": TIME,
  "sys/types.h": SYS_TYPES,
  "errno.h": ERRNO,
  "inttypes.h": INTTYPES,
  "wchar.h": WCHAR,
};
