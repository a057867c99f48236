import type { RequestListener, ServerResponse } from "node:http";
import { type HttpProblem, PROBLEM_TYPE, problemBody, statusOf } from "./problem-answer.ts";

/** What a process knows of its own health. */
export interface Health {
  /** Members of the answer to `/healthz`. */
  live(): Readonly<Record<string, unknown>>;
  /** Why it takes no work now; undefined while it does. Never rejects. */
  unready(): Promise<HttpProblem | undefined>;
}

/**
 * Answers what operators and orchestrators ask of a process: `/healthz`, whether it lives, and `/readyz`, whether it may be given work.
 * Everything else is a problem by RFC 9457.
 */
export function healthRoutes(health: Health): RequestListener {
  const routes: ReadonlyMap<string, (response: ServerResponse) => void> = new Map([
    [
      "/healthz",
      (response: ServerResponse) => answer(response, 200, "application/json", JSON.stringify({ status: "ok", ...health.live() })),
    ],
    ["/readyz", (response: ServerResponse) => void answerReady(response, health)],
  ]);
  return ({ url = "", method = "" }, response) => {
    const path = url.split("?", 1)[0] ?? "";
    const route = routes.get(path);
    if (route === undefined) refuse(response, { code: "ROUTE_NOT_FOUND" });
    else if (method === "GET" || method === "HEAD") route(response);
    else {
      response.setHeader("allow", "GET, HEAD");
      refuse(response, { code: "METHOD_NOT_ALLOWED" });
    }
  };
}

async function answerReady(response: ServerResponse, health: Health): Promise<void> {
  const problem = await health.unready();
  if (problem === undefined) answer(response, 200, "application/json", JSON.stringify({ status: "ready" }));
  else refuse(response, problem);
}

function refuse(response: ServerResponse, problem: HttpProblem): void {
  answer(response, statusOf(problem), PROBLEM_TYPE, problemBody(problem));
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body), "cache-control": "no-store" }).end(body);
}
