/** Wrong calls of ggml.h and ggml-cpu.h: contexts, shapes, elements, graphs, threads. */

import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
import { bytes, call, type Case, ctx, empty, floats, graphOf, inContext, nowhere, SOME, sums, TOO_MANY } from "./objects.ts";

const { GGML_TYPE_F32: F32, GGML_TYPE_Q4_0: Q4_0, GGML_TYPE_I32: I32, GGML_TYPE_F64: F64 } = lib;

/** A graph that needs memory to work on. */
function softmax(): lib.ggml_cgraph {
  const tensor = lib.ggml_new_tensor_1d(ctx, F32, 64);
  lib.ggml_set_f32(tensor, 1);
  return graphOf(lib.ggml_soft_max(ctx, tensor));
}

function elements(): Record<string, Case[]> {
  const cases: Record<string, Case[]> = {};
  const wide = lib.ggml_new_tensor_1d(ctx, F64, 4);
  for (const type of ["i32", "f32"]) {
    for (const verb of ["get", "set"]) {
      const value = verb === "set" ? [1] : [], name = `ggml_${verb}_${type}`;
      cases[`${name}_1d`] = [
        [call(`${name}_1d`, wide, 0, ...value), ": fatal error (ggml-cpu/ggml-cpu.c:"],
        [call(`${name}_1d`, nowhere(), 0, ...value), "(tensor): the tensor was not allocated"],
        [call(`${name}_1d`, inContext, 4, ...value), "(i): expected the index of an element, from 0 to 3, got 4"],
        [call(`${name}_1d`, inContext, -1, ...value), "(i): expected"],
      ];
      cases[`${name}_nd`] = [
        [call(`${name}_nd`, wide, 0, 0, 0, 0, ...value), ": fatal error (ggml-cpu/ggml-cpu.c:"],
        [call(`${name}_nd`, inContext, 0, 1, 0, 0, ...value), "(i1): expected the index of a row, of which there is 0 only, got 1"],
        [call(`${name}_nd`, inContext, 0, 0, 0, -1, ...value), "(i3): expected"],
      ];
    }
    const transposed = lib.ggml_transpose(ctx, lib.ggml_new_tensor_2d(ctx, F32, 3, 4));
    cases[`ggml_set_${type}`] = [
      [call(`ggml_set_${type}`, wide, 1), ": fatal error (ggml-cpu/ggml-cpu.c:"],
      [call(`ggml_set_${type}`, nowhere(), 1), "(tensor): the tensor was not allocated"],
      [
        call(`ggml_set_${type}`, transposed, 1),
        "(tensor): expected rows at even distances with their elements side by side, got nb=[12, 4, 48, 48]",
      ],
    ];
    cases[`ggml_new_${type}`] = [
      [call(`ggml_new_${type}`, empty(), 1), ": assertion failed: !ggml_get_no_alloc(ctx)"],
      [call(`ggml_new_${type}`, init({ memSize: 128 }), 1), ": assertion failed: obj_new"],
    ];
  }
  return cases;
}

/** What C takes for sizes and strides. */
function ofShapes(): Record<string, Case[]> {
  const a = lib.ggml_new_tensor_1d(ctx, F32, 16),
    blocks = lib.ggml_new_tensor_1d(ctx, Q4_0, 64),
    negative = "(ne0): expected at least 0, got -4";
  const wide = "would take more than 2^53 bytes";
  return {
    ggml_new_tensor: [
      [() => lib.ggml_new_tensor(ctx, F32, 2, BigInt64Array.of(-4n, -1n)), "(ne)[0]: expected at least 0, got -4"],
      [() => lib.ggml_new_tensor(ctx, F32, 5, new BigInt64Array(5)), ": assertion failed: n_dims >= 1 && n_dims <= GGML_MAX_DIMS"],
    ],
    ggml_new_tensor_1d: [
      [() => lib.ggml_new_tensor_1d(ctx, F32, -4), negative],
      [() => lib.ggml_new_tensor_1d(ctx, Q4_0, 48), "(ne0): expected a multiple of 32 (the block size of q4_0), got 48"],
    ],
    ggml_new_tensor_2d: [[() => lib.ggml_new_tensor_2d(ctx, F32, 2 ** 40, 2 ** 40), `: f32 ne=[${2 ** 40}, ${2 ** 40}, 1, 1] ${wide}`]],
    ggml_new_tensor_3d: [[() => lib.ggml_new_tensor_3d(ctx, F32, -4, -1, 4), negative]],
    ggml_new_tensor_4d: [[() => lib.ggml_new_tensor_4d(ctx, F32, -4, -1, 4, 1), negative]],
    ggml_reshape: [[
      () => lib.ggml_reshape(ctx, blocks, lib.ggml_new_tensor_2d(ctx, F32, 16, 4)),
      "(b): expected a multiple of 32 (the block size of q4_0), got 16",
    ]],
    ggml_row_size: [
      [() => lib.ggml_row_size(Q4_0, 48), "(ne): expected a multiple of 32 (the block size of q4_0), got 48"],
      [() => lib.ggml_row_size(F32, -4), "(ne): expected 0 to "],
      [() => lib.ggml_row_size(F32, 2n ** 62n), `(ne): expected 0 to ${2 ** 51 - 1}, got ${2n ** 62n}`],
    ],
    ggml_reshape_2d: [
      [() => lib.ggml_reshape_2d(ctx, a, -4, -4), negative],
      [() => lib.ggml_reshape_2d(ctx, blocks, 16, 4), "(ne0): expected a multiple of 32"],
    ],
    ggml_reshape_3d: [[() => lib.ggml_reshape_3d(ctx, a, -4, -4, 1), negative]],
    ggml_reshape_4d: [[() => lib.ggml_reshape_4d(ctx, a, -4, -4, 1, 1), negative]],
    ggml_cont_2d: [[() => lib.ggml_cont_2d(ctx, a, -4, -4), negative]],
    ggml_cont_3d: [[() => lib.ggml_cont_3d(ctx, a, -4, -4, 1), negative]],
    ggml_cont_4d: [[() => lib.ggml_cont_4d(ctx, a, -4, -4, 1, 1), negative]],
    ggml_repeat_4d: [[() => lib.ggml_repeat_4d(ctx, a, -4, -4, 1, 1), negative]],
    ggml_view_1d: [
      [() => lib.ggml_view_1d(ctx, a, -4, 32), negative],
      [
        () => lib.ggml_view_1d(ctx, a, 16, 4),
        ": assertion failed: view_src == NULL || data_size == 0 || data_size + view_offs <= ggml_nbytes(view_src)",
      ],
      [() => lib.ggml_view_1d(ctx, a, 8, 2n ** 64n - 16n), "(offset): expected an offset within a, got 18446744073709551600"],
    ],
    ggml_view_2d: [[() => lib.ggml_view_2d(ctx, a, 2, 4, 24, 0), ": the view would end at byte 80 of 64: "]],
    ggml_view_3d: [[
      () => lib.ggml_view_3d(ctx, lib.ggml_view_1d(ctx, a, 8, 32), 2, 1, 2, 8, 28, 0),
      ": the view would end at byte 68 of 64: ",
    ]],
    ggml_view_4d: [[
      () => lib.ggml_view_4d(ctx, a, 2, 1, 1, 2, 8, 8, 2n ** 60n, 0),
      ": the view would end at byte 1152921504606847000 of 64: ",
    ]],
  };
}

/** The cases, by function. */
export const cases: Record<string, Case[]> = {
  ...ofShapes(),
  ggml_get_next_tensor: [
    [
      () => lib.ggml_get_next_tensor(ctx, new lib.ggml_tensor()),
      "(tensor): expected a tensor of the context, got one that was made by new ggml_tensor",
    ],
    [() => lib.ggml_get_next_tensor(ctx, nowhere()), "(tensor): expected a tensor of the context, got one of another"],
  ],
  ggml_graph_cpy: [[() => lib.ggml_graph_cpy(sums(1), sums(2)), "(dst): expected an empty graph, got one of 2 nodes and 1 leafs"]],
  ggml_cpu_fp32_to_fp32: [[() => lib.ggml_cpu_fp32_to_fp32(floats(4), floats(4), -1), "(arg2): expected at least 0, got -1"]],
  ggml_init: [
    [() => lib.ggml_init(new lib.ggml_init_params({ mem_size: 2 ** 50 })), ": assertion failed: ctx->mem_buffer != NULL"],
    [
      () => lib.ggml_init(Object.assign(new lib.ggml_init_params({ mem_size: 4096 }), { mem_buffer: bytes(512) })),
      "(params): expected mem_size to be at most the 512 bytes of mem_buffer, got 4096",
    ],
  ],
  ggml_graph_node: [
    [() => lib.ggml_graph_node(sums(2), 2), ": assertion failed: i < cgraph->n_nodes"],
    [() => lib.ggml_graph_node(sums(2), -3), ": assertion failed: cgraph->n_nodes + i >= 0"],
  ],
  ggml_graph_dump_dot: [[() => lib.ggml_graph_dump_dot(sums(1), null, "no such folder/graph.dot"), ": assertion failed: fp"]],
  ggml_quantize_chunk: [
    [() => lib.ggml_quantize_chunk(I32, floats(32), bytes(128), 0, 1, 32, null), ": assertion failed: result == nrows * row_size"],
    [
      () => lib.ggml_quantize_chunk(lib.GGML_TYPE_IQ2_XXS, floats(256), bytes(66), 0, 1, 256, null),
      ": assertion failed: imatrix != NULL",
    ],
    [() => lib.ggml_quantize_chunk(Q4_0, floats(31), bytes(18), 0, 1, 31, null), "(n_per_row): expected a multiple of 32"],
    [() => lib.ggml_quantize_chunk(Q4_0, floats(96), bytes(54), 32, 1, 64, null), ": assertion failed: start % n_per_row == 0"],
    [() => lib.ggml_quantize_chunk(Q4_0, floats(32), bytes(18), 0, 1, 0, null), "(n_per_row): expected at least 1, got 0"],
    [() => lib.ggml_quantize_chunk(F32, floats(4), bytes(16), 0, -1, 4, null), "(nrows): expected at least 0, got -1"],
    [() => lib.ggml_quantize_chunk(F32, floats(4), bytes(16), 0, 1, -4, null), "(n_per_row): expected at least 1, got -4"],
    [() => lib.ggml_quantize_chunk(Q4_0, floats(32), bytes(18), -32, 1, 32, null), "(start): expected at least 0, got -32"],
  ],
  ...elements(),
  ggml_threadpool_new: [
    [() => lib.ggml_threadpool_new(new lib.ggml_threadpool_params({ n_threads: 0 })), `(params): n_threads: expected 1 to ${SOME}, got 0`],
    [
      () => lib.ggml_threadpool_new(new lib.ggml_threadpool_params({ n_threads: -1 })),
      `(params): n_threads: expected 1 to ${SOME}, got -1`,
    ],
  ],
  ggml_graph_plan: [[() => lib.ggml_graph_plan(sums(1), 5130, null), `(n_threads): ${TOO_MANY}`]],
  ggml_graph_compute: [
    [
      () => lib.ggml_graph_compute(graphOf(lib.ggml_add(ctx, inContext, inContext)), new lib.ggml_cplan()),
      ": assertion failed: cplan->n_threads > 0",
    ],
    [
      () => lib.ggml_graph_compute(graphOf(lib.ggml_add(ctx, inContext, inContext)), new lib.ggml_cplan({ n_threads: 1, work_size: 16 })),
      ": assertion failed: cplan->work_size == 0 || cplan->work_data != NULL",
    ],
    [() => lib.ggml_graph_compute(softmax(), new lib.ggml_cplan({ n_threads: 1 })), "(cplan): expected a work_size of at least"],
    [
      () => lib.ggml_graph_compute(softmax(), Object.assign(lib.ggml_graph_plan(softmax(), 1, null), { work_data: bytes(8) })),
      "(cplan): expected work_data of work_size 320, got 8 bytes",
    ],
    [
      () => lib.ggml_graph_compute(softmax(), new lib.ggml_cplan({ n_threads: 5130 })),
      `(cplan): n_threads: ${TOO_MANY}`,
    ],
  ],
  ggml_graph_compute_with_ctx: [
    [() => lib.ggml_graph_compute_with_ctx(ctx, sums(1), 5130), `(n_threads): ${TOO_MANY}`],
    [() => {
      const small = init({ memSize: 64 });
      lib.ggml_graph_compute_with_ctx(small, graphOf(lib.ggml_soft_max(ctx, lib.ggml_new_tensor_1d(ctx, F32, 64))), 1);
    }, ": C used a null pointer: the context's memory may be full: 0 of 64 bytes are used"],
  ],
};
