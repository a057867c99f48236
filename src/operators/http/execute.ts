import { Agent, type Dispatcher } from "undici";
import { StepwellError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import { LIMITS } from "../../model/limits.ts";
import { inputInvalid, readInput } from "../fields.ts";
import type { Operator, OperatorContext } from "../operator.ts";
import { type HttpInput, type HttpMethod, isHeaderValue, readHttpInput } from "./definition.ts";
import { codeOf, networkFailure, type RequestName, statusFailure } from "./failure.ts";
import { ACCEPTED_ENCODINGS, decodeBody, type ResponseHeaders, readBody, readExcerpt } from "./response.ts";

export interface HttpResult {
  readonly status: number;
  /** Names in lower case; a header that came more than once is a list. */
  readonly headers: ResponseHeaders;
  /** Plain JSON. */
  readonly body: unknown;
}

export interface HttpClient {
  readonly operator: Operator<Json, HttpResult>;
  /** Lets running requests end and closes every connection. */
  close(): Promise<void>;
}

type HttpLimits = Pick<typeof LIMITS, "httpResponseBytes" | "httpExcerptBytes" | "httpConnectMs" | "httpSilenceMs" | "httpRequestMs">;

export interface HttpClientOptions {
  readonly limits?: Partial<{ readonly [Name in keyof HttpLimits]: number }>;
  /** Milliseconds since the Unix epoch, for a `Retry-After` date from a server without a `Date`. */
  readonly now?: () => number;
}

/** Sockets to one origin at once; more requests wait for one, since thousands at once look like an attack to most servers. */
const CONNECTIONS_PER_ORIGIN = 256;

/** The `http` operator with connections of its own, which its creator closes. Idle ones do not keep the process alive. */
export function createHttpClient(options: HttpClientOptions = {}): HttpClient {
  const limits = { ...LIMITS, ...options.limits };
  const now = options.now ?? Date.now;
  const agent = new Agent({
    connections: CONNECTIONS_PER_ORIGIN,
    connect: { timeout: limits.httpConnectMs },
    headersTimeout: limits.httpSilenceMs,
    bodyTimeout: limits.httpSilenceMs,
    allowH2: false,
  });

  async function operator(input: Json, context: OperatorContext): Promise<HttpResult> {
    const request = readInput("http", readHttpInput, input);
    const target = readTarget(request);
    const name = { method: request.method, url: target.origin + target.pathname };
    const message = requestOptions(request, target, context);
    try {
      return await withDeadline(context.signal, limits.httpRequestMs, async (signal) => {
        const { statusCode: status, headers, body } = await agent.request({ ...message, signal });
        if (!request.succeedOn.some(({ first, last }) => first <= status && status <= last)) {
          const excerpt = await readExcerpt(body, headers, limits.httpExcerptBytes);
          throw statusFailure(name, status, headers, excerpt, now());
        }
        const bytes = await readBody(body, headers, limits.httpResponseBytes);
        return { status, headers, body: decodeBody(bytes, headers, request.response) };
      });
    } catch (error) {
      throw failureOf(error, name, context.signal);
    }
  }

  return { operator, close: () => agent.close() };
}

/** Aborts with the attempt or when the time is up. A timer of its own, since `AbortSignal.timeout` cannot be taken back: each would live its hour out. */
async function withDeadline<Result>(outer: AbortSignal, ms: number, act: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  outer.throwIfAborted();
  const controller = new AbortController();
  const abort = () => controller.abort(outer.reason);
  outer.addEventListener("abort", abort, { once: true });
  const timer = setTimeout(() => controller.abort(new Error(`it took longer than ${ms} ms`)), ms);
  try {
    return await act(controller.signal);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener("abort", abort);
  }
}

function failureOf(error: unknown, request: RequestName, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof StepwellError) return error;
  // The client's own check of what it sends; nothing has left.
  if (codeOf(error) === "UND_ERR_INVALID_ARG") return inputInvalid("http", ["the request cannot be sent"], [], String(error));
  return networkFailure(request, error);
}

function readTarget(request: HttpInput): URL {
  const url = URL.parse(request.url);
  if (url === null) throw inputInvalid("http", ["url is not an absolute http: or https: URL"], ["url"]);
  for (const [name, values] of request.query) {
    for (const value of values) url.searchParams.append(name, value);
  }
  return url;
}

function requestOptions(request: HttpInput, target: URL, context: OperatorContext): Dispatcher.RequestOptions {
  const headers = new Map<string, string | string[]>();
  for (const [name, values] of request.headers) headers.set(name.toLowerCase(), values.length === 1 ? (values[0] ?? "") : [...values]);
  const setDefault = (name: string, value: string) => headers.has(name) || headers.set(name, value);
  setDefault("accept-encoding", ACCEPTED_ENCODINGS);
  if (isUnsafe(request.method)) setDefault("idempotency-key", headerSafe(context.idempotencyKey));
  const payload = payloadOf(request);
  if (payload !== null) setDefault("content-type", payload.type);
  return {
    origin: target.origin,
    path: target.pathname + target.search,
    method: request.method,
    headers,
    body: payload?.content ?? null,
  };
}

/** Methods that may change something at the server (RFC 9110, 9.2.1). */
function isUnsafe(method: HttpMethod): boolean {
  return method === "POST" || method === "PUT" || method === "PATCH" || method === "DELETE";
}

/** A key may be any text, a header may not; percent-encoding keeps different keys different. */
function headerSafe(key: string): string {
  return isHeaderValue(key) ? key : encodeURIComponent(key.toWellFormed());
}

function payloadOf({ payload }: HttpInput): { readonly type: string; readonly content: string | Buffer } | null {
  if (payload === null) return null;
  if (payload.form === "json") return { type: "application/json", content: JSON.stringify(payload.value) };
  if (payload.form === "text") return { type: "text/plain; charset=utf-8", content: payload.value };
  return { type: "application/octet-stream", content: Buffer.from(payload.value, "base64") };
}
