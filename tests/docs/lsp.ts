/**
 * A client of `deno lsp`, as small as one question to it takes: JSON-RPC over its standard input and output.
 *
 * @module
 */

/** A language server that was started for a folder. */
export interface Server extends AsyncDisposable {
  request(method: string, params: unknown): Promise<unknown>;
  notify(method: string, params: unknown): Promise<void>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly items?: readonly unknown[] };
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** Starts `deno lsp` for a folder. */
export async function connect(root: URL): Promise<Server> {
  const process = new Deno.Command(Deno.execPath(), { args: ["lsp"], stdin: "piped", stdout: "piped", stderr: "null" }).spawn();
  const writer = process.stdin.getWriter();
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let last = 0;

  const send = async (message: object) => {
    const body = new TextEncoder().encode(JSON.stringify({ jsonrpc: "2.0", ...message }));
    await writer.write(new TextEncoder().encode(`Content-Length: ${body.length}\r\n\r\n`));
    await writer.write(body);
  };
  const receive = async ({ id, method, params, result, error }: Message) => {
    if (method !== undefined) { // the server asks; it wants an answer for each item of a configuration
      if (id !== undefined) await send({ id, result: method === "workspace/configuration" ? params!.items!.map(() => SETTINGS) : null });
    } else if (error !== undefined) waiting.get(id!)?.reject(new Error(error.message));
    else waiting.get(id!)?.resolve(result);
  };
  const reading = (async () => {
    for await (const message of messages(process.stdout)) await receive(message);
    for (const { reject } of waiting.values()) reject(new Error("deno lsp ended"));
  })();

  const server: Server = {
    request(method, params) {
      const answer = Promise.withResolvers<unknown>();
      waiting.set(++last, answer);
      return Promise.all([answer.promise, send({ id: last, method, params })]).then(([result]) => result);
    },
    notify: (method, params) => send({ method, params }),
    async [Symbol.asyncDispose]() {
      await server.request("shutdown", undefined);
      await server.notify("exit", undefined);
      await writer.close().catch(() => {}); // it ended already
      await Promise.all([reading, process.status]);
    },
  };
  await server.request("initialize", {
    processId: Deno.pid,
    rootUri: root.href,
    workspaceFolders: [{ uri: root.href, name: "root" }],
    initializationOptions: SETTINGS,
    capabilities: { workspace: { configuration: true, workspaceFolders: true } },
  });
  await server.notify("initialized", {});
  return server;
}

const SETTINGS = { enable: true };

/** The messages in a stream, each with its length before it. */
async function* messages(stream: ReadableStream<Uint8Array>): AsyncGenerator<Message> {
  let buffer = new Uint8Array();
  for await (const chunk of stream) {
    buffer = Uint8Array.from([...buffer, ...chunk]);
    for (;;) {
      const header = /^(?:.*\r\n)*?Content-Length: (\d+)\r\n(?:.+\r\n)*\r\n/.exec(
        new TextDecoder("latin1").decode(buffer.subarray(0, 200)),
      );
      if (header === null) break;
      const start = header[0].length, end = start + Number(header[1]);
      if (buffer.length < end) break;
      yield JSON.parse(new TextDecoder().decode(buffer.subarray(start, end)));
      buffer = buffer.slice(end);
    }
  }
}
