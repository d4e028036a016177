/**
 * What a library's file says that it needs: of Windows, of macOS, of the C library.
 *
 * @module
 */

/** The names of the DLLs that a DLL is linked with (PE/COFF, the import directory). */
export function importedDlls(file: Uint8Array): string[] {
  const data = new DataView(file.buffer, file.byteOffset), header = data.getUint32(0x3c, true);
  const sections = header + 24 + data.getUint16(header + 20, true), count = data.getUint16(header + 6, true);
  const offsetOf = (address: number): number => {
    for (let section = sections; section < sections + 40 * count; section += 40) {
      const [size, start, , offset] = [8, 12, 16, 20].map((field) => data.getUint32(section + field, true));
      if (address >= start && address < start + size) return address - start + offset;
    }
    throw new Error(`no section has the address ${address}`);
  };
  const names: string[] = [], imports = data.getUint32(header + 24 + 120, true); // PE32+: the second directory
  for (let entry = offsetOf(imports); data.getUint32(entry + 12, true) !== 0; entry += 20) {
    const name = offsetOf(data.getUint32(entry + 12, true));
    names.push(new TextDecoder().decode(file.subarray(name, file.indexOf(0, name))));
  }
  return names;
}

/** `LC_BUILD_VERSION` and `LC_VERSION_MIN_MACOSX`, and where each has the version. */
const VERSIONS: Readonly<Record<number, number>> = { 0x32: 12, 0x24: 8 };

/** The oldest macOS that a Mach-O file runs on, as 14 or 10.15; null if it doesn't say. */
export function oldestMacOs(file: Uint8Array): number | null {
  const data = new DataView(file.buffer, file.byteOffset);
  let command = 32;
  for (let i = data.getUint32(16, true); i > 0; i--) {
    const field = VERSIONS[data.getUint32(command, true)];
    if (field !== undefined) return data.getUint16(command + field + 2, true) + data.getUint8(command + field + 1) / 100;
    command += data.getUint32(command + 4, true);
  }
  return null;
}

/** The newest version of the GNU C library that a function of an ELF file's is from, as 34 for 2.34. */
export function newestGlibc(file: Uint8Array): number {
  const versions = new TextDecoder("latin1").decode(file).matchAll(/\0GLIBC_2\.(\d+)(?=[.\0])/g);
  return Math.max(...Array.from(versions, ([, minor]) => Number(minor)));
}
