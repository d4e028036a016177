/**
 * What the doctor finds, and how it is printed.
 *
 * @module
 */

/** What the doctor says of one thing that it looked at. */
export interface Finding {
  /** `problem`: ggml can't be used because of it. `note`: something can't be had, and the rest works. */
  readonly status: "ok" | "note" | "problem";
  readonly text: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** What belongs together. */
export interface Section {
  readonly title: string;
  readonly findings: readonly Finding[];
}

/** All is well with it. */
export function ok(text: string): Finding {
  return { status: "ok", text };
}

/** Something can't be had. */
export function note(text: string, advice?: string): Finding {
  return { status: "note", text, advice };
}

/** ggml can't be used. */
export function problem(text: string, advice: string): Finding {
  return { status: "problem", text, advice };
}

const MARKS = { ok: "ok  ", note: "note", problem: "BAD " } as const;

/** A section as text. */
export function format({ title, findings }: Section): string {
  const lines = findings.flatMap(({ status, text, advice }) => [
    `  ${MARKS[status]}  ${indent(text)}`,
    ...(advice === undefined ? [] : [`        → ${indent(advice)}`]),
  ]);
  return [title, ...lines].join("\n");
}

function indent(text: string): string {
  return text.replaceAll("\n", "\n        ");
}
