/** Files that C writes: what can't be written is an Error before C opens the file, which keeps what it has. */

import { assertEquals, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { init, readGguf } from "@ggml/deno/utils";

const F32 = lib.GGML_TYPE_F32;

/** A tensor by itself, with memory or without. */
function tensor(name: string, noAlloc: boolean): lib.ggml_tensor {
  return lib.ggml_set_name(lib.ggml_new_tensor_1d(init({ memSize: 4096, noAlloc }), F32, 4), name);
}

function withTensors(...tensors: lib.ggml_tensor[]): lib.gguf_context {
  const gguf = lib.gguf_init_empty()!;
  for (const tensor of tensors) lib.gguf_add_tensor(gguf, tensor);
  return gguf;
}

Deno.test("a tensor without data, as C reads them from files, too, is an Error, and the old file stays", () => {
  const folder = Deno.makeTempDirSync(), path = `${folder}/old.gguf`, other = `${folder}/other.gguf`;
  try {
    lib.gguf_write_to_file(withTensors(tensor("a", false)), other, false);
    const read = lib.gguf_init_from_file(other, new lib.gguf_init_params({ no_alloc: true, ctx: null }))!;
    using ctx = init({ memSize: 4096, noAlloc: true });
    const placed = withTensors(lib.ggml_set_name(lib.ggml_new_tensor_1d(ctx, F32, 4), "late"));
    using _buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, lib.ggml_backend_cpu_init()!);
    for (
      const [gguf, name] of [
        [withTensors(tensor("a", false), tensor("b", true)), "b"],
        [placed, "late"], // C has copied it as it was
      ] as const
    ) {
      Deno.writeTextFileSync(path, "old");
      const says = `gguf_write_to_file(ctx): the tensor "${name}" has no data: call gguf_set_tensor_data`;
      assertThrows(() => lib.gguf_write_to_file(gguf, path, false), Error, says);
      assertEquals(Deno.readTextFileSync(path), "old");
      assertEquals(lib.gguf_write_to_file(gguf, path, true), true); // the metadata alone
      lib.gguf_set_tensor_data(gguf, name, Float32Array.of(1, 2, 3, 4));
      assertEquals(lib.gguf_write_to_file(gguf, path, false), true);
      using file = readGguf(path);
      assertEquals([...file.tensors.get(name)!.numbers().data], [1, 2, 3, 4]);
    }
    Deno.writeTextFileSync(path, "old");
    assertThrows(() => lib.gguf_write_to_file(read, path, false), Error, '(ctx): the tensor "a" was read from a file');
    assertEquals(Deno.readTextFileSync(path), "old");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
