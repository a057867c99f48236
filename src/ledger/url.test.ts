import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { refusal } from "../testing/conformance/ledger/kit.ts";
import { openLedger, withoutPassword } from "./url.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stepwell-url-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

describe("the URL of a ledger", () => {
  test.each(["sqlite:", "SQLite://", "file:", ""])("S2-8 %s before a path opens that SQLite file", async (scheme) => {
    const file = join(directory, "of", "mine.db");
    const ledger = await openLedger(`${scheme}${file}`);
    expect(ledger.lanes).toBe(1);
    await ledger.close();
    expect(existsSync(file)).toBe(true);
  });

  test("memory: opens a ledger without a file, with lanes", async () => {
    const ledger = await openLedger("memory:");
    expect(ledger.lanes).toBe(2);
    await ledger.close();
  });

  test.each([
    ["memory:shared", "NOT_SUPPORTED"],
    ["mysql://localhost/x", "NOT_SUPPORTED"],
    ["sqlite:", "USAGE"],
    ["sqlite::memory:", "USAGE"],
    ["", "USAGE"],
  ])('"%s" is refused with %s', async (url, code) => {
    expect((await refusal(openLedger(url))).code).toBe(code);
  });

  test.each([
    ["postgres://me:secret@host:5432/base", "postgres://me:***@host:5432/base"],
    ["PostgreSQL://me:a:b@c@host/base", "PostgreSQL://me:***@host/base"],
    ["postgres://host/base?user=me&password=secret&sslPassword=secret#x", "postgres://host/base?user=me&password=***&sslPassword=***#x"],
    ["postgres://host/base?schema=a", "postgres://host/base?schema=a"],
    ["sqlite:a:b@c", "sqlite:a:b@c"],
  ])("%s is shown without its password", (url, shown) => {
    expect(withoutPassword(url)).toBe(shown);
  });
});
