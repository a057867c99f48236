import { defineConfig } from "vitest/config";

const everythingCovered = { lines: 100, branches: 100 };

export default defineConfig({
  test: {
    include: ["{src,test,scripts,bench,examples}/**/*.test.ts"],
    testTimeout: 60_000,
    pool: "forks",
    globalSetup: "test/fixtures/postgres/global-setup.ts",
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      exclude: ["**/*.test.ts"],
      reporter: [["text", { skipFull: true }]],
      // the pure rooms: they decide, so no decision goes unseen
      thresholds: {
        "src/model/**": everythingCovered,
        "src/expressions/**": everythingCovered,
        "src/operators/*/definition.ts": everythingCovered,
        "src/operators/definitions.ts": everythingCovered,
        "src/workflow/**": everythingCovered,
        "src/scheduler/**": everythingCovered,
      },
    },
  },
});
