import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import { z } from "zod";
import type { StepRunRow } from "../../../src/ledger/rows.ts";
import type { StepStatus } from "../../../src/model/status.ts";

const Call = z.object({
  run: z.string(),
  step: z.string(),
  attempt: z.number(),
  key: z.string(),
  what: z.union([z.string(), z.number()]),
  mode: z.enum(["plain", "flaky"]),
  /** By the clock of the process that sends it, milliseconds. */
  at: z.number(),
});
type Call = z.infer<typeof Call>;

export interface SinkCall extends Call {
  /** What the ledger held of the step when the request came; undefined when it had no such step. */
  readonly found: StepStatus | undefined;
  readonly foundAttempt: number | undefined;
  readonly isAccepted: boolean;
  /** How far the clock of the process was before that of the sink, milliseconds; less than 0: behind. */
  readonly aheadMs: number;
}

type FoundStep = Pick<StepRunRow, "status" | "attempt">;

/** The world that effects change: every request is on disk before it is answered. */
export class EffectSink implements AsyncDisposable {
  readonly url: string;
  calls: SinkCall[] = [];
  /** Asks the ledger for a step. */
  look: (run: string, step: string) => Promise<FoundStep | undefined> = async () => undefined;
  /** Handed out with the next answer: for so many milliseconds its operator is to hold up the event loop of its process. */
  stallMs = 0;
  /** Told when a request was answered. */
  onCall: () => void = () => undefined;
  readonly #server: ReturnType<typeof createServer>;
  readonly #journal: number;

  private constructor(server: ReturnType<typeof createServer>, url: string, journal: number) {
    this.#server = server;
    this.url = url;
    this.#journal = journal;
  }

  static async open(journal: string): Promise<EffectSink> {
    // one that is idle stays open: closed by the sink just as a worker uses it, it would fail the step
    const server = createServer({ keepAliveTimeout: 0 });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const sink = new EffectSink(server, `http://127.0.0.1:${port}/`, openSync(journal, "a"));
    server.on("request", (request, response) => {
      const chunks: string[] = [];
      request.setEncoding("utf8");
      request.on("data", (chunk: string) => chunks.push(chunk));
      request.on("end", () => {
        void sink.#take(Call.parse(JSON.parse(chunks.join("")))).then(({ isAccepted, what }) => {
          response.writeHead(isAccepted ? 200 : 503, { "content-type": "application/json" });
          const { stallMs } = sink;
          sink.stallMs = 0;
          response.end(JSON.stringify({ done: what, ...(stallMs > 0 && { stallMs }) }));
        });
      });
    });
    return sink;
  }

  async #take(call: Call): Promise<SinkCall> {
    const isAccepted = call.mode === "plain" || this.calls.some(({ key }) => key === call.key);
    const aheadMs = call.at - Date.now();
    const found = await this.look(call.run, call.step);
    const taken: SinkCall = { ...call, isAccepted, found: found?.status, foundAttempt: found?.attempt, aheadMs };
    this.calls.push(taken);
    writeSync(this.#journal, `${JSON.stringify(taken)}\n`);
    fsyncSync(this.#journal);
    this.onCall();
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    closeSync(this.#journal);
  }
}
