/**
 * What there is to compute on, and whether what it computes is right.
 *
 * @module
 */

import { whyNot } from "../ffi/load/files.ts";
import { fileNames, type Gpu, platformGpus, platformPackage } from "../ffi/load/find.ts";
import { NEEDS } from "../ffi/load/gpu.ts";
import { lib } from "../ffi/generated/lib.js";
import { installedPackage } from "../ffi/load/npm.ts";
import { compute } from "../utils/compute.ts";
import { copy } from "../utils/copy.ts";
import type { Device } from "../utils/computing/device.ts";
import { devices } from "../utils/devices.ts";
import { init } from "../utils/init.ts";
import { view } from "../utils/view.ts";
import { type Finding, note, ok, problem, type Section } from "./finding.ts";

/** The devices of the loaded library, and the GPU packages of this platform. */
export function deviceSection(): Section {
  return { title: "Devices", findings: [...listDevices(), ...platformGpus().map(gpuPackage)] };
}

function listDevices(): Finding[] {
  try {
    return devices().map((device) => ok(describe(device)));
  } catch (error) {
    return [note((error as Error).message, "the CPU works without the registry: ggml_backend_cpu_init")];
  }
}

function describe({ name, description, type, memory, backend, host }: Device): string {
  const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(1);
  return `${name} (${type}, ${backend}): ${description}, ${gib(memory.free)} of ${gib(memory.total)} GiB free${
    host ? ", host memory" : ", memory of its own"
  }`;
}

function gpuPackage(gpu: Gpu): Finding {
  const name = platformPackage(gpu)!;
  const place = installedPackage(name);
  if (place === null) return ok(`load({ gpu: "${gpu}" }) would need the package @node-llama-cpp/${name}, which was not downloaded`);
  const reason = whyNot(place.path + fileNames(`ggml-${gpu}`)[0]);
  if (reason === null) return ok(`load({ gpu: "${gpu}" }): the package is there, and its backend opens`);
  return note(`load({ gpu: "${gpu}" }): the package is there, but its backend can't be opened: ${reason}`, `It needs ${NEEDS[gpu]}.`);
}

const LENGTH = 256;

/** A quantized sum, compared with what it is. */
export function selfTestSection(): Section {
  const title = "Self test";
  try {
    const worst = worstError(quantizedSum());
    const text = `${LENGTH} sums, Q5_K + F32: the worst is off by ${worst.toFixed(3)} of the largest`;
    if (worst < 0.02) return { title, findings: [ok(text)] };
    return { title, findings: [problem(text, "This library computes wrongly on this processor: use another one.")] };
  } catch (error) {
    return { title, findings: [problem((error as Error).message, "This library lacks what the first example needs: use a whole build.")] };
  }
}

/** `i + 100 i` for each index. */
function quantizedSum(): ArrayLike<number> {
  using ctx = init({ memSize: 1024 * 1024 });
  const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_Q5_K, LENGTH), b = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, LENGTH);
  const sum = lib.ggml_add(ctx, a, b), graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, sum);
  copy(Float32Array.from({ length: LENGTH }, (_, i) => i), a);
  copy(Float32Array.from({ length: LENGTH }, (_, i) => i * 100), b);
  compute(graph);
  return view(sum, { allowCopy: true }).data as Float32Array;
}

function worstError(sums: ArrayLike<number>): number {
  const largest = 101 * (LENGTH - 1);
  return Math.max(...Array.from(sums, (sum, i) => Math.abs(sum - 101 * i) / largest));
}
