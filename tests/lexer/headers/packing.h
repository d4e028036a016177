/* Packing and alignment, by pragma and by attribute. */
struct natural { char c; double d; short s; };
#pragma pack(push, 1)
struct packed_by_pragma { char c; double d; short s; };
#pragma pack(push, saved, 2)
struct packed_by_2 { char c; double d; short s; };
#pragma pack(pop, saved)
struct packed_again { char c; long l; };
#pragma pack(pop)
struct natural_again { char c; long l; };
struct __attribute__((__packed__)) packed_by_attribute { char c; double d; struct natural n; };
struct member_packed { char c; int i __attribute__((packed)); short s; };
struct aligned { char c; } __attribute__((aligned(32)));
struct member_aligned { char a; _Alignas(8) char b; char c __attribute__((aligned(16))); };
typedef double double16 __attribute__((aligned(16)));
typedef int unaligned_int __attribute__((aligned(1)));
struct uses { char a; double16 b; unaligned_int c; };
struct both { char c; int i; } __attribute__((packed, aligned(4)));
typedef float vector4 __attribute__((vector_size(16)));
struct vectors { char c; vector4 v; _Complex float z; __int128 wide; };
