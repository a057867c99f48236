import type { RequestListener } from "node:http";
import { expect, test } from "vitest";
import { sendBytes } from "../../test/fixtures/http.ts";
import { type HttpListener, listen } from "./http-listener.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

async function listening(handle: RequestListener, host = "127.0.0.1"): Promise<HttpListener> {
  return listen({ host, port: 0 }, handle);
}

test("an answer that is on its way does not end with another one, whatever follows the request", async () => {
  const listener = await listening((_request, response) => void response.write("the beginning"));
  const answer = await sendBytes(listener.url, `${REQUEST}no request\r\n\r\n`);
  expect(answer).not.toContain("HTTP/1.1 400");
  await listener.close(0);
});

test("a listener that closes lets an answer end, and cuts off one that takes too long", async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: told, resolve: tell } = Promise.withResolvers<void>();
  const listener = await listening((_request, response) => {
    ask();
    void told.then(() => response.end("all of it"));
  });
  const answer = sendBytes(listener.url, REQUEST);
  await asked;
  const closed = listener.close(60_000);
  tell();
  expect(await answer).toMatch(/^Connection: close\r\n[^]*all of it$/m);
  await closed;

  const endless = await listening((_request, response) => void response.write("the beginning"));
  const cut = sendBytes(endless.url, REQUEST);
  expect(await (await fetch(endless.url)).body?.getReader().read()).toMatchObject({ done: false });
  await endless.close(0);
  expect(await cut).toContain("the beginning");
});

test("the URL of an IPv6 address has brackets", async ({ skip }) => {
  const listener = await listening((_request, response) => void response.end("here"), "::1").catch(() => skip("this machine has no IPv6"));
  expect(listener.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect(await (await fetch(listener.url)).text()).toBe("here");
  await listener.close(0);
});
