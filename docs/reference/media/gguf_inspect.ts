// What is in a model file: its metadata, its tensors, and how large they are. Run it, without FILE on a small one that it makes:
//
//     deno run --allow-ffi --allow-read --allow-write examples/gguf_inspect.ts [FILE]

import { type GgufFile, type GgufValue, readGguf } from "@ggml/deno/utils";
import { writeDemoModel } from "./shared/demo_model.ts";
import { size, table } from "./shared/text.ts";

/** How many elements of an array, and characters of a string, are shown. */
const ELEMENTS = 6, CHARACTERS = 60, CHARACTERS_EACH = 12;

function show({ value }: GgufValue): string {
  if (typeof value !== "object") return showItem(value);
  const items = Array.from(value as ArrayLike<string | number | bigint | boolean>).slice(0, ELEMENTS);
  const more = value.length > items.length ? `, … ${value.length - items.length} more` : "";
  return `[${items.map((item) => showItem(item, CHARACTERS_EACH)).join(", ")}${more}]`;
}

function showItem(item: string | number | bigint | boolean, most = CHARACTERS): string {
  if (typeof item === "number") return String(Number(item.toPrecision(7))); // as exact as an f32 is
  if (typeof item !== "string") return String(item);
  return JSON.stringify(item.length > most ? `${item.slice(0, most)}…` : item);
}

/** Element type, tensors, elements and bytes of each type, the largest first. */
function byType(file: GgufFile): string[][] {
  const totals = new Map<string, { tensors: number; elements: number; bytes: number }>();
  for (const { typeName, ne, byteLength } of file.tensors.values()) {
    const total = totals.get(typeName) ?? { tensors: 0, elements: 0, bytes: 0 };
    total.tensors++;
    total.elements += ne.reduce((a, b) => a * b, 1);
    total.bytes += byteLength;
    totals.set(typeName, total);
  }
  const all = [...totals].sort(([, a], [, b]) => b.bytes - a.bytes);
  const sum = (field: "tensors" | "elements" | "bytes") => all.reduce((sum, [, total]) => sum + total[field], 0);
  return [...all, ["total", { tensors: sum("tensors"), elements: sum("elements"), bytes: sum("bytes") }] as const]
    .map(([type, { tensors, elements, bytes }]) => {
      return [type, String(tensors), String(elements), size(bytes), elements === 0 ? "" : (bytes * 8 / elements).toFixed(2)];
    });
}

function inspect(path: string): void {
  using file = readGguf(path); // reads the metadata only
  const { version, alignment, metadata, tensors } = file;
  console.log(`${path}: GGUF version ${version}, ${metadata.size} keys, ${tensors.size} tensors, data aligned to ${alignment} bytes\n`);
  const keys = [...metadata].map(([key, value]) => {
    const isArray = typeof value.value === "object";
    return [key, isArray ? value.type.replace("[]", `[${(value.value as ArrayLike<unknown>).length}]`) : value.type, show(value)];
  });
  console.log(`${table([["key", "type", "value"], ...keys])}\n`);
  if (tensors.size === 0) return;
  const rows = Array.from(tensors.values(), ({ name, typeName, ne, byteLength, offset }) => {
    return [name, typeName, `[${ne.join(", ")}]`, size(byteLength), String(offset)];
  });
  console.log(`${table([["tensor", "type", "ne (fastest first)", "size", "at byte"], ...rows], [3, 4])}\n`);
  console.log(table([["type", "tensors", "elements", "size", "bits each"], ...byType(file)], [1, 2, 3, 4]));
}

if (import.meta.main) {
  const [path] = Deno.args;
  try {
    if (path !== undefined) inspect(path);
    else {
      console.log("usage: gguf_inspect.ts FILE; here is a small one:\n");
      const folder = await Deno.makeTempDir();
      await writeDemoModel(`${folder}/demo.gguf`);
      inspect(`${folder}/demo.gguf`);
      await Deno.remove(folder, { recursive: true });
    }
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}
