import type { Json } from "../../model/json.ts";
import type { OperatorDefinition } from "../definition.ts";
import { checkInput, type Fields } from "../fields.ts";

/** S3-25's methods, and the two that only ask about a resource. */
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] as const;
const RESPONSES = ["auto", "json", "text", "bytes"] as const;

export type HttpMethod = (typeof METHODS)[number];
/** How the response body becomes the step's `result.body`; `auto` follows its Content-Type. */
export type ResponseForm = (typeof RESPONSES)[number];

export interface StatusRange {
  readonly first: number;
  readonly last: number;
}

/** What is sent as the request's body; `value` of `bytes` is base64. */
export type HttpPayload =
  | { readonly form: "json"; readonly value: Json }
  | { readonly form: "text"; readonly value: string }
  | { readonly form: "bytes"; readonly value: string };

export interface HttpInput {
  readonly method: HttpMethod;
  readonly url: string;
  readonly query: ReadonlyMap<string, readonly string[]>;
  /** Names as they were written; no two differ only in case. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly payload: HttpPayload | null;
  readonly response: ResponseForm;
  readonly succeedOn: readonly StatusRange[];
}

export const httpDefinition: OperatorDefinition = {
  name: "http",
  description: "Sends one HTTP request and returns { status, headers, body }.",
  slow: true,
  check: (input) => checkInput(readHttpInput, input),
};

export function readHttpInput(fields: Fields): HttpInput {
  return {
    method: readMethod(fields),
    url: readUrl(fields),
    query: fields.multimap("query"),
    headers: readHeaders(fields),
    payload: readPayload(fields),
    response: fields.choice("response", RESPONSES, "auto"),
    succeedOn: readStatuses(fields),
  };
}

function readMethod(fields: Fields): HttpMethod {
  const text = fields.text("method")?.toUpperCase();
  const method = METHODS.find((known) => known === text);
  if (text !== undefined && method === undefined) fields.invalid("method", `method is none of ${METHODS.join(", ")}`);
  return method ?? "GET";
}

const URL_SHAPE = /^https?:\/\/[^/?#\s]/i;
/** A password in a URL would stand in the ledger and in every message about the request. */
const URL_CREDENTIALS = /^https?:\/\/[^/?#]*@/i;

function readUrl(fields: Fields): string {
  fields.missing("url", "Give an absolute URL, for example url: https://api.example.com/orders.");
  const url = fields.text("url");
  if (url === undefined) return "";
  if (hasControlCharacter(url) || url.includes(" "))
    fields.invalid("url", "url holds a space or a control character", "Encode it, or use query.");
  else if (!URL_SHAPE.test(url)) fields.invalid("url", "url is not an absolute http: or https: URL");
  else if (URL_CREDENTIALS.test(url)) fields.invalid("url", "url holds credentials", "Send them in an Authorization header.");
  return url;
}

/** RFC 9110, 5.6.2: what a field name may be made of. */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** They describe the connection, not the request: only the client that holds it can say them truly (RFC 9110, 7.6.1). */
const CONNECTION_HEADERS = new Set(
  "connection content-length expect keep-alive proxy-connection te trailer transfer-encoding upgrade".split(" "),
);

function readHeaders(fields: Fields): ReadonlyMap<string, readonly string[]> {
  const headers = fields.multimap("headers");
  const seen = new Set<string>();
  for (const name of Object.keys(fields.object("headers"))) {
    const lower = name.toLowerCase();
    const path = `headers.${name}`;
    if (!HEADER_NAME.test(name)) fields.invalid("headers", `${JSON.stringify(name)} is not a header name`);
    else if (CONNECTION_HEADERS.has(lower)) fields.invalid(path, `${path} is set by the connection itself`, "Leave it out.");
    else if (seen.has(lower)) fields.invalid(path, `${path} is given twice in different spellings`);
    else if (!(headers.get(name) ?? []).every(isHeaderValue)) fields.invalid(path, `${path} holds a character that a header cannot carry`);
    seen.add(lower);
  }
  return headers;
}

const TAB = 0x09;

/** Tab, and Latin-1 without control characters: what RFC 9110 (5.5) lets a field value hold. */
export function isHeaderValue(value: string): boolean {
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (code > 0xff || (isControl(code) && code !== TAB)) return false;
  }
  return true;
}

function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (isControl(text.charCodeAt(index))) return true;
  }
  return false;
}

function isControl(code: number): boolean {
  return code < 0x20 || code === 0x7f;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function readPayload(fields: Fields): HttpPayload | null {
  const value = fields.json("body");
  const text = fields.text("text");
  const bytes = fields.text("bytes");
  const [first, second] = ["body", "text", "bytes"].filter((name) => fields.json(name) !== undefined);
  if (second !== undefined) fields.invalid(second, `${first} and ${second} exclude each other`);
  if (bytes !== undefined && !BASE64.test(bytes)) fields.invalid("bytes", "bytes is not base64");
  if (value !== undefined) return { form: "json", value };
  if (text !== undefined) return { form: "text", value: text };
  return bytes === undefined ? null : { form: "bytes", value: bytes };
}

/** Everything below 400, 3xx included: redirects are not followed. */
const DEFAULT_SUCCESS: readonly StatusRange[] = [{ first: 100, last: 399 }];
const STATUS_CLASS = /^([1-5])xx$/i;
const STATUS_SPAN = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/;

function readStatuses(fields: Fields): readonly StatusRange[] {
  const items = fields.list("succeedOn");
  if (items === undefined) return DEFAULT_SUCCESS;
  const ranges: StatusRange[] = [];
  for (const item of items) {
    const range = typeof item === "string" || typeof item === "number" ? statusRange(String(item)) : undefined;
    if (range !== undefined) ranges.push(range);
    else fields.invalid("succeedOn", "succeedOn holds something that is not a status", "Write 404, 2xx or 200-299, or a list of them.");
  }
  return ranges;
}

function statusRange(text: string): StatusRange | undefined {
  const hundreds = STATUS_CLASS.exec(text)?.[1];
  if (hundreds !== undefined) return { first: Number(hundreds) * 100, last: Number(hundreds) * 100 + 99 };
  const [, first, last = first] = STATUS_SPAN.exec(text) ?? [];
  const range = { first: Number(first), last: Number(last) };
  return range.first <= range.last ? range : undefined;
}
