// llama2.c's two files, a model and tokenizer.bin beside it: how llama2.ts reads them, and a program that writes those of a GGUF of the
// architecture "llama". All weights become 32-bit floats.
//
//     deno run --allow-ffi --allow-read --allow-write examples/llama2_bin.ts IN.gguf OUT.bin
//
// The program of karpathy's that reads them merges two tokens wherever a third has their text, the one with the best score first; it has
// no list of merges, and doesn't cut a text into words before. So with a vocabulary of GPT-2's kind a text may become other tokens than by
// the GGUF, as where several spaces follow each other.

import { lib } from "@ggml/deno";
import { type GgufFile, type GgufTensor, readGguf, type WeightsEntry } from "@ggml/deno/utils";
import type { ModelFile, Tokenizer } from "./llama2.ts";

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

/** How many bytes the seven numbers are that a model begins with. */
const HEAD = 28;

/** llama2.c's file: seven numbers, then 32-bit floats, layers' weights of a kind together. There is a head if the vocabulary is below 0. */
export function openBin(path: string): ModelFile {
  const [dim, hidden, layers, heads, kvHeads, sized, context] = new Int32Array(bytesAt(path, 0, HEAD).buffer);
  const head = dim / heads, half = head / 2, vocab = Math.abs(sized), tensors = new Map<string, WeightsEntry>();
  if (Math.min(dim, hidden, layers, heads, kvHeads, vocab, context) < 1 || dim % (2 * heads) !== 0) {
    throw new Error(`${path}: it is none of llama2.c's`);
  }
  let offset = HEAD;
  const put = (name: string, ...ne: number[]) => {
    const byteLength = 4 * ne.reduce((a, b) => a * b);
    tensors.set(`${name}.weight`, { type: lib.GGML_TYPE_F32, ne, offset, byteLength });
    offset += byteLength;
  };
  const putEach = (part: string, ...ne: number[]) => {
    for (let i = 0; i < layers; i++) put(`blk.${i}.${part}`, ...ne);
  };
  put("token_embd", dim, vocab);
  putEach("attn_norm", dim);
  putEach("attn_q", dim, heads * head);
  putEach("attn_k", dim, kvHeads * head);
  putEach("attn_v", dim, kvHeads * head);
  putEach("attn_output", heads * head, dim);
  putEach("ffn_norm", dim);
  putEach("ffn_gate", dim, hidden);
  putEach("ffn_down", hidden, dim);
  putEach("ffn_up", dim, hidden);
  put("output_norm", dim);
  // Cosines, then sines, of how far each pair turns at each position. The last pair's at position 1 tell the base; some files have zeros.
  const [cos, sin] = [0, 1].map((table) =>
    new Float32Array(bytesAt(path, offset + 4 * (table * context * half + 2 * half - 1), 4).buffer)[0]
  );
  const base = cos === 0 && sin === 0 ? 10000 : Math.round(Math.atan2(sin, cos) ** (half / (1 - half)));
  offset += 8 * context * half;
  if (sized < 0) put("output", dim, vocab);
  const config = { layers, dim, hidden, heads, kvHeads, head, vocab, context, eps: 1e-5, rope: { dims: head, base, scale: 1 } };
  return { config, weights: { path, tensors }, tokenizer: binTokenizer(path.replace(/[^/\\]*$/, "tokenizer.bin"), vocab) };
}

function bytesAt(path: string, offset: number, length: number): Uint8Array<ArrayBuffer> {
  using file = Deno.openSync(path);
  const bytes = new Uint8Array(length);
  file.seekSync(offset, Deno.SeekMode.Start);
  if (file.readSync(bytes) === length) return bytes;
  throw new Error(`${path}: expected ${length} bytes at ${offset}, and it ends there`);
}

/** Bytes as a string with a character for each, so that they can be joined and looked up. */
const joined = (bytes: Uint8Array) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

/** The token that texts begin with in llama's own vocabulary. The next one ends them, and those from the one after on are bytes. */
const BEGIN = 1;

/** The vocabulary of llama2.c's tokenizer.bin: of each token a score, how many bytes it has, and those. */
function binTokenizer(path: string, count: number): Tokenizer {
  const bytes = Deno.readFileSync(path), numbers = new DataView(bytes.buffer), pieces: string[] = [], scores: number[] = [];
  for (let at = 4, length; pieces.length < count; at += 8 + length) { // 4 for how long the longest is
    length = numbers.getInt32(at + 4, true);
    scores.push(numbers.getFloat32(at, true));
    pieces.push(joined(bytes.subarray(at + 8, at + 8 + length)));
  }
  const ids = new Map(pieces.map((piece, id) => [piece, id])), isLlama = pieces[BEGIN] === "\n<s>\n";
  const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
  const tokensOf = (character: string): number[] => {
    const id = ids.get(character);
    return id !== undefined ? [id] : Array.from(character, (byte) => isLlama ? BEGIN + 2 + byte.charCodeAt(0) : ids.get(byte) ?? 0);
  };
  return {
    encode(text) {
      const first = isLlama ? [BEGIN] : text === "" ? [pieces.indexOf("")] : [], characters = isLlama && text !== "" ? ` ${text}` : text;
      const tokens = [...first, ...Array.from(characters, (character) => tokensOf(joined(new TextEncoder().encode(character)))).flat()];
      while (true) { // merge the two that make the token with the best score
        let best = -1, merged = -1, score = -1e10;
        for (let i = 1; i < tokens.length; i++) {
          const id = ids.get(pieces[tokens[i - 1]] + pieces[tokens[i]]) ?? -1;
          if (id >= 0 && scores[id] > score) [best, merged, score] = [i - 1, id, scores[id]];
        }
        if (best < 0) return tokens;
        tokens.splice(best, 2, merged);
      }
    },
    decode(token, previous) {
      if (isLlama && token <= BEGIN + 1) return new Uint8Array(0);
      const byte = /^<0x([0-9A-F]{2})>$/.exec(pieces[token])?.[1];
      if (byte !== undefined) return Uint8Array.of(parseInt(byte, 16));
      return bytesOf(isLlama && previous === BEGIN ? pieces[token].replace(/^ /, "") : pieces[token]);
    },
    isEnd: (token) => isLlama ? token === BEGIN || token === BEGIN + 1 : pieces[token] === "",
  };
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
