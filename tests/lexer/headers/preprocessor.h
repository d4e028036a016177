/* Declarations made by macros. */
#ifndef PREPROCESSOR_H
#define PREPROCESSOR_H
#define API(result, name, ...) extern result lib_##name(__VA_ARGS__)
#define LIST(X) X(alpha, 1) X(beta, 2) X(gamma, 3)
#define AS_ENUM(name, value) LIST_##name = value,
#define AS_FUNCTION(name, value) API(int, get_##name, void); API(void, set_##name, int new_##name, int count[value]);
enum list { LIST(AS_ENUM) LIST_END };
LIST(AS_FUNCTION)
#define STR(x) #x
#define XSTR(x) STR(x)
#define VERSION_MAJOR 1
#define VERSION_MINOR 2
#define VERSION XSTR(VERSION_MAJOR) "." XSTR(VERSION_MINOR)
#if VERSION_MAJOR > 1 || (VERSION_MAJOR == 1 && VERSION_MINOR >= 2)
API(const char *, version, void);
#elif defined NEVER
#error never
#else
API(int, old_version, void);
#endif
#ifdef __cplusplus
extern "C" {
#endif
#define DEPRECATED(declaration, hint) declaration __attribute__((deprecated(hint)))
DEPRECATED(API(int, old, int), "use " STR(new));
#define WITH_OPTION(type, ...) type __VA_OPT__(*) optional##__VA_OPT__(_pointer)(void)
WITH_OPTION(int);
WITH_OPTION(char, 1);
#ifdef __cplusplus
}
#endif
#endif
