/* Macros that are constants, and macros that are not. */
#define INTEGER 42
#define HEX 0xFFu
#define LONG 4294967296
#define NEGATIVE (-1)
#define SUM (INTEGER + HEX * 2)
#define MASK (~0UL << 4)
#define SINGLE 1.5f
#define DOUBLE .1
#define HEXFLOAT 0x1.8p3
#define TEXT "text"
#define JOINED TEXT " and " "more\n\x21\041"
#define LETTER 'a'
#define NEWLINE '\n'
#define CAST ((signed char)200)
#define SIZE sizeof(struct sized)
#define OFFSET __builtin_offsetof(struct sized, b[1])
#define BOOL (INTEGER > 40 && SINGLE < 2)
#define CHOICE (sizeof(long) == 8 ? 64 : 32)
#define NULLISH ((void *)0)
#define FROM_ENUM (ENUMERATED + 1)
#define LATER DEFINED_LATER
#define DEFINED_LATER 7
#define FLAG
#define EXPORT __attribute__((visibility("default")))
#define TYPE_NAME struct sized
#define CALL(x) ((x) + 1)
#define FUNCTION_ALIAS function
#define NO_VALUE function(1)
#define HERE __LINE__
#define OVERFLOW (1 / 0)
#define REDEFINED 1
#undef REDEFINED
#define REDEFINED 2
#define GONE 1
#undef GONE
struct sized { char a; int b[3]; };
enum { ENUMERATED = 9 };
static const int static_constant = INTEGER * 2;
static const double static_double = 1.0 / 3;
int function(int);
