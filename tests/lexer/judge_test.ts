import { assertEquals } from "@std/assert";
import { compareWithGcc } from "./gcc_e.ts";
import { auxNames, haveGcc, judge } from "./judge.ts";

/** Headers of the C library, and of libraries that Debian's -dev packages bring: tried where they are installed. */
const C_LIBRARY = [
  "aio argp ctype complex dirent dlfcn elf errno fcntl fenv glob inttypes link locale math netdb netinet/in obstack poll pthread pwd regex",
  "search semaphore setjmp signal spawn stdio stdlib string termios tgmath threads time uchar ucontext unistd utmpx wchar wctype",
].join(" ").split(" ").map((name) => [`/usr/include/${name}.h`]);

const LIBRARIES: string[][] = [
  ["zlib.h"],
  ["sqlite3.h", "sqlite3ext.h"],
  ["png.h"],
  ["stdio.h", "jpeglib.h"],
  ["vulkan/vulkan.h"],
  ["SDL2/SDL.h"],
  ["openssl/ssl.h", "openssl/evp.h", "openssl/x509v3.h"],
  ["x86_64-linux-gnu/curl/curl.h"],
  ["glib-2.0/glib-object.h", "glib-2.0/gio/gio.h", "-I/usr/include/glib-2.0", "-I/usr/lib/x86_64-linux-gnu/glib-2.0/include"],
  ["fftw3.h"],
  ["cairo/cairo.h"],
  ["freetype2/freetype/freetype.h", "-I/usr/include/freetype2"],
  ["lz4.h", "lz4frame.h"],
  ["zstd.h"],
  ["opus/opus.h", "-I/usr/include/opus"],
  ["vorbis/vorbisfile.h"],
  ["x86_64-linux-gnu/libavformat/avformat.h"],
  ["X11/Xlib.h", "X11/Xutil.h"],
  ["x86_64-linux-gnu/gmp.h", "mpfr.h"],
  ["uv.h"],
  ["curses.h"],
  ["libxml2/libxml/parser.h", "libxml2/libxml/xpath.h", "-I/usr/include/libxml2"],
  ["python3.11/Python.h", "-I/usr/include/python3.11"],
  ["lua5.4/lua.h", "lua5.4/lauxlib.h"],
  ["hdf5/serial/hdf5.h"],
  ["git2.h"],
  ["alsa/asoundlib.h"],
  ["pulse/pulseaudio.h"],
  ["GL/gl.h", "GL/glext.h"],
  ["lapacke.h"],
  ["gsl/gsl_matrix.h", "gsl/gsl_linalg.h"],
  ["microhttpd.h"],
  ["tommath.h"],
  ["linux/bpf.h", "linux/kvm.h", "linux/videodev2.h"],
].map((list) => list.map((item) => item.startsWith("-") ? item : `/usr/include/${item}`));

function installed(list: readonly string[]): boolean {
  try {
    for (const path of list) if (!path.startsWith("-")) Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function split(list: readonly string[]): { headers: string[]; include: string[] } {
  return {
    headers: list.filter((item) => !item.startsWith("-I")),
    include: list.filter((item) => item.startsWith("-I")).map((item) => item.slice(2)),
  };
}

for (const [title, lists] of [["the C library", C_LIBRARY], ["other libraries", LIBRARIES]] as const) {
  const present = haveGcc() ? lists.filter(installed) : [];
  if (present.length < lists.length) console.warn(`SKIPPED: ${lists.length - present.length} of ${lists.length} headers of ${title}`);

  Deno.test({
    name: `gcc agrees with every model of headers of ${title}`,
    ignore: present.length === 0,
    fn() {
      for (const list of present) {
        const { headers, include } = split(list);
        assertEquals(judge(headers, { include }).differences, [], list.join(" "));
      }
    },
  });

  Deno.test({
    name: `preprocessing headers of ${title} gives gcc -E's tokens`,
    ignore: present.length === 0,
    fn() {
      for (const list of present) {
        const { headers, include } = split(list);
        assertEquals(compareWithGcc(headers, { include }).difference, null, list.join(" "));
      }
    },
  });
}

Deno.test("auxNames() reads what gcc -aux-info writes", () => {
  const text = [
    "/* a.h:1:NC */ extern int printf (const char *, ...);",
    "/* a.h:2:NC */ extern void (*signal (int, void (*)(int))) (int);",
    "/* a.h:3:NC */ extern handler on_exit;",
    "/* a.h:4:NF */ static inline struct s *f (void); /* () */",
  ].join("\n");
  assertEquals([...auxNames(text)], ["printf", "signal", "on_exit", "f"]);
});

Deno.test({
  name: "the judge is no pushover: it sees a wrong size, a missing function and a wrong type",
  ignore: !haveGcc(),
  fn() {
    const folder = Deno.makeTempDirSync();
    try {
      const path = `${folder}/a.h`;
      Deno.writeTextFileSync(path, "struct s { long x; };\nint f(struct s *);\nint g(int);\n");
      const other = "struct s { int x; };\nlong f(struct s *);\n";
      const { differences } = judge([path], { read: (name) => name === path ? other : undefined });
      const text = differences.join("\n");
      assertEquals(text.includes("sizeof(struct s) == 4"), true);
      assertEquals(text.includes("conflicting types for 'f'"), true);
      assertEquals(text.includes("gcc sees the function 'g'"), true);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});
