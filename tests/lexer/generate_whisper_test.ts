/** A module that `generate --api` writes for whisper.h, as the guide says, hears what is spoken. */

import { assert, assertEquals } from "@std/assert";
import { deno } from "../process.ts";
import { whisper } from "../whisper.ts";

/** The API file that the guide shows. */
async function apiFile(): Promise<string> {
  const page = await Deno.readTextFile(new URL("../../docs/your-own-ggml.md", import.meta.url));
  const [, block] = /```text\n(#include "whisper\.h"\n[^]*?)```/.exec(page)!;
  return block;
}

const PROGRAM = `import * as w from "./whisper.ts";
import { samplesOf } from "SAMPLES";

const [model, detector, spoken] = Deno.args;
const samples = samplesOf(Deno.readFileSync(spoken)), { length } = samples;

const vad = w.whisper_vad_init_from_file_with_params(detector, w.whisper_vad_default_context_params());
w.whisper_vad_detect_speech(vad, samples, length);
const count = w.whisper_vad_n_probs(vad), speech = w.whisper_vad_segments_from_probs(vad, w.whisper_vad_default_params());
const segments = Array.from({ length: w.whisper_vad_segments_n_segments(speech) }, (_, i) => [
  w.whisper_vad_segments_get_segment_t0(speech, i),
  w.whisper_vad_segments_get_segment_t1(speech, i),
]);
w.whisper_vad_free_segments(speech);
const silence = w.whisper_vad_segments_from_samples(vad, w.whisper_vad_default_params(), new Float32Array(length), length);
const silent = w.whisper_vad_segments_n_segments(silence);
w.whisper_vad_free_segments(silence);
w.whisper_vad_free(vad);

const ctx = w.whisper_init_from_file_with_params(model, w.whisper_context_default_params());
if (ctx === null) throw new Error("no model");
const params = w.whisper_full_default_params(w.WHISPER_SAMPLING_GREEDY);
params.print_progress = false;
params.n_threads = 1;
const text = () => {
  const status = w.whisper_full(ctx, params, samples, length);
  const all = Array.from({ length: w.whisper_full_n_segments(ctx) }, (_, i) => w.whisper_full_get_segment_text(ctx, i));
  return [status, all.join("").trim()];
};
const errors = [() => w.whisper_full(ctx, params, samples.subarray(1), length), () => w.whisper_n_vocab(ctx)];
const said = (f: () => unknown) => { try { return String(f()); } catch (error) { return String(error); } };
const heard = text(), short = said(errors[0]);
w.whisper_free(ctx);
console.log(JSON.stringify({ count, segments, silent, heard, short, freed: said(errors[1]) }));
`;

Deno.test("a module for whisper.h hears where somebody speaks, and what", async () => {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") return console.warn("SKIPPED: whisper.h (the wheel is for x86-64 Linux)");
  const files = await whisper("a spoken sentence, transcribed by a module that generate --api writes");
  if (files === null) return;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/whisper_api.h`, await apiFile());
    const made = await deno([
      ...["run", "--quiet", "-RW", "lexer/cli.ts", "generate", "--library", files.library, "--api", `${folder}/whisper_api.h`],
      ...files.includes.flatMap((include) => ["-I", include]),
      ...["--out", `${folder}/whisper.ts`],
    ]);
    assertEquals(made.code, 0, made.stderr);
    await Deno.writeTextFile(`${folder}/use.ts`, PROGRAM.replace("SAMPLES", new URL("../whisper.ts", import.meta.url).href));
    const args = [
      "run",
      "--quiet",
      "--check",
      "--allow-ffi",
      "--allow-read",
      `${folder}/use.ts`,
      files.model,
      files.detector,
      files.spoken,
    ];
    const ran = await deno(args);
    assertEquals(ran.code, 0, ran.stderr);
    const { count, segments, silent, heard, short, freed } = JSON.parse(ran.stdout);
    assertEquals(heard, [0, "And so my fellow Americans ask not what your country can do for you ask what you can do for your country."]);
    assertEquals([count, silent], [344, 0]);
    // He says it in four pieces. Times are in hundredths of a second, and the whole is 11 s.
    assertEquals(segments.length, 4);
    const times = segments.flat();
    assert(times.every((time: number, i: number) => time <= 1100 && (i === 0 || time > times[i - 1])), String(times));
    assertEquals(short, "RangeError: whisper_full(samples): expected at least 176000 floats (n_samples), got a Float32Array of 175999");
    assertEquals(freed, "Error: whisper_n_vocab(ctx): this whisper_context was freed by whisper_free");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
