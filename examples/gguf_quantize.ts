// A model file with its weights in another type, such as q4_K or f16, a few rows at a time: it may be larger than memory. Run it, without
// arguments on a small file that it makes:
//
//     deno run --allow-ffi --allow-read --allow-write examples/gguf_quantize.ts [IN OUT TYPE [--imatrix FILE]]
//
// Tensors of two or more dimensions are converted if their rows divide into the type's blocks; the others are kept as they are.

import { lib } from "@ggml/deno";
import { dequantize, type GgufFile, type GgufTensor, type GgufTensorInput, type GgufValueInput } from "@ggml/deno/utils";
import { quantize, readGguf, writeGguf } from "@ggml/deno/utils";
import { writeDemoModel } from "./shared/demo_model.ts";
import { progress, size, table } from "./shared/text.ts";

const USAGE = "usage: gguf_quantize.ts IN OUT TYPE [--imatrix FILE]";

/** Floats that are converted at once. */
const PIECE = 1024 * 1024;

/** The type of that name, upper case or lower. */
function typeNamed(name: string): lib.ggml_type {
  const types = Object.entries(lib).filter(([key]) => key.startsWith("GGML_TYPE_") && key !== "GGML_TYPE_COUNT");
  const found = types.find(([key]) => key === `GGML_TYPE_${name.toUpperCase()}`);
  if (found !== undefined) return found[1] as lib.ggml_type;
  throw new Error(`there is no type ${name}; there are ${types.map(([, type]) => lib.ggml_type_name(type as lib.ggml_type)).join(", ")}`);
}

/** Why a tensor stays as it is; null if it doesn't. */
function reasonToKeep({ type, typeName, ne }: GgufTensor, to: lib.ggml_type): string | null {
  const block = lib.ggml_blck_size(to);
  if (type === to) return `is ${typeName} already`;
  if (ne.slice(1).every((n) => n === 1)) return "has one dimension";
  if (!isReal(type)) return `${typeName} doesn't convert to floats`;
  if (ne[0] % block !== 0) return `rows of ${ne[0]} are no multiple of ${block}`;
  return null;
}

/** What llama-imatrix measured: how much each column of a tensor matters, for each of its matrices. */
class Importance {
  readonly #file: GgufFile;

  constructor(path: string) {
    this.#file = readGguf(path);
  }

  /** The importance of a tensor's columns, a row for each of its matrices; null if the file has nothing of that tensor. */
  of({ name, ne }: GgufTensor): Float32Array[] | null {
    const sums = this.#file.tensors.get(`${name}.in_sum2`), counts = this.#file.tensors.get(`${name}.counts`);
    if (sums === undefined || counts === undefined) return null;
    const all = sums.numbers().data, times = counts.numbers().data, matrices = (ne[2] ?? 1) * (ne[3] ?? 1);
    if (all.length !== ne[0] * times.length || matrices % times.length !== 0) {
      throw new Error(`the importance of ${name} is of another shape, ${all.length} numbers for ne=[${ne.join(", ")}]`);
    }
    return Array.from(times, (time, i) => all.slice(i * ne[0], (i + 1) * ne[0]).map((sum) => time > 0 ? sum / time : 1));
  }
}

/** A tensor's data in another type, some rows at a time, none of them of two matrices. */
function* convert(tensor: GgufTensor, to: lib.ggml_type, importance: Float32Array[] | null, tell: (bytes: number) => void) {
  const [row, rows = 1, ...others] = tensor.ne;
  const step = Math.max(1, Math.floor(PIECE / row)), rowBytes = lib.ggml_row_size(tensor.type, row);
  const matrices = others.reduce((a, b) => a * b, 1);
  for (let matrix = 0; matrix < matrices; matrix++) {
    const imatrix = importance?.[matrix % importance.length];
    for (let i = 0; i < rows; i += step) {
      const begin = (matrix * rows + i) * rowBytes, bytes = tensor.bytes(begin, begin + Math.min(step, rows - i) * rowBytes);
      yield quantize(dequantize(bytes, tensor.type), to, { rowLength: row, imatrix });
      tell(bytes.length);
    }
  }
}

/** The metadata, with what it says of its tensors' type. */
function describe(metadata: ReadonlyMap<string, GgufValueInput>, to: lib.ggml_type): Map<string, GgufValueInput> {
  const described = new Map(metadata), name = lib.ggml_type_name(to)!.toUpperCase();
  const fileType = (lib as unknown as Record<string, number>)[`LLAMA_FTYPE_${name === "F32" ? "ALL" : "MOSTLY"}_${name}`];
  if (fileType === undefined) described.delete("general.file_type"); // llama has mixtures of that type only
  else described.set("general.file_type", { type: "u32", value: fileType });
  if (lib.ggml_is_quantized(to)) described.set("general.quantization_version", { type: "u32", value: lib.GGML_QNT_VERSION });
  return described;
}

/** True if elements of the type are real numbers, as weights are. */
function isReal(type: lib.ggml_type): boolean {
  return type === lib.GGML_TYPE_F32 || lib.ggml_get_type_traits(type).to_float !== null;
}

/** Throws unless ggml can convert to that type, with what there is. */
function expectQuantizable(to: lib.ggml_type, hasImatrix: boolean): void {
  const name = lib.ggml_type_name(to), block = lib.ggml_blck_size(to);
  if (!isReal(to)) throw new Error(`weights can't be ${name}: ggml doesn't convert it to floats`);
  if (!hasImatrix && lib.ggml_quantize_requires_imatrix(to)) {
    throw new Error(`${name} needs an importance matrix: --imatrix FILE, as llama-imatrix makes it`);
  }
  quantize(new Float32Array(block), to, { imatrix: new Float32Array(block).fill(1) }); // or throws
}

async function run(from: string, out: string, to: lib.ggml_type, imatrix: string | undefined): Promise<void> {
  expectQuantizable(to, imatrix !== undefined);
  using file = readGguf(from);
  const importance = imatrix === undefined ? null : new Importance(imatrix);
  const total = file.tensors.values().reduce((sum, { byteLength }) => sum + byteLength, 0);
  const tensors = new Map<string, GgufTensorInput>(), kept: string[][] = [];
  let done = 0;
  for (const [name, tensor] of file.tensors) {
    const known = importance?.of(tensor) ?? null;
    const needs = known === null && lib.ggml_quantize_requires_imatrix(to) ? "has no importance" : null;
    const reason = reasonToKeep(tensor, to) ?? needs;
    const data = () => convert(tensor, to, known, (bytes) => progress(done += bytes, total, name));
    tensors.set(name, reason === null ? { type: to, ne: tensor.ne, data } : tensor);
    if (reason === null) continue;
    kept.push([name, tensor.typeName, reason]);
    done += tensor.byteLength;
  }
  await writeGguf(out, { metadata: describe(file.metadata, to), tensors });
  progress(total, total, "");
  report(from, out, kept, total, lib.ggml_type_name(to)!);
}

function report(from: string, out: string, kept: string[][], before: number, type: string): void {
  using file = readGguf(out);
  const after = file.tensors.values().reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (kept.length > 0) console.log(`kept as they are:\n${table(kept).replace(/^/gm, "  ")}\n`);
  console.log(`${file.tensors.size - kept.length} of ${file.tensors.size} tensors are ${type} now`);
  console.log(table([
    [from, size(before), `${size(Deno.statSync(from).size)} in all`],
    [out, size(after), `${size(Deno.statSync(out).size)} in all`],
  ], [1, 2]));
}

if (import.meta.main) {
  const at = Deno.args.indexOf("--imatrix");
  const imatrix = at < 0 ? undefined : Deno.args[at + 1];
  const args = at < 0 ? Deno.args : Deno.args.toSpliced(at, 2);
  try {
    if (args.length === 3) await run(args[0], args[1], typeNamed(args[2]), imatrix);
    else if (args.length > 0 || at >= 0) throw new Error(USAGE);
    else {
      console.log(`${USAGE}; here is a small file in q8_0:\n`);
      const folder = await Deno.makeTempDir();
      await writeDemoModel(`${folder}/demo.gguf`);
      await run(`${folder}/demo.gguf`, `${folder}/demo-q8_0.gguf`, lib.GGML_TYPE_Q8_0, undefined);
      await Deno.remove(folder, { recursive: true });
    }
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}
