/**
 * ggml's own sources, read for what their functions assert.
 *
 * @module
 */

import { asC } from "./cplusplus.ts";
import { format } from "../diagnostics.ts";
import { Parser } from "../parser.ts";
import { translationUnit } from "../parse.ts";
import { readFile, TokenStream } from "../stream.ts";

/** A source file with the bodies of its functions. */
export interface Source {
  readonly parser: Parser;
  /** What could not be read. */
  readonly problems: readonly string[];
}

/**
 * One C file of all: ggml.c, and the CPU backend's C++ as C (`cplusplus.ts`), behind what C++ takes for granted. A file that a tree lacks is as
 * good as empty.
 */
const UNIT = `#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include "ggml.h"
#include "ggml-cpu.h"
#include "ggml-impl.h"
int64_t unknown(void);
typedef struct ggml_tensor ggml_tensor;
typedef struct ggml_compute_params ggml_compute_params;
typedef struct ggml_type_traits ggml_type_traits;
typedef double ggml_float;
typedef unsigned int uint;
typedef enum ggml_glu_op ggml_glu_op;
typedef enum ggml_op ggml_op;
typedef enum ggml_op_pool ggml_op_pool;
typedef enum ggml_prec ggml_prec;
typedef enum ggml_scale_mode ggml_scale_mode;
typedef enum ggml_sort_order ggml_sort_order;
typedef enum ggml_tri_type ggml_tri_type;
typedef enum ggml_type ggml_type;
typedef enum ggml_unary_op ggml_unary_op;
#include "ggml.c"
#include "ggml-cpu.c"
#include "ops.cpp"
#include "binary-ops.cpp"
#include "unary-ops.cpp"
`;

/**
 * Reads ggml.c and the CPU backend's kernels with their functions' bodies.
 *
 * @param root The folder of ggml's sources: `src` is in it.
 * @returns Null where there are none.
 */
export function readSources(root: string): Source | null {
  if (readFile(`${root}/src/ggml.c`) === undefined) return null;
  const include = [STAND_INS, `${root}/include`, `${root}/src`, `${root}/src/ggml-cpu`];
  const readUnit = (path: string): string | undefined => {
    if (path === "ggml-sources.c") return UNIT;
    if (VECTORS.test(path)) return "";
    const text = read(path);
    return text !== undefined && path.endsWith(".cpp") ? asC(text) : text;
  };
  const stream = new TokenStream(["ggml-sources.c"], { include, target: "x86_64-linux", read: readUnit });
  const parser = new Parser(stream, stream.pp, stream.target, stream.c23, true);
  translationUnit(parser);
  return { parser, problems: stream.diagnostics.list.filter(({ severity }) => severity === "error").map(format) };
}

/** Headers of vector instructions: no shape is looked at there. */
const VECTORS = /ggml-cpu\/(vec|simd-gemm|simd-mappings|traits|quants)\.h$/;

/** The name of the function that ends the process: what `GGML_ASSERT` and `GGML_ABORT` come down to, and here `assert` too. */
export const ABORT = "ggml_abort";

/** Stands where the headers are that the sources include for what no guard needs. */
const STAND_INS = "guards";

const ABSENT =
  "algorithm alloca.h amx/amx.h cassert cfloat cmath execinfo.h functional ggml-version.h immintrin.h llamafile/sgemm.h sched.h signal.h " +
  "syscall.h sys/prctl.h sys/stat.h sys/types.h sys/wait.h type_traits unistd.h";

const HEADERS: Readonly<Record<string, string>> = {
  // A release build has no `assert`s. What they say is no less true: whoever breaks one reads or writes what isn't his.
  "assert.h":
    `#undef assert\n#define assert(e) if (!(e)) ${ABORT}(__FILE__, __LINE__, "GGML_ASSERT(%s) failed", #e)\n#define static_assert _Static_assert\n`,
  "math.h": `#define INFINITY ((float) 1e300)
#define NAN (0.0f / 0.0f)
double floor(double), ceil(double), sqrt(double), pow(double, double), log2(double), fabs(double), round(double);
float floorf(float), ceilf(float), sqrtf(float), powf(float, float), log2f(float), fabsf(float), roundf(float);
`,
  "pthread.h": "typedef unsigned long pthread_t;\ntypedef int pthread_cond_t, pthread_mutex_t, cpu_set_t;\n",
  "stdatomic.h": "typedef int atomic_int;\ntypedef _Bool atomic_bool;\n",
  ...Object.fromEntries(ABSENT.split(" ").map((name) => [name, ""])),
};

function read(path: string): string | undefined {
  if (path.startsWith(`${STAND_INS}/`)) return HEADERS[path.slice(STAND_INS.length + 1)];
  return readFile(path);
}
