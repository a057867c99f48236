import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { Workspace } from "../../fixtures/cli-process.ts";
import { NO_CLOCK_JUMPS, WallClock } from "./wall-clock.ts";

/** Says once each how far its wall clock has moved against its monotonic one, in hours, and how often its timers fired by then. */
const SCRIPT = `
const began = Date.now() - performance.now();
const said = new Set();
let ticks = 0;
setInterval(() => {
  ticks += 1;
  const hours = Math.round((Date.now() - performance.now() - began) / 3_600_000);
  if (said.has(hours)) return;
  said.add(hours);
  console.log("hours", hours, "late by", performance.now() > ticks * 20 + 60_000 ? "an hour" : "little");
}, 20);
`;

test("F36 the wall clock of a process jumps while it runs, and neither its timers nor its monotonic clock do", async ({ skip }) => {
  if (NO_CLOCK_JUMPS !== undefined) skip(NO_CLOCK_JUMPS);
  using place = new Workspace();
  const clock = new WallClock(place.folder);
  const running = place.spawn(...clock.command(process.execPath, ["-e", SCRIPT]));
  await running.printed("hours 0 late by little");
  clock.set(2 * 3_600);
  await running.printed("hours 2 late by little");
  clock.set(-3_600);
  await running.printed("hours -1 late by little");
  running.kill("SIGKILL");
  await running.ended;
  clock.forget(running.pid);
  expect(existsSync(`/dev/shm/faketime_shm_${running.pid}`)).toBe(false);
});
