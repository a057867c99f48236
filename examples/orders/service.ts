import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Journal, type KeyCount } from "./journal.ts";
import { capturePayments, EURO_RATES, openFraudCase, printLabels, reserveStock, sendMessages } from "./shop.ts";

/** The systems of a small wholesaler behind one address: stock, payments, carrier, exchange rates, fraud desk, mail. */
export interface Shop extends AsyncDisposable {
  readonly url: string;
  /** By endpoint and idempotency key: also at `GET /effects`. */
  effects(): Readonly<Record<string, Readonly<Record<string, KeyCount>>>>;
}

export interface ShopOptions {
  /** Default 4010; 0: any free port. */
  readonly port?: number;
  /** Keeps what has taken effect over a kill of the service. */
  readonly stateFile?: string;
  /** Multiplies every latency; 0: none. Default 1. */
  readonly pace?: number;
}

interface Endpoint {
  readonly latencyMs: number;
  /** How often it answers 503 first: to each idempotency key, or to everybody for ever. */
  readonly unavailable: number;
  readonly answer: (body: unknown) => unknown;
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  "GET /rates/EUR": { latencyMs: 250, unavailable: 0, answer: () => ({ base: "EUR", rates: EURO_RATES }) },
  // The carrier is down for maintenance: whoever needs its prices has to do without.
  "GET /shipping/tariff": { latencyMs: 200, unavailable: Number.POSITIVE_INFINITY, answer: () => null },
  "POST /stock/reservations": { latencyMs: 400, unavailable: 0, answer: reserveStock },
  "POST /fraud/cases": { latencyMs: 350, unavailable: 0, answer: openFraudCase },
  // The payment provider sheds load: the third try gets through.
  "POST /payments/captures": { latencyMs: 300, unavailable: 2, answer: capturePayments },
  "POST /shipping/labels": { latencyMs: 400, unavailable: 0, answer: printLabels },
  "POST /notifications": { latencyMs: 300, unavailable: 0, answer: sendMessages },
};

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export async function startShop({ port = 4010, stateFile, pace = 1 }: ShopOptions = {}): Promise<Shop> {
  const journal = new Journal(stateFile);
  const desk = new Desk(journal, pace);
  const server = createServer((request, response) => {
    void respond(desk, request, response);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    effects: () => journal.counts(),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      journal.close();
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the shop listens on no port");
  return address.port;
}

async function respond(desk: Desk, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const endpoint = `${request.method} ${request.url?.split("?")[0]}`;
  const key = request.headers["idempotency-key"];
  let answer: Answer;
  try {
    answer = await desk.answer(endpoint, typeof key === "string" ? key : undefined, await text(request));
  } catch (error) {
    answer = { status: 400, body: { error: error instanceof Error ? error.message : String(error) } };
  }
  response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
}

/** Takes each request once: a key that has been answered gets the same answer again, and nothing happens. */
class Desk {
  readonly #journal: Journal;
  readonly #pace: number;

  constructor(journal: Journal, pace: number) {
    this.#journal = journal;
    this.#pace = pace;
  }

  async answer(endpoint: string, key: string | undefined, body: string): Promise<Answer> {
    if (endpoint === "GET /effects") return { status: 200, body: this.#journal.counts() };
    const found = ENDPOINTS[endpoint];
    if (found === undefined) return { status: 404, body: { error: `there is no ${endpoint}` } };
    if (endpoint.startsWith("GET ")) return this.#read(found);
    if (key === undefined) return { status: 400, body: { error: "an Idempotency-Key header is required" } };
    return this.#write(endpoint, found, key, body);
  }

  async #read({ latencyMs, unavailable, answer }: Endpoint): Promise<Answer> {
    await sleep(latencyMs * this.#pace);
    return unavailable > 0 ? UNAVAILABLE : { status: 200, body: answer(undefined) };
  }

  async #write(endpoint: string, { latencyMs, unavailable, answer }: Endpoint, key: string, body: string): Promise<Answer> {
    await sleep(latencyMs * this.#pace);
    // From here on nothing waits, so that of two calls with one key the second sees what the first has done.
    const fingerprint = createHash("sha256").update(body).digest("hex");
    const earlier = this.#journal.calls(endpoint, key);
    const record = (status: number, response: unknown, effect: boolean): Answer => {
      this.#journal.add({ at: Date.now(), endpoint, key, fingerprint, status, effect, response });
      return { status, body: response };
    };
    if (earlier.some((call) => call.fingerprint !== fingerprint)) {
      return record(422, { error: "this Idempotency-Key was used with another request" }, false);
    }
    const done = earlier.find(({ effect }) => effect);
    if (done !== undefined) return record(done.status, done.response, false);
    if (earlier.length < unavailable) return record(UNAVAILABLE.status, UNAVAILABLE.body, false);
    return record(201, answer(JSON.parse(body)), true);
  }
}

const UNAVAILABLE: Answer = { status: 503, body: { error: "temporarily unavailable" } };

if (import.meta.main) {
  const { values } = parseArgs({ options: { port: { type: "string" }, state: { type: "string" } } });
  const shop = await startShop({
    ...(values.port !== undefined && { port: Number(values.port) }),
    ...(values.state !== undefined && { stateFile: values.state }),
  });
  // Whoever started it with a channel is gone: the port must be free for the next start.
  process.once("disconnect", () => void shop[Symbol.asyncDispose]());
  console.log(`The shop listens on ${shop.url}`);
}
