/* Functions with bodies, whose braces, strings and comments mean nothing. */
static inline int one(void) { return 1; }
static int two(int x) { if (x) { char c = '}'; const char *s = "}{"; (void)c; (void)s; } /* } */ return 2; }
extern inline __attribute__((gnu_inline)) int in_library(int x) { return x; }
int declared_first(int);
static __inline__ int declared_twice(int);
static __inline__ int declared_twice(int x) { struct local { int y; } l = {x}; return l.y; }
int declared_first(int x) { return (struct { int y; }){x}.y; }
int last(void);
