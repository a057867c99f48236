import { once } from "node:events";
import { createServer, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { StepwellError } from "../model/errors.ts";
import { PROBLEM_TYPE, problemBody, statusOf } from "./problem-answer.ts";

export interface Address {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

export interface HttpListener {
  /** With the port that it really has. */
  readonly url: string;
  /** From now on every answer ends its connection. One that is idle stays: a request may be on its way on it. */
  retire(): void;
  /** Takes no more connections, and gives requests at work this long to end. */
  close(graceMs: number): Promise<void>;
}

/** Whoever is slower than this, or sends more, ties up a process that others need. */
const LIMITS = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  keepAliveTimeout: 5_000,
} as const;
const MAX_CONNECTIONS = 1_024;
const MAX_HEADERS = 100;

/**
 * Listens for HTTP/1.1.
 *
 * @throws StepwellError `ADDRESS_UNAVAILABLE`
 */
export async function listen(address: Address, handle: RequestListener): Promise<HttpListener> {
  const answers = new Answers();
  const server = createServer(LIMITS, (request, response) => {
    answers.begin(response);
    handle(request, response);
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = MAX_HEADERS;
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    // an answer that is on its way must not end in the middle with another one
    if (!socket.writable || answers.isOn(socket) || error.code === "ECONNRESET") socket.destroy();
    else refuseUnreadable(error, socket);
  });
  server.listen(address.port, address.host);
  try {
    await once(server, "listening");
  } catch (cause) {
    throw unavailable(address, cause);
  }
  // a connection that could not be taken, for want of file descriptors, is not the end of the process
  server.on("error", () => undefined);
  return {
    url: urlOf(server, address),
    retire: () => answers.retire(),
    close: async (graceMs) => {
      const closed = once(server, "close");
      answers.retire();
      server.close();
      answers.onEnd = () => server.closeIdleConnections();
      const late = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(late);
    },
  };
}

/** What is being answered at this moment. */
class Answers {
  readonly #running = new Set<ServerResponse>();
  #isRetired = false;
  onEnd: () => void = () => undefined;

  begin(response: ServerResponse): void {
    this.#running.add(response);
    response.shouldKeepAlive &&= !this.#isRetired;
    response.once("close", () => {
      this.#running.delete(response);
      this.onEnd();
    });
  }

  isOn(socket: Duplex): boolean {
    return [...this.#running].some((response) => response.socket === socket);
  }

  /** Those that have not begun to be sent say that their connection ends. */
  retire(): void {
    this.#isRetired = true;
    for (const response of this.#running) response.shouldKeepAlive = false;
  }
}

/** What no handler sees: it never became a request. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  const problem = { code: "REQUEST_INVALID", status: UNREADABLE.get(error.code) ?? 400 } as const;
  const body = problemBody(problem);
  const status = statusOf(problem);
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `Content-Type: ${PROBLEM_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      "Connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}

const UNREADABLE: ReadonlyMap<string | undefined, number> = new Map([
  ["HPE_HEADER_OVERFLOW", 431],
  ["ERR_HTTP_REQUEST_TIMEOUT", 408],
]);

function urlOf(server: Server, { host, port }: Address): string {
  const bound = server.address();
  const shownHost = host.includes(":") ? `[${host}]` : host;
  return `http://${shownHost}:${typeof bound === "object" && bound !== null ? bound.port : port}`;
}

function unavailable({ host, port }: Address, cause: unknown): StepwellError {
  const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  switch (reason) {
    case "EADDRINUSE":
      return refusal(`Port ${port} of ${host} is taken by another process`, "Stop that process, or choose another port.", cause);
    case "EACCES":
      return refusal(`This process may not listen on port ${port} of ${host}`, "Choose a port above 1023, or give it the right.", cause);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_FAIL":
      return refusal(`${host} is no address of this machine`, "Use 127.0.0.1 for this machine alone, or 0.0.0.0 for every network.", cause);
    default:
      return refusal(
        `Port ${port} of ${host} cannot be listened on${reason === "" ? "" : ` (${reason})`}`,
        "Choose another address.",
        cause,
      );
  }
}

function refusal(message: string, hint: string, cause: unknown): StepwellError {
  return new StepwellError("ADDRESS_UNAVAILABLE", message, { hint, cause });
}
