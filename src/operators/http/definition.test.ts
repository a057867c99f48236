import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Template } from "../../expressions/template.ts";
import type { Json } from "../../model/json.ts";
import { readInput } from "../fields.ts";
import { httpDefinition, isHeaderValue, readHttpInput } from "./definition.ts";

const template = (source: Json): Template => ({ source, references: [], isConstant: false, evaluate: () => source });
const check = (source: Json) => httpDefinition.check?.(template(source)) ?? [];
const URL = "https://shop.example/orders";

/** Wrong inputs: the path that must be named, and what the message must say. */
const WRONG: readonly (readonly [string, Json, string, string])[] = [
  ["a list", [1], "", "with is a list"],
  ["no url", { method: "GET" }, "url", "url is missing"],
  ["a null url", { url: null }, "url", "url is missing"],
  ["a number as url", { url: 7 }, "url", "url is a number, not a string"],
  ["a relative url", { url: "/orders" }, "url", "not an absolute http: or https: URL"],
  ["another scheme", { url: "file:///etc/passwd" }, "url", "not an absolute http: or https: URL"],
  ["a url without a host", { url: "http://" }, "url", "not an absolute http: or https: URL"],
  ["a line break in the url", { url: `${URL}\r\nX-Evil: 1` }, "url", "a space or a control character"],
  ["NUL in the url", { url: `${URL}\0` }, "url", "a space or a control character"],
  ["a space in the url", { url: `${URL}/a b` }, "url", "a space or a control character"],
  ["credentials in the url", { url: "https://me:secret@shop.example/" }, "url", "url holds credentials"],
  ["an unknown method", { url: URL, method: "FETCH" }, "method", "method is none of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"],
  ["a number as method", { url: URL, method: 1 }, "method", "method is a number"],
  ["headers as a list", { url: URL, headers: [] }, "headers", "headers is a list, not an object"],
  ["a header name with a space", { url: URL, headers: { "X A": "1" } }, "headers", '"X A" is not a header name'],
  ["a header name with a line break", { url: URL, headers: { "X\r\nY": "1" } }, "headers", "is not a header name"],
  ["a header value with a line break", { url: URL, headers: { X: "1\r\nY: 2" } }, "headers.X", "a character that a header cannot carry"],
  ["a header value with NUL", { url: URL, headers: { X: "\0" } }, "headers.X", "a character that a header cannot carry"],
  ["a header value beyond Latin-1", { url: URL, headers: { X: ["a", "日"] } }, "headers.X", "a character that a header cannot carry"],
  ["an object as header value", { url: URL, headers: { X: {} } }, "headers.X", "must be a string, number or boolean"],
  [
    "a header of the connection",
    { url: URL, headers: { "Transfer-Encoding": "chunked" } },
    "headers.Transfer-Encoding",
    "set by the connection",
  ],
  ["one header in two spellings", { url: URL, headers: { accept: "a", Accept: "b" } }, "headers.Accept", "given twice"],
  ["a nested query", { url: URL, query: { a: { b: 1 } } }, "query.a", "must be a string, number or boolean"],
  ["two bodies", { url: URL, body: {}, text: "x" }, "text", "body and text exclude each other"],
  ["bytes that are not base64", { url: URL, bytes: "%%%" }, "bytes", "bytes is not base64"],
  ["an unknown response form", { url: URL, response: "xml" }, "response", "response is none of auto, json, text, bytes"],
  ["a status that is none", { url: URL, succeedOn: ["2xx", "ok"] }, "succeedOn", "something that is not a status"],
  ["a status range that ends before it starts", { url: URL, succeedOn: "299-200" }, "succeedOn", "something that is not a status"],
  ["an object as status", { url: URL, succeedOn: [{}] }, "succeedOn", "something that is not a status"],
  ["an unknown field", { url: URL, header: {} }, "header", "header is not a field of this operator"],
];

describe.each(WRONG)("%s", (_, source, path, message) => {
  test("is a problem of the definition", () => {
    expect(check(source)).toContainEqual(expect.objectContaining({ path, severity: "error", message: expect.stringContaining(message) }));
  });

  test("is refused at run time", () => {
    expect(() => readInput("http", readHttpInput, source)).toThrow(
      expect.objectContaining({ code: "OPERATOR_INPUT_INVALID", message: expect.stringContaining(message), retryable: false }),
    );
  });
});

test("all problems are reported together", () => {
  const source = { url: "ftp://x", method: "FETCH", colour: "red" };
  expect(check(source).map(({ code, path }) => [code, path])).toEqual([
    ["FIELD_INVALID", "method"],
    ["FIELD_INVALID", "url"],
    ["FIELD_UNKNOWN", "colour"],
  ]);
  expect(() => readInput("http", readHttpInput, source)).toThrow(
    expect.objectContaining({ data: { operator: "http", fields: ["method", "url", "colour"] }, hint: expect.any(String) }),
  );
});

test("what an expression or a secret will give is taken on trust until the step runs", () => {
  const open = "{{ steps.before.output }}";
  const secret = { secret: "TOKEN" };
  for (const source of [
    open,
    { url: open },
    { url: "{{ vars.shop }}/orders", method: open, query: open, headers: open, body: { id: open }, response: open, succeedOn: open },
    { url: URL, headers: { Authorization: secret, X: [open, "a"] }, query: { page: open, tags: ["a", secret] }, succeedOn: ["2xx", open] },
    { url: URL, text: open },
    { url: secret, bytes: open },
  ]) {
    expect(check(source)).toEqual([]);
  }
  expect(check({ url: open, method: "FETCH" })).toHaveLength(1);
  expect(httpDefinition.check?.(null)).toEqual([expect.objectContaining({ code: "FIELD_MISSING", path: "url" })]);
});

test("messages never quote a value that may be a secret", () => {
  const secret = "hunter2\r\n";
  const source = { url: `https://me:${secret}@x`, headers: { Authorization: secret }, bytes: secret, query: { key: { secret, more: 1 } } };
  expect(check(source).length).toBeGreaterThanOrEqual(4);
  expect(JSON.stringify(check(source))).not.toContain("hunter2");
});

test("S3-25 every method is known, in any case, and GET is the default", () => {
  const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
  const read = (method: string) => readInput("http", readHttpInput, { url: URL, method }).method;
  expect(methods.map(read)).toEqual(methods);
  expect(methods.map((method) => read(method.toLowerCase()))).toEqual(methods);
  expect(readInput("http", readHttpInput, { url: URL }).method).toBe("GET");
});

test("an input is read into its parts", () => {
  const input = readInput("http", readHttpInput, {
    url: URL,
    query: { page: 2, open: true, tag: ["a", "b"], none: null },
    headers: { Accept: "text/plain", "X-Count": 3 },
    text: "hello",
    response: "text",
    succeedOn: [404, "2xx", "301-308"],
  });
  expect(input).toEqual({
    method: "GET",
    url: URL,
    query: new Map([
      ["page", ["2"]],
      ["open", ["true"]],
      ["tag", ["a", "b"]],
    ]),
    headers: new Map([
      ["Accept", ["text/plain"]],
      ["X-Count", ["3"]],
    ]),
    payload: { form: "text", value: "hello" },
    response: "text",
    succeedOn: [
      { first: 404, last: 404 },
      { first: 200, last: 299 },
      { first: 301, last: 308 },
    ],
  });
});

test("null counts as absent", () => {
  const input = { url: URL, method: null, query: null, headers: null, body: null, text: null, response: null, succeedOn: null };
  expect(readInput("http", readHttpInput, input)).toEqual(readInput("http", readHttpInput, { url: URL }));
});

test("payloads: any JSON value but null, and base64", () => {
  const payload = (input: Json) => readInput("http", readHttpInput, input).payload;
  expect(payload({ url: URL, body: false })).toEqual({ form: "json", value: false });
  expect(payload({ url: URL, bytes: "aGk=" })).toEqual({ form: "bytes", value: "aGk=" });
  expect(payload({ url: URL })).toBeNull();
});

test("no header value that is accepted can start another line", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (value) => {
      const allowed = Array.from(value).every((character) => /^[\t\x20-\x7e\x80-\xff]$/.test(character));
      expect(isHeaderValue(value)).toBe(allowed);
    }),
    { numRuns: 2_000 },
  );
});
