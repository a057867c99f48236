import { describe, expect, test } from "vitest";
import { StepwellError } from "../model/errors.ts";
import { exitCodeOfError, exitCodeOfRun } from "./exit-codes.ts";
import { goOnCommand, programName } from "./go-on.ts";
import { fit, oneLine, plural, table } from "./layout.ts";
import { nodeTooOld } from "./node-version.ts";

describe("an old Node.js", () => {
  test.each(["20.20.2", "22.12.0", "v"])("%s is refused in one line", (version) => {
    expect(nodeTooOld(version)).toBe(`stepwell: Node.js ${version} is too old; Stepwell needs Node.js 24 or newer.`);
  });

  test.each(["24.0.0", "25.1.0"])("%s is good", (version) => {
    expect(nodeTooOld(version)).toBeUndefined();
  });
});

describe("the command that goes on", () => {
  test.each([
    [["run", "a.yaml"], "stepwell run a.yaml --resume"],
    [["run", "a.yaml", "--input", '{"a":1}', "--ledger", "x.db"], "stepwell run a.yaml --ledger x.db --resume"],
    [["run", "a.yaml", "--input=@b.json", "--resume"], "stepwell run a.yaml --resume"],
    [["run", "it's.yaml", "--var", "name=a b"], String.raw`stepwell run 'it'\''s.yaml' --var 'name=a b' --resume`],
  ])("after %j", (args, command) => {
    expect(goOnCommand(args, "stepwell")).toBe(command);
  });

  test.each([
    ["/project/src/cli/bin.ts", "npx node src/cli/bin.ts"],
    ["/project/node_modules/.bin/stepwell", "npx stepwell"],
    ["/usr/lib/node_modules/stepwell/dist/cli/bin.js", "stepwell"],
    ["/usr/bin/stepwell", "stepwell"],
  ])("names the program behind %s", (script, name) => {
    expect(programName(script, "/project")).toBe(name);
  });
});

describe("exit codes", () => {
  test("S0-34 tell how a run ended", () => {
    const statuses = ["SUCCEEDED", "FAILED", "CANCELLED", "SUSPENDED", "RUNNING", "QUEUED"] as const;
    expect(statuses.map(exitCodeOfRun)).toStrictEqual([0, 1, 3, 4, 4, 4]);
  });

  test("tell a wrong call from a failure", () => {
    expect(exitCodeOfError(new StepwellError("INPUT_INVALID", "x"))).toBe(2);
    expect(exitCodeOfError(new StepwellError("LEDGER_OWNED", "x"))).toBe(1);
    expect(exitCodeOfError(new Error("x"))).toBe(1);
  });
});

describe("laying out text", () => {
  test("columns are aligned, cut and padded; empty ones take no room", () => {
    const columns = [{ title: "ID", maxWidth: 4 }, { title: "" }, { title: "N", align: "right", minWidth: 3 }, { title: "NOTE" }] as const;
    const rows = [
      ["abcdef", "", "7", "x\ny"],
      ["a", "", "12", ""],
    ];
    expect(table(columns, rows)).toStrictEqual(["ID      N  NOTE", "abc…    7  x y", "a      12"]);
  });

  test("a table of many rows is laid out", () => {
    const rows = Array.from({ length: 200_000 }, () => ["x"]);
    expect(table([{ title: "" }], rows)).toHaveLength(200_000);
  });

  test("text of others stays in its line and cannot steer the terminal", () => {
    expect(oneLine("a\r\n\tb\u001b[2J\u0007\u009b1mc\u2028d")).toBe("a b c d");
    expect(fit("😀😀😀", 2)).toBe("😀…");
    expect(plural(1, "run")).toBe("1 run");
    expect(plural(999, "run")).toBe("999 runs");
    expect(plural(1_234_567, "run")).toBe("1,234,567 runs");
  });
});
