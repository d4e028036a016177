/**
 * Headers held in memory, for tests of the front end.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { format, type Model, parse, type ParseOptions, preprocess } from "../../lexer/mod.ts";
import { spellings } from "./gcc_e.ts";

/** A `read` over some texts. */
export function texts(files: Record<string, string>): (path: string) => string | undefined {
  return (path) => Object.hasOwn(files, path) ? files[path] : undefined;
}

/** The model of one header, which must be free of errors and warnings. */
export function model(text: string, options: ParseOptions = {}): Model {
  const result = parse(["t.h"], { target: "x86_64-linux", ...options, read: texts({ "t.h": text }) });
  assertEquals(result.diagnostics.map(format), []);
  return result.model;
}

/** The messages about one header, each with its severity, line and column. */
export function messages(text: string, options: ParseOptions = {}): string[] {
  const result = parse(["t.h"], { target: "x86_64-linux", ...options, read: texts({ "t.h": text }) });
  return result.diagnostics.map((d) => `${d.line}:${d.column}: ${d.severity}: ${d.message}`);
}

/** What preprocessing gives, as tokens separated by single spaces. */
export function expand(text: string, files: Record<string, string> = {}, options: ParseOptions = {}): string {
  const { text: out, diagnostics } = preprocess(["t.h"], { target: "x86_64-linux", ...options, read: texts({ ...files, "t.h": text }) });
  assertEquals(diagnostics.filter((d) => d.severity === "error").map(format), []);
  return spellings(out).join(" ");
}

/** The text that preprocessing prints. */
export function printed(text: string): string {
  return preprocess(["t.h"], { target: "x86_64-linux", read: texts({ "t.h": text }) }).text;
}
