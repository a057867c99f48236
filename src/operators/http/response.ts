import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";
import { StepwellError } from "../../model/errors.ts";
import type { ResponseForm } from "./definition.ts";

/** Names in lower case, as the client gives them. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

type Decode = (raw: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

const DECODERS: Readonly<Record<string, Decode>> = {
  gzip: promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip),
  "x-gzip": promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip),
  deflate: promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate),
  br: promisify<Buffer, { maxOutputLength: number }, Buffer>(brotliDecompress),
  zstd: promisify<Buffer, { maxOutputLength: number }, Buffer>(zstdDecompress),
};
export const ACCEPTED_ENCODINGS = "gzip, deflate, br, zstd";

/**
 * Reads a body to its end and decodes it. The limit counts for both: a small body can unpack into a huge one.
 * @throws StepwellError `HTTP_RESPONSE_TOO_LARGE`, `HTTP_RESPONSE_INVALID`; errors of the connection as they come
 */
export async function readBody(body: Readable, headers: ResponseHeaders, limitBytes: number): Promise<Buffer> {
  if (Number(headerText(headers, "content-length")) > limitBytes) {
    abandon(body);
    throw tooLarge(limitBytes);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunksOf(body)) {
    size += chunk.length;
    // Leaving the loop destroys the body and with it the connection.
    if (size > limitBytes) throw tooLarge(limitBytes);
    chunks.push(chunk);
  }
  return decode(Buffer.concat(chunks, size), headers, limitBytes);
}

async function decode(raw: Buffer, headers: ResponseHeaders, limitBytes: number): Promise<Buffer> {
  const encoding = headerText(headers, "content-encoding").trim().toLowerCase();
  if (raw.length === 0 || encoding === "" || encoding === "identity") return raw;
  const decoder = DECODERS[encoding];
  if (decoder === undefined) throw invalid(`its Content-Encoding is none of ${ACCEPTED_ENCODINGS}`);
  try {
    return await decoder(raw, { maxOutputLength: limitBytes });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(limitBytes);
    throw invalid(`it is not valid ${encoding}`, error);
  }
}

/** A second is enough for what an error message needs; whoever drips its error page is not waited for. */
const EXCERPT_TIME_MS = 1_000;
/** An excerpt is worth unpacking a little, not a lot. */
const EXCERPT_SOURCE_BYTES = 64 * 1024;

/** The beginning of a failed response as text, as much as arrives soon; null when there is none or it is unreadable. Never throws. */
export async function readExcerpt(body: Readable, headers: ResponseHeaders, maxBytes: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = setTimeout(() => abandon(body), EXCERPT_TIME_MS);
  try {
    for await (const chunk of chunksOf(body)) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= EXCERPT_SOURCE_BYTES) break;
    }
  } catch {
    // What came before the connection broke is still worth showing.
  } finally {
    clearTimeout(timer);
  }
  try {
    const decoded = await decode(Buffer.concat(chunks), headers, EXCERPT_SOURCE_BYTES * 16);
    // `stream` drops a character that the cut has split instead of writing a replacement mark for it.
    const text = new TextDecoder().decode(decoded.subarray(0, maxBytes), { stream: true });
    return text === "" ? null : text;
  } catch {
    return null;
  }
}

/**
 * Gives a body its form. `auto`: JSON and text by Content-Type (none at all counts as text), anything else as base64; an empty body is null.
 * @throws StepwellError `HTTP_RESPONSE_INVALID`
 */
export function decodeBody(bytes: Buffer, headers: ResponseHeaders, form: ResponseForm): unknown {
  if (form === "bytes") return bytes.toString("base64");
  const type = headerText(headers, "content-type");
  if (form === "text") return decodeText(bytes, type);
  if (form === "json") return parse(decodeText(bytes, type));
  if (bytes.length === 0) return null;
  const mediaType = (type.split(";")[0] ?? "").trim().toLowerCase();
  if (JSON_TYPE.test(mediaType)) return parse(decodeText(bytes, type));
  return TEXT_TYPE.test(mediaType) ? decodeText(bytes, type) : bytes.toString("base64");
}

const JSON_TYPE = /^application\/(?:[^/]+\+)?json$/;
const TEXT_TYPE = /^(?:|text\/.+|application\/(?:(?:[^/]+\+)?xml|javascript|x-www-form-urlencoded|yaml|x-ndjson|graphql))$/;
const CHARSET = /;\s*charset\s*=\s*"?([^\s";]+)/i;

function decodeText(bytes: Buffer, contentType: string): string {
  const charset = CHARSET.exec(contentType)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch (error) {
    throw invalid(`it is not text in ${charset}`, error);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid("it is not JSON", error);
  }
}

export function headerText(headers: ResponseHeaders, name: string): string {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : (value ?? "");
}

function chunksOf(body: Readable): AsyncIterable<Buffer> {
  return body;
}

function abandon(body: Readable): void {
  // Destroying an unread body reports an abort, which is what was asked for.
  body.on("error", () => {});
  body.destroy();
}

function tooLarge(limitBytes: number): StepwellError {
  return new StepwellError("HTTP_RESPONSE_TOO_LARGE", `The response body is larger than ${limitBytes} bytes`, {
    hint: "Ask for less: a page, a range or fewer fields.",
    data: { limitBytes },
  });
}

function invalid(what: string, cause?: unknown): StepwellError {
  return new StepwellError("HTTP_RESPONSE_INVALID", `The response body cannot be read: ${what}`, {
    hint: "Use response: bytes to take it as it is (base64).",
    cause,
  });
}
