/**
 * What an answer has to look like: `response_format`, and the tools that have to be called.
 *
 * @module
 */

import { grammarOfSchema, rulesOfSchema, SchemaError } from "../schema/mod.ts";
import type { SamplingOptions } from "../sampling.ts";
import { Fields, show } from "./fields.ts";

/** The grammar of `response_format`, or of llama.cpp's `grammar`; undefined for any text. */
export function readFormat(fields: Fields): string | undefined {
  const grammar = fields.text("grammar"), schema = schemaOf(fields);
  if (schema === undefined) return grammar;
  if (grammar !== undefined) throw fields.wrong("grammar", "there can't be a response_format beside it");
  return grammarOr(() => grammarOfSchema(schema), fields, "response_format.json_schema.schema");
}

/** The schema that `response_format` says; undefined for any text. */
function schemaOf(fields: Fields): unknown {
  const format = new Fields(fields.object("response_format") ?? { type: "text" }, "response_format."), type = format.any("type");
  const described = new Fields(type === "json_schema" ? format.object("json_schema") ?? {} : {}, "response_format.json_schema.");
  const schema = type === "json_object" ? { type: "object" } : described.any("schema");
  described.ignore("name", "description", "strict");
  if (type !== "text" && schema === undefined) {
    throw fields.wrong("response_format", 'expected { type: "text" | "json_object" } or { type: "json_schema", json_schema: { schema } }');
  }
  described.end();
  format.end();
  return schema;
}

function grammarOr(make: () => string, fields: Fields, field: string): string {
  try {
    return make();
  } catch (error) {
    if (error instanceof SchemaError) throw fields.wrong(field, error.message);
    throw error;
  }
}

/** A tool as a client describes it. */
export interface Tool {
  readonly type: "function";
  readonly function: { readonly name: string; readonly description?: string; readonly parameters?: unknown; readonly strict?: unknown };
}

/** The tools that a model is told of, and what the answer has to look like. */
export interface Tools {
  readonly tools: readonly Tool[];
  /** The grammar of the whole answer: of a call if there has to be one, of what the format says, or of either. */
  readonly grammar?: string;
  /** The grammar of calls that there may be, from where the model begins one. */
  readonly later?: Pick<SamplingOptions, "grammar" | "grammarFrom">;
}

/**
 * Reads `tools` and `tool_choice`.
 *
 * @param marked True if the model writes calls between `<tool_call>` and `</tool_call>`.
 * @param format The grammar of an answer that is no call; undefined for any text.
 */
export function readTools(fields: Fields, marked: boolean, format: string | undefined): Tools {
  const tools = (fields.list("tools") ?? []).map((tool, i) => toolOf(tool, fields, i));
  const choice = fields.any("tool_choice") ?? "auto";
  const many = fields.flag("parallel_tool_calls") ?? true;
  if (choice === "none" || choice === "auto" && tools.length === 0) return { tools: [], grammar: format };
  if (choice === "auto") {
    if (format !== undefined) {
      return {
        tools,
        grammar: eitherOf(format, grammarOr(() => grammarOfCalls(tools, many, marked), fields, "tools")),
      };
    }
    return marked
      ? { tools, later: { grammar: grammarOr(() => grammarOfCalls(tools, many, marked), fields, "tools"), grammarFrom: OPEN } }
      : { tools };
  }
  const { name } = ((choice as { function?: { name?: unknown } }).function ?? {}) as { name?: unknown };
  const wanted = choice === "required" ? tools : tools.filter((tool) => tool.function.name === name);
  if (wanted.length > 0) return { tools, grammar: grammarOr(() => grammarOfCall(wanted, marked), fields, "tools") };
  throw fields.wrong("tool_choice", `expected "none", "auto", "required" or one of the tools, got ${show(choice)}`);
}

function toolOf(tool: unknown, fields: Fields, index: number): Tool {
  const { type, function: described } = (tool ?? {}) as Partial<Tool>;
  if (type === "function" && typeof described?.name === "string") return tool as Tool;
  throw fields.wrong(`tools[${index}]`, `expected { type: "function", function: { name, description, parameters } }, got ${show(tool)}`);
}

/** The marks between which a call of a tool stands. */
const OPEN = "<tool_call>", CLOSE = "</tool_call>";

function grammarOfCall(tools: readonly Tool[], marked: boolean): string {
  const root = marked ? `root ::= "${OPEN}\\n" call "\\n${CLOSE}"` : "root ::= call";
  return `${root}\n${rulesOfCall(tools)}`;
}

/** One or, between marks, several calls, with a few more spaces than there have to be: a model has its habits. */
function grammarOfCalls(tools: readonly Tool[], many: boolean, marked: boolean): string {
  const gap = "[ \\n]{0,2}", one = marked ? `"${OPEN}" ${gap} call ${gap} "${CLOSE}"` : "call";
  return `root ::= ${one}${many && marked ? ` (${gap} ${one})*` : ""}\n${rulesOfCall(tools.map(lenient))}`;
}

/** A grammar of what fits one of two. */
function eitherOf(...grammars: readonly string[]): string {
  const roots = grammars.map((_, i) => `either-${i}-root`).join(" | ");
  return `root ::= ${roots}\n${grammars.map((grammar, i) => withPrefix(grammar, `either-${i}-`)).join("\n")}`;
}

/** A grammar whose rules have other names: what isn't in quotation marks or brackets, in a comment, or says how often. */
function withPrefix(grammar: string, prefix: string): string {
  const parts = /"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|<[^>]*>|\{[^}]*\}|#[^\r\n]*|([a-zA-Z0-9-]+)/gs;
  return grammar.replaceAll(parts, (part, name) => name === undefined ? part : prefix + name);
}

/** A tool whose arguments are any object where a grammar can't say more, unless its strictness is asked for. */
function lenient(tool: Tool): Tool {
  try {
    rulesOfCall([tool]);
    return tool;
  } catch (error) {
    if (!(error instanceof SchemaError) || tool.function.strict === true) throw error;
    return { ...tool, function: { ...tool.function, parameters: undefined } };
  }
}

/** A call as JSON: the rule `call`. */
function rulesOfCall(tools: readonly Tool[]): string {
  const calls = tools.map(({ function: { name, parameters } }, i) => ({
    type: "object",
    properties: { name: { const: name }, arguments: moved(parameters ?? { type: "object" }, `#/anyOf/${i}/properties/arguments`) },
    required: ["name", "arguments"],
  }));
  return rulesOfSchema({ anyOf: calls }, "call");
}

/** A schema whose references go on leading to its own parts when it is a part of another. */
function moved(schema: unknown, to: string): unknown {
  if (Array.isArray(schema)) return schema.map((inner) => moved(inner, to));
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, inner]) =>
      key === "$ref" && typeof inner === "string" && /^#(\/|$)/.test(inner) ? [key, to + inner.slice(1)] : [key, moved(inner, to)]
    ),
  );
}
