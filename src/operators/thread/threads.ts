import type { ThreadPool } from "./pool.ts";

/** A pool whose code is loaded with the first step that runs in a thread: most runs have none. */
export function createThreads(): ThreadPool {
  let pool: Promise<ThreadPool> | undefined;
  return {
    run: async (target, input, context) => {
      pool ??= import("./pool.ts").then(({ createThreadPool }) => createThreadPool());
      return (await pool).run(target, input, context);
    },
    close: async () => (await pool)?.close(),
  };
}
