import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { answering, serve } from "../../../test/fixtures/loopback-server.ts";
import { operatorContext } from "../../../test/fixtures/operator-context.ts";
import type { Json } from "../../model/json.ts";
import { createHttpClient } from "./execute.ts";

const { operator: http } = createHttpClient();
const send = async (input: Json, context = operatorContext()) => http(input, context);
/** What a request that must fail failed with. */
const failure = (input: Json, context = operatorContext()) =>
  send(input, context).then(
    () => null,
    (error: unknown) => error,
  );

/** Answers with what it was sent. */
const echo = () =>
  serve((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
    });
    request.on("end", () => {
      const { method, url, headers } = request;
      const body = Buffer.concat(chunks).toString();
      response.setHeader("content-type", "application/json").end(JSON.stringify({ method, url, headers, body }));
    });
  });

const answer = (status: number, headers: OutgoingHttpHeaders, body: string | Buffer = "") => serve(answering(body, headers, status));

test.each(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])("S3-25 %s reaches the server as such", async (method) => {
  await using server = await echo();
  const result = await send({ method, url: `${server.url}/orders/7` });
  expect(result).toMatchObject({ status: 200, headers: { "content-type": "application/json" }, body: { method, url: "/orders/7" } });
});

test("S3-25 HEAD gives the headers and no body", async () => {
  await using server = await answer(200, { "content-type": "application/json", "content-encoding": "gzip", etag: '"7"' });
  expect(await send({ method: "HEAD", url: server.url })).toMatchObject({ status: 200, headers: { etag: '"7"' }, body: null });
});

test("query and headers are sent, lists by repetition", async () => {
  await using server = await echo();
  const result = await send({
    url: `${server.url}/orders?open=true#part`,
    query: { "a&b": "c d", tag: ["x", "y"] },
    headers: { "X-Trace": "é", "X-List": ["1", "2"] },
  });
  expect(result.body).toMatchObject({
    url: "/orders?open=true&a%26b=c+d&tag=x&tag=y",
    headers: { "x-trace": "é", "x-list": "1, 2" },
  });
});

test.each([
  ["body", { lines: [1, "é"] }, "application/json", '{"lines":[1,"é"]}'],
  ["text", "grüße", "text/plain; charset=utf-8", "grüße"],
  ["bytes", Buffer.from("raw").toString("base64"), "application/octet-stream", "raw"],
])("%s is sent with its type", async (field, value, type, body) => {
  await using server = await echo();
  const result = await send({ method: "POST", url: server.url, [field]: value });
  expect(result.body).toMatchObject({ body, headers: { "content-type": type } });
});

test("a Content-Type that is given stands", async () => {
  await using server = await echo();
  const headers = { "Content-Type": "application/merge-patch+json" };
  expect((await send({ method: "PATCH", url: server.url, headers, body: {} })).body).toMatchObject({
    headers: { "content-type": "application/merge-patch+json" },
  });
});

test("unsafe methods carry the step's idempotency key unless one is given", async () => {
  await using server = await echo();
  const keyOf = async (input: Record<string, Json>, idempotencyKey = "run-1:charge") => {
    const { body } = await send({ url: server.url, ...input }, operatorContext({ idempotencyKey }));
    return JSON.stringify(body).match(/"idempotency-key":"([^"]*)"/)?.[1];
  };
  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) expect(await keyOf({ method })).toBe("run-1:charge");
  for (const method of ["GET", "OPTIONS"]) expect(await keyOf({ method })).toBeUndefined();
  expect(await keyOf({ method: "POST", headers: { "IDEMPOTENCY-KEY": "mine" } })).toBe("mine");
  expect(await keyOf({ method: "POST" }, "order 7\r\nX: 日")).toBe("order%207%0D%0AX%3A%20%E6%97%A5");
});

test.each([
  ["application/json; charset=utf-8", '{"a":[1]}', { a: [1] }],
  ["application/problem+json", "null", null],
  ["text/csv", "a,b", "a,b"],
  ["application/xml", "<a/>", "<a/>"],
  ["text/plain; charset=iso-8859-1", Buffer.from("é", "latin1"), "é"],
  ["image/png", Buffer.from([0x89, 0x50]), "iVA="],
  ["application/json", "", null],
])("response auto: %s", async (type, content, body) => {
  await using server = await answer(200, { "content-type": type }, content);
  expect((await send({ url: server.url })).body).toEqual(body);
});

test("response auto without a Content-Type is text", async () => {
  await using server = await answer(200, {}, "plain");
  expect((await send({ url: server.url })).body).toBe("plain");
});

test("response json, text and bytes overrule the Content-Type", async () => {
  await using server = await answer(200, { "content-type": "application/x-thing" }, '{"a":1}');
  const body = async (response: string) => (await send({ url: server.url, response })).body;
  expect(await body("json")).toEqual({ a: 1 });
  expect(await body("text")).toBe('{"a":1}');
  expect(await body("bytes")).toBe(Buffer.from('{"a":1}').toString("base64"));
});

test("a header that comes more than once is a list", async () => {
  await using server = await answer(200, { "set-cookie": ["a=1", "b=2"] });
  expect((await send({ url: server.url })).headers["set-cookie"]).toEqual(["a=1", "b=2"]);
});

test.each([
  [400, "HTTP_STATUS", false],
  [401, "HTTP_STATUS", false],
  [404, "HTTP_STATUS", false],
  [408, "HTTP_RETRYABLE_STATUS", true],
  [409, "HTTP_STATUS", false],
  [425, "HTTP_RETRYABLE_STATUS", true],
  [429, "HTTP_RETRYABLE_STATUS", true],
  [500, "HTTP_RETRYABLE_STATUS", true],
  [503, "HTTP_RETRYABLE_STATUS", true],
])("status %i is %s, retryable %s", async (status, code, retryable) => {
  await using server = await answer(status, {}, "no");
  const data = { method: "GET", url: `${server.url}/`, status, body: "no" };
  await expect(send({ url: server.url })).rejects.toMatchObject({
    code,
    retryable,
    message: `GET ${server.url}/ answered ${status}`,
    data,
  });
});

test("a redirect is returned, not followed, and has a hint where it counts as a failure", async () => {
  await using server = await answer(302, { location: "/elsewhere" });
  expect(await send({ url: server.url })).toMatchObject({ status: 302, headers: { location: "/elsewhere" } });
  await expect(send({ url: server.url, succeedOn: "2xx" })).rejects.toMatchObject({
    code: "HTTP_STATUS",
    hint: expect.stringContaining("Location"),
  });
});

test("succeedOn says which statuses succeed, and no others do", async () => {
  await using missing = await answer(404, { "content-type": "application/json" }, '{"found":false}');
  await using created = await answer(201, {});
  const succeedOn = ["200", 404];
  expect(await send({ url: missing.url, succeedOn })).toMatchObject({ status: 404, body: { found: false } });
  await expect(send({ url: created.url, succeedOn })).rejects.toMatchObject({ code: "HTTP_STATUS", data: { status: 201 } });
});

test("Retry-After becomes milliseconds: seconds, and a date by the server's own clock", async () => {
  const waitOf = async (headers: Record<string, string>) => {
    await using server = await answer(503, headers);
    return await failure({ url: server.url });
  };
  expect(await waitOf({ "retry-after": "3" })).toMatchObject({ data: { retryAfterMs: 3_000 } });
  const date = "Wed, 21 Oct 2026 07:28:00 GMT";
  const later = "Wed, 21 Oct 2026 07:28:30 GMT";
  expect(await waitOf({ date, "retry-after": later })).toMatchObject({ data: { retryAfterMs: 30_000 } });
  expect(await waitOf({ "retry-after": "soon" })).not.toHaveProperty("data.retryAfterMs");
});

test("an error holds the beginning of the response and nothing of the request but its method, origin and path", async () => {
  await using server = await answer(500, {}, "é".repeat(4_000));
  const secret = "hunter2";
  const request = { method: "POST", url: `${server.url}/pay?key=${secret}`, headers: { Authorization: secret }, body: { card: secret } };
  const error = await failure(request, operatorContext({ idempotencyKey: secret }));
  expect(error).toMatchObject({ data: { url: `${server.url}/pay`, body: "é".repeat(512) } });
  expect(JSON.stringify(error) + String(error)).not.toContain(secret);
});

test("S3-20 requests do not block each other: the server sees all of them before it answers any", async () => {
  const count = 50;
  const waiting: ServerResponse[] = [];
  await using server = await serve((_request, response) => {
    waiting.push(response);
    if (waiting.length === count) for (const open of waiting) open.end("done");
  });
  const results = await Promise.all(Array.from({ length: count }, () => send({ url: server.url })));
  expect(results.map(({ body }) => body)).toEqual(Array.from({ length: count }, () => "done"));
});

test("S1-24 the attempt's signal ends the request with the signal's reason", async () => {
  const controller = new AbortController();
  const reason = new Error("the run was cancelled");
  await using server = await serve(() => controller.abort(reason));
  const { signal } = controller;
  await expect(send({ url: server.url }, operatorContext({ signal }))).rejects.toBe(reason);
  await expect(send({ url: server.url }, operatorContext({ signal }))).rejects.toBe(reason);
});

test("nothing is sent for an input that is refused", async () => {
  let requests = 0;
  await using server = await serve((_request, response) => {
    requests++;
    response.end();
  });
  const port = new URL(server.url).port;
  for (const input of [
    { url: `${server.url}/\r\nX: 1` },
    { url: server.url, headers: { X: "a\nb" } },
    { url: server.url, headers: { "X\0": "a" } },
    { url: server.url, headers: { Connection: "close" } },
    { url: server.url, headers: { Host: ["a.example", "b.example"] } },
    { url: `http://user:pass@127.0.0.1:${port}/` },
    { url: `http://127.0.0.1:${port}0000/` },
  ]) {
    await expect(send(input)).rejects.toMatchObject({ code: "OPERATOR_INPUT_INVALID" });
  }
  expect(requests).toBe(0);
});

test("a closed client refuses requests and closing lets running ones end", async () => {
  const client = createHttpClient();
  const { promise: arrived, resolve } = Promise.withResolvers<ServerResponse>();
  await using server = await serve((_request, response) => resolve(response));
  const running = client.operator({ url: server.url }, operatorContext());
  const response = await arrived;
  const closed = client.close();
  response.end("late");
  expect((await running).body).toBe("late");
  await closed;
  await expect(client.operator({ url: server.url }, operatorContext())).rejects.toMatchObject({ code: "HTTP_NETWORK" });
});
