/**
 * Folders of tests.
 *
 * @module
 */

/** A folder that is gone afterwards. */
export class Folder implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "ggml-test-" });
  #count = 0;

  /** A path in it that nothing has yet. */
  file(name = "test.gguf"): string {
    return `${this.path}/${this.#count++}-${name}`;
  }

  /** A file with these bytes. */
  write(bytes: Uint8Array): string {
    const path = this.file();
    Deno.writeFileSync(path, bytes);
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Gives a test a folder of its own. */
export async function withFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  using folder = new Folder();
  await test(folder.path);
}
