import type { ServerResponse } from "node:http";
import { createServer, type Socket } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { answering, listen, serve } from "../../../test/fixtures/loopback-server.ts";
import { operatorContext } from "../../../test/fixtures/operator-context.ts";
import type { Json } from "../../model/json.ts";
import { createHttpClient, type HttpClientOptions } from "./execute.ts";
import { readRetryAfter } from "./failure.ts";

const LIMIT = 64 * 1024;

async function send(input: Json, options: HttpClientOptions = { limits: { httpResponseBytes: LIMIT } }) {
  const client = createHttpClient(options);
  try {
    return await client.operator(input, operatorContext());
  } finally {
    await client.close();
  }
}

/** A server that answers the first bytes of every connection with exactly these and closes it. */
function raw(bytes: string) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.once("data", () => {
      socket.end(bytes);
    });
  });
  return listen(server, () => {
    for (const socket of sockets) socket.destroy();
  });
}

/** Writes the same text until the other side closes the connection. */
function stream(socket: Socket, response: ServerResponse, text: string): void {
  response.write(text, () => {
    if (!socket.destroyed) setImmediate(stream, socket, response, text);
  });
}

test("a server that never answers is given up", async () => {
  await using server = await serve(() => {});
  const failure = { code: "HTTP_NETWORK", retryable: true };
  await expect(send({ url: server.url }, { limits: { httpSilenceMs: 200 } })).rejects.toMatchObject(failure);
  await expect(send({ url: server.url }, { limits: { httpRequestMs: 100 } })).rejects.toMatchObject(failure);
});

test("a server that drips its body for ever is given up, however short its pauses are", async () => {
  await using server = await serve((request, response) => {
    stream(request.socket, response, "x");
  });
  const limits = { httpSilenceMs: 10_000, httpRequestMs: 300, httpResponseBytes: Number.MAX_SAFE_INTEGER };
  await expect(send({ url: server.url }, { limits })).rejects.toMatchObject({
    code: "HTTP_NETWORK",
    message: expect.stringContaining("it took longer than 300 ms"),
  });
});

test("a body above the limit is refused, announced or not", async () => {
  await using announced = await serve(answering(Buffer.alloc(LIMIT + 1), { "content-length": LIMIT + 1 }));
  await using streamed = await serve((_request, response) => {
    for (let sent = 0; sent <= LIMIT; sent += 1_024) response.write(Buffer.alloc(1_024));
    response.end();
  });
  await using exact = await serve(answering(Buffer.alloc(LIMIT, "x")));
  const refusal = { code: "HTTP_RESPONSE_TOO_LARGE", retryable: false, data: { limitBytes: LIMIT } };
  await expect(send({ url: announced.url })).rejects.toMatchObject(refusal);
  await expect(send({ url: streamed.url })).rejects.toMatchObject(refusal);
  expect((await send({ url: exact.url })).body).toHaveLength(LIMIT);
});

test.each([
  ["gzip", gzipSync],
  ["deflate", deflateSync],
  ["br", brotliCompressSync],
  ["zstd", zstdCompressSync],
])("%s is unpacked, and a bomb in it is refused", async (encoding, compress) => {
  const packed = (size: number) => compress(Buffer.alloc(size, "x"));
  await using good = await serve(answering(packed(1_000), { "content-encoding": encoding }));
  await using bomb = await serve(answering(packed(8 * 1024 * 1024), { "content-encoding": encoding }));
  expect((await send({ url: good.url })).body).toBe("x".repeat(1_000));
  await expect(send({ url: bomb.url })).rejects.toMatchObject({ code: "HTTP_RESPONSE_TOO_LARGE" });
});

test.each([
  ["JSON that is none", { "content-type": "application/json" }, "<html>", "it is not JSON"],
  ["text that is not UTF-8", { "content-type": "text/plain" }, Buffer.from([0xff, 0xfe, 0xfd]), "it is not text in utf-8"],
  ["a charset that nobody knows", { "content-type": "text/plain; charset=klingon" }, "x", "it is not text in klingon"],
  ["gzip that is none", { "content-encoding": "gzip" }, "plain", "it is not valid gzip"],
  ["gzip that is cut", { "content-encoding": "gzip" }, gzipSync("hello").subarray(0, 12), "it is not valid gzip"],
  ["an encoding that was not asked for", { "content-encoding": "compress" }, "x", "Content-Encoding is none of"],
  ["two encodings", { "content-encoding": "gzip, gzip" }, "x", "Content-Encoding is none of"],
])("%s is HTTP_RESPONSE_INVALID", async (_, headers, body, message) => {
  await using server = await serve(answering(body, headers));
  await expect(send({ url: server.url })).rejects.toMatchObject({
    code: "HTTP_RESPONSE_INVALID",
    message: expect.stringContaining(message),
    hint: expect.stringContaining("response: bytes"),
  });
});

test.each([
  ["without an answer", ""],
  ["inside the headers", "HTTP/1.1 200 OK\r\nContent-"],
  ["inside an announced body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"],
  ["inside a chunked body", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"],
  ["after something that is not HTTP", "220 mail.example ESMTP\r\n"],
  ["after headers without end", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}`],
])("a connection that closes %s is HTTP_NETWORK", async (_, bytes) => {
  await using server = await raw(bytes);
  await expect(send({ url: server.url })).rejects.toMatchObject({
    code: "HTTP_NETWORK",
    retryable: true,
    data: { method: "GET", url: `${server.url}/` },
  });
});

test("a refused connection names the cause", async () => {
  const server = await serve(() => {});
  await server[Symbol.asyncDispose]();
  await expect(send({ url: server.url })).rejects.toMatchObject({ code: "HTTP_NETWORK", data: { cause: "ECONNREFUSED" } });
});

test("a failed response keeps its status when its body never ends, breaks or is unreadable", async () => {
  await using silent = await serve((_request, response) => {
    response.writeHead(500).write("half of");
  });
  await using broken = await raw("HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nhalf of");
  await using packed = await serve(answering("half of", { "content-encoding": "gzip" }, 500));
  await using endless = await serve((request, response) => {
    response.writeHead(500);
    stream(request.socket, response, "y".repeat(16_384));
  });
  const failure = { code: "HTTP_RETRYABLE_STATUS", data: { status: 500, body: "half of" } };
  await expect(send({ url: silent.url })).rejects.toMatchObject(failure);
  await expect(send({ url: broken.url })).rejects.toMatchObject(failure);
  await expect(send({ url: packed.url })).rejects.not.toHaveProperty("data.body");
  await expect(send({ url: endless.url })).rejects.toMatchObject({ data: { body: "y".repeat(1_024) } });
});

test.each([
  ["120", 120_000],
  ["0", 0],
  [" 5 ", 5_000],
  ["-1", undefined],
  ["1.5", undefined],
  ["99999999999", undefined],
  ["Wed, 21 Oct 2026 07:28:10 GMT", 10_000],
  ["Wednesday, 21-Oct-26 07:28:10 GMT", 10_000],
  ["Wed, 21 Oct 2026 07:27:00 GMT", 0],
  ["Wed Oct 21 07:28:10 2026", undefined],
  ["never GMT", undefined],
  ["", undefined],
])("Retry-After %j is %s ms", (value, expected) => {
  expect(readRetryAfter({ "retry-after": value }, Date.UTC(2026, 9, 21, 7, 28))).toBe(expected);
});
