// A GGUF of the architecture "llama" as llama2.c's two files: OUT, and tokenizer.bin beside it. All weights become 32-bit floats.
//
//     deno run --allow-ffi --allow-read --allow-write examples/llama2_bin.ts IN.gguf OUT.bin
//
// The program of karpathy's that reads them merges two tokens wherever a third has their text, the one with the best score first; it has
// no list of merges, and doesn't cut a text into words before. So with a vocabulary of GPT-2's kind a text may become other tokens than by
// the GGUF, as where several spaces follow each other.

import { type GgufFile, type GgufTensor, readGguf } from "@ggml/deno/utils";

const USAGE = "usage: llama2_bin.ts IN.gguf OUT.bin";

/** What llama2.c takes for granted. */
const EPS = 1e-5;

/** `enum llama_token_type`, as files have it. */
const UNKNOWN = 2, CONTROL = 3;

/** The score of what nothing is merged to. */
const NEVER = -1e10;

/** Bytes by the characters that stand for them in a vocabulary of GPT-2's kind: printable ones themselves, 256 and on for the others. */
const BYTES: ReadonlyMap<string, number> = new Map(byteCharacters());

function* byteCharacters(): Generator<[string, number]> {
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const isItself = byte > 0x20 && byte < 0x7f || byte > 0xa0 && byte !== 0xad;
    yield [String.fromCharCode(isItself ? byte : next++), byte];
  }
}

/** What a file says by that key. */
function value(file: GgufFile, key: string): unknown {
  return file.metadata.get(key)?.value;
}

function writeAll(file: Deno.FsFile, { buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>): void {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
}

/** The numbers that the file begins with. */
function headOf(file: GgufFile) {
  const number = (key: string) => value(file, `llama.${key}`) as number;
  const layers = number("block_count"), dim = number("embedding_length"), hidden = number("feed_forward_length");
  const heads = number("attention.head_count"), kvHeads = number("attention.head_count_kv") ?? heads, context = number("context_length");
  const base = number("rope.freq_base") ?? 10000, vocab = tensorOf(file, "token_embd.weight").ne[1];
  const expect = (what: string, got: unknown, ...expected: unknown[]) => {
    if (!expected.includes(got)) throw new Error(`llama2.c knows no ${what} but ${expected.at(-1)}, and ${file.path} has ${got}`);
  };
  expect("architecture", value(file, "general.architecture"), "llama");
  expect("width of a head", number("attention.key_length"), undefined, dim / heads);
  expect("number of dimensions that turn", number("rope.dimension_count"), undefined, dim / heads);
  expect("scaling of positions", value(file, "llama.rope.scaling.type"), undefined, "none");
  expect("eps of the norm", Math.fround(number("attention.layer_norm_rms_epsilon")), Math.fround(EPS));
  expect("tensor rope_freqs.weight", file.tensors.has("rope_freqs.weight"), false);
  return { layers, dim, hidden, heads, kvHeads, context, base, vocab };
}

function tensorOf(file: GgufFile, name: string): GgufTensor {
  const tensor = file.tensors.get(name);
  if (tensor === undefined) throw new Error(`${file.path} has no tensor ${name}`);
  return tensor;
}

function writeModel(file: GgufFile, out: Deno.FsFile): void {
  const { layers, dim, hidden, heads, kvHeads, context, base, vocab } = headOf(file), hasHead = file.tensors.has("output.weight");
  const write = (name: string) => writeAll(out, Float32Array.from(tensorOf(file, name).numbers().data));
  writeAll(out, Int32Array.of(dim, hidden, layers, heads, kvHeads, hasHead ? -vocab : vocab, context));
  write("token_embd.weight");
  for (const part of ["attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_down", "ffn_up"]) {
    for (let i = 0; i < layers; i++) write(`blk.${i}.${part}.weight`);
  }
  write("output_norm.weight");
  for (const f of [Math.cos, Math.sin]) writeAll(out, turns(context, dim / heads / 2, base, f));
  if (hasHead) write("output.weight");
}

/** `f` of how far each pair of a head's numbers turns at each position. */
function turns(context: number, half: number, base: number, f: (x: number) => number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: context * half }, (_, i) => f(Math.floor(i / half) * base ** (-(i % half) / half)));
}

/** A vocabulary's pieces and their scores; no piece of those that stand for no text. */
function vocabularyOf(file: GgufFile): { piece: Uint8Array; score: number }[] {
  const kind = value(file, "tokenizer.ggml.model"), tokens = value(file, "tokenizer.ggml.tokens") as string[];
  const types = value(file, "tokenizer.ggml.token_type") as Int32Array | undefined;
  if (kind === "llama") {
    const scores = value(file, "tokenizer.ggml.scores") as Float32Array, encoder = new TextEncoder();
    return tokens.map((token, i) => ({ piece: encoder.encode(llamaPiece(token)), score: scores[i] }));
  }
  if (kind !== "gpt2") throw new Error(`expected a vocabulary of llama's or GPT-2's kind, and ${file.path} has ${kind}`);
  const ranks = new Map<string, number>();
  (value(file, "tokenizer.ggml.merges") as string[]).forEach((merge, rank) => {
    const merged = merge.replace(" ", "");
    if (!ranks.has(merged)) ranks.set(merged, rank);
  });
  return tokens.map((token, i) => {
    const isText = types?.[i] !== CONTROL && types?.[i] !== UNKNOWN, rank = ranks.get(token);
    return { piece: isText ? gpt2Piece(token) : new Uint8Array(0), score: isText && rank !== undefined ? -rank : NEVER };
  });
}

/** llama2.c writes the ends of a text with newlines around them, and a space where SentencePiece has a mark for it. */
function llamaPiece(token: string): string {
  return token === "<s>" || token === "</s>" ? `\n${token}\n` : token.replaceAll("\u2581", " ");
}

/** The bytes that a token's characters stand for; where one stands for none, the text itself. */
function gpt2Piece(token: string): Uint8Array {
  const bytes = Array.from(token, (character) => BYTES.get(character));
  return bytes.includes(undefined) ? new TextEncoder().encode(token) : Uint8Array.from(bytes as number[]);
}

function writeTokenizer(file: GgufFile, out: Deno.FsFile): void {
  const vocabulary = vocabularyOf(file);
  writeAll(out, Int32Array.of(Math.max(...vocabulary.map(({ piece }) => piece.length))));
  for (const { piece, score } of vocabulary) {
    const entry = new Uint8Array(8 + piece.length), numbers = new DataView(entry.buffer);
    numbers.setFloat32(0, score, true);
    numbers.setInt32(4, piece.length, true);
    entry.set(piece, 8);
    writeAll(out, entry);
  }
}

if (import.meta.main) {
  try {
    const [from, to, ...others] = Deno.args;
    if (to === undefined || others.length > 0) throw new Error(USAGE);
    using file = readGguf(from);
    headOf(file), vocabularyOf(file); // or throw, before anything is written
    using model = Deno.openSync(to, { write: true, create: true, truncate: true });
    writeModel(file, model);
    using tokenizer = Deno.openSync(to.replace(/[^/\\]*$/, "tokenizer.bin"), { write: true, create: true, truncate: true });
    writeTokenizer(file, tokenizer);
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}
