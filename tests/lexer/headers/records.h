/* Structs and unions: nested, anonymous, flexible, forward, self-referential. */
struct forward;
struct list { struct list *next; void *data; };
typedef struct { float x, y; } point;
typedef struct { point from, to; } line, *line_pointer;
union number { char c; short s; int i; long l; float f; double d; long double ld; void *p; };
struct outer {
  char kind;
  union {
    struct { int a, b; };
    double d;
  };
  struct inner { short s; char c; } in[2];
  enum { SMALL, LARGE = 1000 } size;
  struct { union number n; } named;
  int (*callback)(struct outer *self, struct forward *);
  unsigned char tail[];
};
struct empty_list { int n; struct list items[0]; };
struct forward { struct outer *owner; };
union never_defined_either;
struct never_defined *use(union never_defined_either *);
line_pointer longest(line a, line b);
