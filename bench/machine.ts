import { readFileSync, statfsSync } from "node:fs";
import { cpus, loadavg, release, tmpdir, totalmem, type } from "node:os";
import { VERSION } from "../src/main/version.ts";

/** Numbers of the kernel's `statfs(2)`. */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, "ext4"],
  [0x9123683e, "btrfs"],
  [0x58465342, "xfs"],
  [0x01021994, "tmpfs"],
  [0x794c7630, "overlayfs"],
  [0x2fc12fc1, "zfs"],
]);

/** What the figures were taken on. */
export function machineFacts(): Readonly<Record<string, string>> {
  const cores = cpus();
  const kind = statfsSync(tmpdir()).type;
  return {
    date: new Date().toISOString(),
    stepwell: VERSION,
    node: `${process.version}, V8 ${process.versions.v8}, SQLite ${process.versions["sqlite"]}`,
    system: `${type()} ${release()}`,
    processor: `${cores.length} × ${cores[0]?.model.trim() ?? "unknown"}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    data: `${FILE_SYSTEMS.get(kind) ?? `file system 0x${kind.toString(16)}`} (the system's folder for temporary files)`,
    load: `${loadavg()
      .map((value) => value.toFixed(2))
      .join(" ")} before the start (1, 5, 15 min)`,
    governor: governor(),
  };
}

function governor(): string {
  try {
    return readFileSync("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "utf8").trim();
  } catch {
    return "not told";
  }
}
