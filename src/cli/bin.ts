#!/usr/bin/env node
// Imports nothing that an old Node.js could not load: it must get as far as saying that it is too old.
import * as nodeModule from "node:module";
import { nodeTooOld } from "./node-version.ts";

const refusal = nodeTooOld(process.versions.node);
if (refusal === undefined) {
  // Compiled code is kept between calls: it halves the start of every command.
  nodeModule.enableCompileCache();
  const { main } = await import("./main.ts");
  const exitCode = await main(process.argv.slice(2));
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write("", resolve))));
  // Said, not awaited: a timer or socket that an operator left open must not keep a finished command alive.
  process.exit(exitCode);
} else {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 1;
}
