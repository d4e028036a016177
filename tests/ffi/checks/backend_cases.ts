/** Wrong calls of ggml-backend.h: backends, devices, their buffers and tensors. */

import { lib } from "@ggml/deno";
import { Pointer } from "@ggml/deno/ffi";
import { bare, bytes, call, type Case, cpu, ctx, empty, four, graphOf, inBuffer, inContext, nowhere, sums, TOO_MANY } from "./objects.ts";

const { GGML_TYPE_F32: F32, GGML_TYPE_I32: I32 } = lib;

/** A tensor in a buffer, without a place in it. */
function placeless(): lib.ggml_tensor {
  return Object.assign(inBuffer(F32, 4), { data: null });
}

function transfers(): Record<string, Case[]> {
  const cases: Record<string, Case[]> = {};
  for (const verb of ["set", "get"]) {
    for (
      const [suffix, before, after] of [["", [], []], ["_async", [cpu], []], ["_2d", [], [2, 8, 4]], ["_2d_async", [cpu], [
        2,
        8,
        4,
      ]]] as const
    ) {
      const name = `ggml_backend_tensor_${verb}${suffix}`;
      cases[name] = [
        [call(name, ...before, four, bytes(64), 8, 12, ...after), ": assertion failed: offset + size <= ggml_nbytes(tensor)"],
        [
          call(name, ...before, four, bytes(64), 2n ** 64n - 8n, 16, ...after),
          "(offset): expected to end within the tensor, got an end at byte 1844",
        ],
        [call(name, ...before, inContext, bytes(64), 0, 4, ...after), ': assertion failed: buf != NULL && "tensor buffer not set"'],
        [call(name, ...before, nowhere(), bytes(64), 0, 4, ...after), ": assertion failed: "],
        [call(name, ...before, four, bytes(2), 0, 4, ...after), "(data): expected at least"],
      ];
    }
  }
  return cases;
}

function ofBareBackend(): Record<string, Case[]> {
  const event = new lib.ggml_backend_event(1n), plan = new Pointer(1n), never = new lib.ggml_abort_callback(() => false);
  const message = ": assertion failed: ggml_backend_is_cpu(backend_cpu)";
  return {
    ggml_backend_cpu_set_n_threads: [
      [() => lib.ggml_backend_cpu_set_n_threads(bare, 1), message],
      [() => lib.ggml_backend_cpu_set_n_threads(cpu, 5130), `(n_threads): ${TOO_MANY}`],
    ],
    ggml_backend_cpu_set_threadpool: [[() => lib.ggml_backend_cpu_set_threadpool(bare, null), message]],
    ggml_backend_cpu_set_abort_callback: [[() => lib.ggml_backend_cpu_set_abort_callback(bare, never, null), message]],
    ggml_backend_cpu_set_use_ref: [[() => lib.ggml_backend_cpu_set_use_ref(bare, true), message]],
    ggml_backend_graph_plan_create: [[
      () => lib.ggml_backend_graph_plan_create(bare, sums(1)),
      ": assertion failed: backend->iface.graph_plan_create != NULL",
    ]],
    ggml_backend_graph_plan_compute: [[
      () => lib.ggml_backend_graph_plan_compute(bare, plan),
      "(plan): expected a plan that ggml_backend_graph_plan_create made",
    ]],
    ggml_backend_graph_plan_free: [[
      () => lib.ggml_backend_graph_plan_free(cpu, bytes(64)),
      "(plan): expected a plan that ggml_backend_graph_plan_create made",
    ]],
    ggml_backend_event_record: [[
      () => lib.ggml_backend_event_record(event, bare),
      ": assertion failed: backend->iface.event_record != NULL",
    ]],
    ggml_backend_event_wait: [[() => lib.ggml_backend_event_wait(bare, event), ": assertion failed: backend->iface.event_wait != NULL"]],
    ggml_backend_dev_buffer_from_host_ptr: [
      [
        () => lib.ggml_backend_dev_buffer_from_host_ptr(lib.ggml_backend_get_device(bare), bytes(64), 64, 64),
        ": C used a null pointer",
      ],
    ],
  };
}

/** The cases, by function. */
export const cases: Record<string, Case[]> = {
  ggml_backend_graph_compute: [[() => lib.ggml_backend_graph_compute(cpu, sums(1)), ": node 0 (ADD"]],
  ggml_backend_graph_compute_async: [[() => lib.ggml_backend_graph_compute_async(cpu, sums(1)), ": node 0 (ADD"]],
  ...transfers(),
  ggml_backend_tensor_memset: [
    [
      () => lib.ggml_backend_tensor_memset(four, 0, 8, 12),
      ': assertion failed: offset + size <= ggml_nbytes(tensor) && "tensor write out of bounds"',
    ],
    [() => lib.ggml_backend_tensor_memset(inContext, 0, 0, 4), ': assertion failed: buf != NULL && "tensor buffer not set"'],
    [
      () => lib.ggml_backend_tensor_memset(four, 0, 2n ** 64n - 8n, 16),
      "(offset): expected to end within the tensor, got an end at byte 1844",
    ],
  ],
  ggml_set_zero: [
    [
      () => lib.ggml_set_zero(lib.ggml_view_2d(ctx, lib.ggml_new_tensor_2d(ctx, F32, 4, 3), 2, 3, 16, 0)),
      "(tensor): expected numbers without others between them, got 24 bytes among 40",
    ],
  ],
  ggml_backend_tensor_copy: [
    [() => lib.ggml_backend_tensor_copy(placeless(), four), "(src): the tensor has a buffer, and no data in it"],
    [
      () => lib.ggml_backend_tensor_copy(four, inBuffer(F32, 5)),
      ': assertion failed: ggml_are_same_layout(src, dst) && "cannot copy tensors with different layouts"',
    ],
    [() => lib.ggml_backend_tensor_copy(inContext, four), ": assertion failed: buffer"],
    [() => lib.ggml_backend_tensor_copy(four, inContext), ': assertion failed: buf != NULL && "tensor buffer not set"'],
  ],
  ggml_backend_tensor_copy_async: [
    [() => lib.ggml_backend_tensor_copy_async(cpu, cpu, placeless(), four), "(src): the tensor has a buffer, and no data in it"],
    [
      () => lib.ggml_backend_tensor_copy_async(cpu, cpu, four, inBuffer(I32, 4)),
      ': assertion failed: ggml_are_same_layout(src, dst) && "cannot copy tensors with different layouts"',
    ],
  ],
  ggml_backend_reg_get: [[() => lib.ggml_backend_reg_get(1000), ": assertion failed: index < ggml_backend_reg_count()"]],
  ggml_backend_dev_get: [[() => lib.ggml_backend_dev_get(1000), ": assertion failed: index < ggml_backend_dev_count()"]],
  ggml_backend_reg_dev_get: [
    [
      () => lib.ggml_backend_reg_dev_get(lib.ggml_backend_cpu_reg(), 1),
      ": assertion failed: index == 0",
    ],
  ],
  ggml_backend_meta_device: [
    [
      () =>
        lib.ggml_backend_meta_device(
          Array(17).fill(lib.ggml_backend_get_device(cpu)),
          17,
          new lib.ggml_backend_meta_get_split_state_t(1n),
          null,
        ),
      ": assertion failed: n_devs <= GGML_BACKEND_META_MAX_DEVICES",
    ],
  ],
  ggml_backend_cpu_buffer_from_ptr: [
    [
      () => lib.ggml_backend_cpu_buffer_from_ptr(lib.ggml_get_mem_buffer(ctx)!.bytes(64).subarray(1), 32),
      ': assertion failed: (uintptr_t)ptr % TENSOR_ALIGNMENT == 0 && "buffer pointer must be aligned"',
    ],
  ],
  ggml_backend_view_init: [
    [() => lib.ggml_backend_view_init(nowhere()), ": assertion failed: tensor->view_src != NULL"],
    [() => lib.ggml_backend_view_init(four), ": assertion failed: tensor->buffer == NULL"],
    [
      () => lib.ggml_backend_view_init(lib.ggml_view_1d(ctx, inContext, 2, 0)),
      ": assertion failed: tensor->view_src->buffer != NULL",
    ],
  ],
  ggml_backend_tensor_alloc: [
    [() => lib.ggml_backend_tensor_alloc(four.buffer!, four, four.data!), ": assertion failed: tensor->buffer == NULL"],
    [
      () => lib.ggml_backend_tensor_alloc(four.buffer!, lib.ggml_view_1d(empty(), nowhere(), 2, 0), four.data!),
      ": assertion failed: tensor->view_src == NULL",
    ],
    [
      () => lib.ggml_backend_tensor_alloc(four.buffer!, nowhere(), new Pointer(four.data!.address - 32n)),
      ": assertion failed: addr >= ggml_backend_buffer_get_base(buffer)",
    ],
    [
      () => lib.ggml_backend_tensor_alloc(four.buffer!, nowhere(), new Pointer(four.data!.address + 1024n)),
      "(addr): expected an address within the buffer's 32 bytes, got one at byte 1024",
    ],
    [
      () => lib.ggml_backend_tensor_alloc(four.buffer!, nowhere(), new Pointer(2n ** 64n - 8n)),
      "(addr): expected an address within the buffer's 32 bytes",
    ],
  ],
  ggml_backend_graph_copy: [
    [
      () => lib.ggml_backend_graph_copy(cpu, sums(1)),
      `(graph): expected tensors in backends' buffers, got ADD "node_0": f32 ne=[4] in no memory`,
    ],
    [
      () => lib.ggml_backend_graph_copy(cpu, graphOf(lib.ggml_sqr(ctx, four))),
      `(graph): expected tensors in backends' buffers, got SQR "node_0": f32 ne=[4] in its context's memory`,
    ],
    [
      () => {
        const own = empty(), squares = lib.ggml_sqr(own, lib.ggml_view_1d(ctx, inContext, 2, 0));
        lib.ggml_backend_alloc_ctx_tensors(own, cpu);
        lib.ggml_backend_graph_copy(cpu, graphOf(squares));
      },
      `(graph): expected tensors in backends' buffers, got VIEW "weights (view)": f32 ne=[2] in its context's memory`,
    ],
  ],
  ggml_backend_compare_graph_backend: [
    [
      () => lib.ggml_backend_compare_graph_backend(cpu, cpu, sums(1), new lib.ggml_backend_eval_callback(() => true), null, null, 0),
      ': node 0 (ADD "node_0": f32 ne=[4]): has no memory: made with noAlloc, and to be allocated first (ggml_backend_alloc_ctx_tensors, ggml_gallocr_alloc_graph)',
    ],
    [() => {
      const graph = graphOf(lib.ggml_sqr(ctx, inContext)), answer = new lib.ggml_backend_eval_callback(() => true);
      lib.ggml_backend_compare_graph_backend(cpu, cpu, graph, answer, null, null, 0);
    }, `(graph): expected tensors in backends' buffers, got SQR "node_0": f32 ne=[4] in its context's memory`],
  ],
  ...ofBareBackend(),
};
