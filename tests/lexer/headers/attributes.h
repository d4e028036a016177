/* Attributes wherever compilers take them. */
__attribute__((visibility("default"))) int before(void);
int __attribute__((noinline, cold)) between(void);
int after(void) __attribute__((nothrow, const));
void stop(void) __attribute__((__noreturn__));
_Noreturn void stop_too(int);
int log_it(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));
int renamed(int) __asm__("real" "_name");
int deprecated_plain(void) __attribute__((deprecated));
int deprecated_text(void) __attribute__((deprecated("use after()")));
void *allocate(unsigned long) __attribute__((malloc, alloc_size(1), warn_unused_result));
int parameters(int used, int unused __attribute__((unused)), char *text __attribute__((nonnull)));
[[deprecated("bracketed")]] int bracketed(void);
[[gnu::const]] int scoped([[maybe_unused]] int x);
typedef void (*callback)(int) __attribute__((unused));
extern int variable __attribute__((section("data"))), other __asm__("other_symbol");
static inline __attribute__((always_inline)) int inlined(int x) { return x * 2; }
__extension__ typedef long long extended;
struct __attribute__((deprecated)) old_struct { int x __attribute__((deprecated("gone"))); };
enum old_enum { OLD __attribute__((deprecated)) = 1, NEW };
