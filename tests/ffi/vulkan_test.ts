/** Every test of devices (`tests/device/`), on Mesa's software Vulkan device: memory of its own, on any machine. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { deno, program } from "../process.ts";

/** The first Vulkan device, be it a processor's. */
const ENV = { GGML_VK_VISIBLE_DEVICES: "0" };

const FIND = `import { download, load } from "@ggml/deno"; import { devices } from "@ggml/deno/utils";
  await download({ gpu: "vulkan" });
  const { path } = load({ gpu: "vulkan" });
  console.log(JSON.stringify({ path, devices: devices().map(({ device: _, ...rest }) => rest) }));`;

async function findVulkan(): Promise<{ path: string; devices: Record<string, unknown>[] } | null> {
  const { code, stdout, stderr } = await program(FIND, ["--allow-ffi"], ENV);
  if (code === 0) return JSON.parse(stdout);
  console.warn(`vulkan_test.ts: skipped, for there is no Vulkan device (apt-get install mesa-vulkan-drivers libvulkan1)\n${stderr}`);
  return null;
}

const vulkan = await findVulkan();

Deno.test({
  name: 'load({ gpu: "vulkan" }) takes the package with Vulkan, and devices() lists what it finds beside the CPU',
  ignore: vulkan === null,
  fn() {
    assertMatch(vulkan!.path, /@node-llama-cpp.*-vulkan/);
    const [gpu, ...others] = vulkan!.devices;
    assertEquals([gpu.name, gpu.backend, gpu.host], ["Vulkan0", "Vulkan", false]);
    assert(gpu.type === "gpu" || gpu.type === "igpu", String(gpu.type));
    assertEquals(others.map(({ name }) => name), ["CPU"]);
  },
});

Deno.test({
  name: 'load({ gpu: "vulkan" }) where Vulkan has no device is an error that says what it needs, and load() goes on with that library',
  ignore: vulkan === null,
  async fn() {
    const text = `import { download, lib, load } from "@ggml/deno";
      await download({ gpu: "vulkan" });
      try { load({ gpu: "vulkan" }) } catch (error) { console.log(error.message) }
      console.log(load().path, lib.ggml_type_name(0));`;
    const { stdout, code, stderr } = await program(text, ["--allow-ffi"], {
      GGML_VK_VISIBLE_DEVICES: "",
      VK_DRIVER_FILES: "/nowhere.json",
    });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, `load({ gpu: "vulkan" }): the backend finds no device. It needs a Vulkan loader and driver`);
    assertStringIncludes(stdout, `${vulkan!.path} f32`);
  },
});

Deno.test({
  name: "every test of devices passes on Vulkan, and none is ignored",
  ignore: vulkan === null,
  async fn() {
    const files = [...Deno.readDirSync(new URL("../device", import.meta.url))].map(({ name }) => name).filter((name) => name !== "find.ts");
    assert(files.length >= 4);
    const { code, stdout, stderr } = await deno(["test", "--allow-all", ...files.map((name) => `tests/device/${name}`)], {
      ...ENV,
      GGML_LIBRARY: vulkan!.path,
    });
    assertEquals(code, 0, stdout + stderr);
    assertMatch(stdout, /ok \| [1-9]\d* passed \| 0 failed \(/); // no "ignored"
  },
});
