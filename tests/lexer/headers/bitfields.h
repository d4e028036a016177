/* Bit-fields: widths, signs, zero widths, unnamed ones, unions. */
struct flags { unsigned a : 1, b : 2, c : 5; unsigned char d : 4, e : 4; };
struct straddle { int a : 20; int b : 20; long c : 40; };
struct zero { char a : 3; int : 0; char b : 3; short : 5; char c; };
struct mixed { char c; int i : 7; short s : 9; long l : 33; _Bool on : 1; };
struct __attribute__((packed)) tight { int a : 3; int b : 30; char c; long d : 50; };
union either { int whole; struct { int low : 16; unsigned high : 16; }; int sign : 1; };
enum level { LOW, HIGH = 7 };
struct with_enum { enum level level : 3; unsigned : 2; enum level other : 4; };
