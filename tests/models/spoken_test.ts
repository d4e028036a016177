/**
 * Reasoning and calls of tools, told from the text of an answer while it comes: the same however it is cut into pieces.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { ReasoningSplitter, type ToolCall, ToolCallReader } from "@ggml/deno/models";
import { generator } from "../random.ts";

/** A text in pieces: whole, one character each, and at random. */
function* cuts(text: string): Generator<string[]> {
  yield [text];
  yield [...text];
  const below = generator(text.length);
  for (let i = 0; i < 20; i++) {
    const pieces: string[] = [];
    for (let at = 0; at < text.length;) pieces.push(text.slice(at, at += 1 + below(9)));
    yield pieces;
  }
}

function split(pieces: readonly string[], inside: boolean): { text: string; reasoning: string } {
  const splitter = new ReasoningSplitter({ inside }), parts = [...pieces.map((piece) => splitter.push(piece)), splitter.end()];
  return { text: parts.map(({ text }) => text).join(""), reasoning: parts.map(({ reasoning }) => reasoning).join("") };
}

const THOUGHTS: readonly (readonly [answer: string, text: string, reasoning: string, inside?: boolean])[] = [
  ["<think>\nIt is 2.\n</think>\n\nTwo.\n", "Two.\n", "It is 2."],
  ["\n<think>a  b</think>c", "c", "a  b"],
  ["Two.", "Two.", ""],
  ["  Two <think>no</think>", "  Two <think>no</think>", ""],
  ["<think></think>Two", "Two", ""],
  ["<think>without an end", "", "without an end"],
  ["<thin", "<thin", ""],
  ["<thinner", "<thinner", ""],
  ["<think>a</thin</think>b", "b", "a</thin"],
  ["It is 2.</think>Two", "Two", "It is 2.", true],
  ["", "", ""],
  ["<think>a</think>b<think>c</think>", "b<think>c</think>", "a"],
];

Deno.test("ReasoningSplitter tells thinking from the answer", () => {
  for (const [answer, text, reasoning, inside = false] of THOUGHTS) {
    for (const pieces of cuts(answer)) assertEquals(split(pieces, inside), { text, reasoning }, JSON.stringify(pieces));
  }
});

Deno.test("ReasoningSplitter gives what is certain at once", () => {
  const splitter = new ReasoningSplitter();
  assertEquals(splitter.push("<think>It"), { text: "", reasoning: "It" });
  assertEquals([splitter.thinking, splitter.push(" is")], [true, { text: "", reasoning: " is" }]);
  assertEquals(splitter.push("</think>Two"), { text: "Two", reasoning: "" });
  assertEquals([splitter.thinking, splitter.push("!")], [false, { text: "!", reasoning: "" }]);
});

function read(pieces: readonly string[]): { text: string; calls: ToolCall[] } {
  const reader = new ToolCallReader(["weather", "add"]), parts = [...pieces.map((piece) => reader.push(piece)), reader.end()];
  return { text: parts.map(({ text }) => text).join(""), calls: parts.flatMap(({ calls }) => calls) };
}

const BONN = { name: "weather", arguments: '{"city":"Bonn"}' }, SUM = { name: "add", arguments: '{"of":[1,2]}' };

const ANSWERS: Readonly<Record<string, readonly [answer: string, text: string, calls: readonly ToolCall[]]>> = {
  "no call": ["It is warm {in} Bonn [1].", "It is warm {in} Bonn [1].", []],
  "Hermes": ['<tool_call>\n{"name": "weather", "arguments": {"city": "Bonn"}}\n</tool_call>', "", [BONN]],
  "Hermes, several, after a text": [
    'I look.\n<tool_call>{"name":"weather","arguments":{"city":"Bonn"}}</tool_call>\n<tool_call>{"name":"add","arguments":{"of":[1,2]}}</tool_call>',
    "I look.",
    [BONN, SUM],
  ],
  "Hermes without an end": ['<tool_call>{"name":"weather","arguments":{"city":"Bonn"}}', "", [BONN]],
  "Hermes with no JSON": ["a <tool_call>{name}</tool_call> b", "a <tool_call>{name}</tool_call> b", []],
  "Hermes with an unknown tool": [
    '<tool_call>{"name":"x","arguments":{}}</tool_call>',
    '<tool_call>{"name":"x","arguments":{}}</tool_call>',
    [],
  ],
  "Llama 3": ['{"name": "weather", "parameters": {"city": "Bonn"}}', "", [BONN]],
  "Llama 3, several": ['{"name":"weather","parameters":{"city":"Bonn"}}; {"name":"add","parameters":{"of":[1,2]}}', "", [BONN, SUM]],
  "Llama 3 with its mark": ['<|python_tag|>{"name": "add", "parameters": {"of": [1, 2]}}', "", [SUM]],
  "JSON that is an answer": ['{"city": "Bonn"}', '{"city": "Bonn"}', []],
  "Mistral": ['[TOOL_CALLS] [{"name": "weather", "arguments": {"city": "Bonn"}}, {"name": "add", "arguments": {"of": [1, 2]}}]', "", [
    BONN,
    SUM,
  ]],
  "Mistral, whose mark has no text": ['[{"name": "weather", "arguments": {"city": "Bonn"}}]', "", [BONN]],
  "Mistral with arguments apart": ['[TOOL_CALLS]add[ARGS]{"of": [1, 2]}', "", [SUM]],
  "arguments as a text": ['{"name":"add","arguments":"{\\"of\\":[1,2]}"}', "", [SUM]],
  "the form of OpenAI": ['{"type":"function","function":{"name":"add","arguments":{"of":[1,2]}}}', "", [SUM]],
  "space at the end": ["a \n b \n", "a \n b \n", []],
  "text after a call": ['<tool_call>{"name":"weather","arguments":{"city":"Bonn"}}</tool_call> Wait.', " Wait.", [BONN]],
  "nothing": ["", "", []],
};

for (const [name, [answer, text, calls]] of Object.entries(ANSWERS)) {
  Deno.test(`ToolCallReader: ${name}`, () => {
    for (const pieces of cuts(answer)) assertEquals(read(pieces), { text, calls: [...calls] }, JSON.stringify(pieces));
  });
}

Deno.test("a splitter's marks are texts, and its options those that there are", () => {
  const wrong: readonly [unknown, string][] = [
    [null, "expected { open, close, inside }, got null"],
    [{ opens: "<a>" }, "there is no option opens; there are open, close, inside"],
    [{ open: "" }, "open: expected a text that isn't empty"],
    [{ inside: 1 }, "inside: expected true or false, got the number 1"],
  ];
  for (const [options, says] of wrong) assertThrows(() => new ReasoningSplitter(options as never), TypeError, says);
});
