/**
 * What goes into the next batch.
 *
 * C takes another kernel for a batch of one token than for several, another one for 64 tokens of a sequence or more, and with one token it divides
 * the work among threads in another way. These differ by some millionths, and where chance falls just between two tokens, the other one is taken.
 * So the usual batch, of all that is wanted, gives a sequence what it gives alone only nearly always. The uniform batch has only shapes of which C
 * computes each row alike: two rows at least, and fewer than 64 tokens of each sequence, of all of them as many.
 *
 * C computes together only sequences whose numbers follow one another, in this order. So a token whose neighbours want none has one of them for company:
 * that gets a token more, which is forgotten afterwards.
 *
 * @module
 */

import type { Context } from "./context.ts";
import type { Generation } from "./generation.ts";
import type { Sequence } from "./sequence.ts";

/** A part of a batch. */
export interface Part {
  readonly generation: Generation;
  readonly count: number;
  /** The index of the token whose logits are wanted; -1 for none. */
  readonly output: number;
}

/** A batch that is composed. */
export interface Composed {
  readonly parts: readonly Part[];
  /** Sequences that have a token of the batch which is to be forgotten. */
  readonly company: readonly Sequence[];
}

/** C computes attention by tiles from so many tokens of a sequence on. */
const TILE = 64;

/** All that is wanted, as far as there is room: tokens first, then prompts. */
export function composeMixed(context: Context, ready: readonly Generation[]): Composed {
  context.clear();
  const tokensFirst = ready.toSorted((a, b) => Number(a.inPrompt) - Number(b.inPrompt) || idOf(a) - idOf(b));
  const parts = tokensFirst.map((generation) => partOf(context, generation, context.room, 1)).filter(({ count }) => count > 0);
  return { parts, company: [] };
}

/**
 * One token of each of those that want just one, or as many as each other of those that want more.
 *
 * @param single Which of the two comes first, if there are both.
 * @param sequences All sequences of the context, two at least, by their numbers.
 */
export function composeUniform(
  context: Context,
  ready: readonly Generation[],
  single: boolean,
  sequences: readonly Sequence[],
): Composed {
  context.clear();
  const sorted = ready.toSorted((a, b) => idOf(a) - idOf(b));
  const [ones, more] = [sorted.filter(({ wanted }) => wanted === 1), sorted.filter(({ wanted }) => wanted > 1)];
  if (ones.length > 0 && (single || more.length === 0)) return composeOnes(context, ones, sequences);
  return { parts: composeEqual(context, more), company: [] };
}

function composeOnes(context: Context, ones: readonly Generation[], sequences: readonly Sequence[]): Composed {
  const parts: Part[] = [], generations = new Map(ones.map((generation) => [idOf(generation), generation]));
  const company = companyOf(new Set(generations.keys()), sequences);
  for (const sequence of sequences) {
    const generation = generations.get(sequence.id);
    if (generation !== undefined) parts.push(partOf(context, generation, 1, 1));
    else if (company.includes(sequence)) context.add(0, sequence.tokens.length, sequence.id, true);
  }
  return { parts, company };
}

/** For each number without a neighbour the sequence beside it. */
function companyOf(ids: ReadonlySet<number>, sequences: readonly Sequence[]): Sequence[] {
  const taken = new Set(ids);
  for (const id of ids) {
    if (!taken.has(id - 1) && !taken.has(id + 1)) taken.add(id + 1 < sequences.length ? id + 1 : id - 1);
  }
  return sequences.filter(({ id }) => taken.has(id) && !ids.has(id));
}

/** Each has two rows whose logits are computed, because C takes out these rows before the last layer ends. */
function composeEqual(context: Context, generations: readonly Generation[]): Part[] {
  const chosen = generations.slice(0, Math.floor(context.batchSize / 2));
  const most = Math.min(TILE - 1, Math.floor(context.batchSize / chosen.length), ...chosen.map(({ wanted }) => wanted));
  return chosen.map((generation) => partOf(context, generation, most, 2));
}

function idOf({ sequence }: Generation): number {
  return sequence!.id;
}

function partOf(context: Context, generation: Generation, most: number, outputs: number): Part {
  return { generation, ...generation.addTo(context, most, outputs) };
}
