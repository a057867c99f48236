import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{src,test,scripts,bench,examples}/**/*.test.ts"],
    testTimeout: 60_000,
    pool: "forks",
    // by default one core of two would be left idle
    maxWorkers: "100%",
    globalSetup: "test/fixtures/postgres/global-setup.ts",
    coverage: {
      provider: "v8",
      // the pure rooms: they decide, so their own tests show every decision
      include: ["src/{model,expressions,workflow,scheduler}/**/*.ts", "src/operators/*/definition.ts", "src/operators/definitions.ts"],
      exclude: ["**/*.test.ts"],
      reporter: [["text", { skipFull: true }]],
      thresholds: { lines: 100, branches: 100 },
    },
  },
});
