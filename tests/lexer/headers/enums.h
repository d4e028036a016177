/* Enums: gaps, duplicates, signs, widths, expressions, forward references. */
enum color { RED, GREEN = 5, BLUE, CYAN = BLUE, };
enum sign { MINUS = -1, ZERO, PLUS };
enum wide { TOP = 0xffffffff, AFTER = TOP + 1L };
enum huge { BIGGEST = 0xffffffffffffffff };
enum negative { LEAST = -9223372036854775807LL - 1 };
enum { ANONYMOUS = 'x', SHIFTED = 1u << 31, CONDITION = RED ? 1 : 2, SIZE = sizeof(enum color) };
typedef enum { ALIAS_A, ALIAS_B } alias;
enum __attribute__((packed)) tiny { T0, T255 = 255 };
typedef enum state { OFF, ON } state_t;
state_t toggle(state_t, enum color, alias *);
