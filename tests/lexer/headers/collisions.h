/* Names that other languages reserve, names that differ only by tag, names that are used twice. */
struct name { int name; };
enum kind { kind_name, Kind };
typedef int Name;
typedef struct name NAME;
union u_name { int u_name; };
void name(struct name *name);
int class(int delete, int new, int typeof_, int function);
struct arguments { int await, async, constructor, prototype, __proto__, toString, hasOwnProperty; };
enum yield { let, null, undefined, NaN, Infinity, true_, eval };
typedef struct import { struct import *export; } import;
import *package(import *this, import *super, import *var);
int of(int of, int get, int set);
#define interface 3
#define $dollar 4
int $money(int $);
struct same { int x; };
typedef struct same same;
same *same_function(same same);
