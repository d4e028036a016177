/** lexer/cli.ts generate: modules that bind libraries of the system, and really call them. */

import { assertEquals, assertMatch } from "@std/assert";
import { generate, have, use } from "./generate.ts";
import { withFolder } from "../folder.ts";

Deno.test(
  "zlib: out-parameters, structs that C fills, buffers",
  { ignore: !have("/usr/include/zlib.h") },
  () =>
    withFolder(async (folder) => {
      const text = `
      import * as z from "./lib.ts";
      const text = new TextEncoder().encode("hello, hello, hello, hello ".repeat(100));
      const packed = new Uint8Array(z.compressBound(text.length));
      const length = new BigUint64Array([BigInt(packed.length)]);
      const status = z.compress2(packed, length, text, text.length, z.Z_BEST_COMPRESSION);
      const stream = new z.z_stream({ next_in: packed, avail_in: Number(length[0]) });
      const begun = z.inflateInit_(stream, z.ZLIB_VERSION, z.z_stream.size);
      const out = new Uint8Array(text.length);
      stream.next_out = out;
      stream.avail_out = out.length;
      const ended = z.inflate(stream, z.Z_FINISH);
      const total = stream.total_out;
      z.inflateEnd(stream);
      const bad = new z.z_stream({ next_in: new Uint8Array([1, 2, 3]), avail_in: 3, next_out: out, avail_out: 10 });
      z.inflateInit_(bad, z.ZLIB_VERSION, z.z_stream.size);
      const failed = z.inflate(bad, z.Z_NO_FLUSH);
      console.log(JSON.stringify({
        version: z.zlibVersion() === z.ZLIB_VERSION, status, begun, ended, total, smaller: Number(length[0]) < 100,
        same: out.every((byte, i) => byte === text[i]), failed: failed === z.Z_DATA_ERROR, msg: bad.msg?.text(),
        crc: z.crc32(0, new TextEncoder().encode("123456789"), 9), nothing: z.crc32(0, null, 0), window: z.MAX_WBITS,
      }));`;
      assertEquals(await use(folder, "libz.so.1", ["zlib.h"], text), {
        version: true,
        status: 0,
        begun: 0,
        ended: 1,
        total: 2700,
        smaller: true,
        same: true,
        failed: true,
        msg: "incorrect header check",
        crc: 0xcbf43926,
        nothing: 0,
        window: 15,
      });
    }),
);

Deno.test("sqlite3: opaque handles, callbacks, strings", { ignore: !have("/usr/include/sqlite3.h") }, () =>
  withFolder(async (folder) => {
    const text = `
      import * as s from "./lib.ts";
      const out = new BigUint64Array(1);
      const opened = s.sqlite3_open(":memory:", out);
      const db = s.sqlite3.from(out[0])!;
      s.sqlite3_exec(db, "create table t (id integer, name text); insert into t values (1, 'one'), (2, 'zwei €')", null, null, null);
      const rows: string[][] = [];
      const each = new s.sqlite3_callback((_data, count, values, names) => {
        const texts = (list: typeof values) =>
          Array.from(new BigUint64Array(list!.bytes(8 * count).slice().buffer), (address) => s.$Pointer.from(address)!.text());
        rows.push([...texts(names), ...texts(values)]);
        return 0;
      });
      const executed = s.sqlite3_exec(db, "select * from t order by id", each, null, null);
      const statements = new BigUint64Array(1);
      s.sqlite3_prepare_v2(db, "select id * 10, name, ?2 from t where id = ?1", -1, statements, null);
      const statement = s.sqlite3_stmt.from(statements[0]);
      s.sqlite3_bind_int64(statement, 1, 2);
      s.sqlite3_bind_text(statement, 2, "bound", -1, new s.sqlite3_destructor_type(s.SQLITE_TRANSIENT));
      const stepped = s.sqlite3_step(statement);
      const row = [s.sqlite3_column_int64(statement, 0), s.sqlite3_column_text(statement, 1)?.text(), s.sqlite3_column_text(statement, 2)?.text()];
      const done = s.sqlite3_step(statement);
      s.sqlite3_finalize(statement);
      const wrong = s.sqlite3_exec(db, "no sql", null, null, out);
      const message = s.$Pointer.from(out[0])!.text();
      console.log(JSON.stringify({
        opened, executed, rows, stepped: stepped === s.SQLITE_ROW, row, done: done === s.SQLITE_DONE, wrong, message,
        errmsg: s.sqlite3_errmsg(db), closed: s.sqlite3_close(db), version: s.variables.sqlite3_version === s.sqlite3_libversion(),
      }));`;
    assertEquals(await use(folder, "libsqlite3.so.0", ["sqlite3.h"], text), {
      opened: 0,
      executed: 0,
      rows: [["id", "name", "1", "one"], ["id", "name", "2", "zwei €"]],
      stepped: true,
      row: [20, "zwei €", "bound"],
      done: true,
      wrong: 1,
      message: 'near "no": syntax error',
      errmsg: 'near "no": syntax error',
      closed: 0,
      version: true,
    });
  }));

Deno.test(
  "the C library: structs by value, a callback that sorts",
  { ignore: !have("/usr/include/stdlib.h") },
  () =>
    withFolder(async (folder) => {
      const text = `
      import * as c from "./lib.ts";
      const { quot, rem } = c.div(-17, 5);
      const long = c.ldiv(-(2 ** 40), 1000);
      const numbers = new Int32Array([3, -1, 2]);
      const compare = new c.__compar_fn_t((a, b) => new Int32Array(a!.bytes(4).buffer)[0] - new Int32Array(b!.bytes(4).buffer)[0]);
      c.qsort(numbers, 3, 4, compare);
      let missing = "", range = "", type = "";
      try { c.abs(2 ** 31); } catch (error) { range = String(error); }
      // deno-lint-ignore no-explicit-any
      try { c.atoi(5 as any); } catch (error) { type = String(error); }
      try { c.llabs(-9007199254740993n); } catch (error) { missing = String(((error as Error).cause as bigint)); }
      console.log(JSON.stringify([quot, rem, long.quot, long.rem, [...numbers], c.strtol("0x7f", null, 16), range, type, missing, c.getenv("no such")]));`;
      assertEquals(await use(folder, "libc.so.6", ["stdlib.h"], text), [
        -3,
        -2,
        -1099511627,
        -776,
        [-1, 2, 3],
        127,
        "RangeError: abs(__x): expected an int32, got the number 2147483648",
        "TypeError: atoi(__nptr): expected a string, got the number 5",
        "9007199254740993",
        null,
      ]);
    }),
);

Deno.test(
  "functions of headers that aren't bound are counted, with how to bind them",
  { ignore: !have("/usr/include/math.h") },
  () =>
    withFolder(async (folder) => {
      assertMatch(
        (await generate(folder, "libm.so.6", "math.h")).stdout,
        /: 0 functions,.*\n {2}functions of other headers, .*: \d+ of bits\/mathcalls\.h/,
      );
      const text = `import { cos } from "./lib.ts"; console.log(cos(0));`;
      assertEquals(await use(folder, "libm.so.6", ["math.h", "--bind", "*/mathcalls*.h"], text), 1);
    }),
);
