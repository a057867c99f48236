import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** Stands before a server and hands each piece of a request on so much later, answers at once. Resolves with its own URL. */
export async function slowProxy(serverUrl: string, delayMs: number): Promise<{ readonly url: string }> {
  const url = new URL(serverUrl);
  const { hostname, port } = url;
  const proxy = createServer((client) => {
    const server = connect(Number(port || 5432), hostname);
    // timers of the same delay go off in the order in which they were set
    client.on("data", (bytes) => setTimeout(() => server.write(bytes), delayMs));
    server.on("data", (bytes) => client.write(bytes));
    bind(client, server);
    bind(server, client);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("the proxy listens on no port");
  url.host = `127.0.0.1:${address.port}`;
  return { url: url.href };
}

/** They end together. */
function bind(one: Socket, other: Socket): void {
  one.setNoDelay();
  one.on("error", () => undefined);
  one.on("close", () => other.destroy());
}
