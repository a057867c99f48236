// Who may import whom under src/. ARCHITECTURE.md explains the arrows; `npm run check -- --only architecture` holds them.
// A zone is a set of files; `sees` names the zones that it may import beside itself. A folder that no zone covers is an error.
const pureZones = ["model", "expressions", "operatorContract", "operatorDefinition", "workflow", "scheduler"];

const zones = {
  model: { path: "^src/model/", sees: [] },
  expressions: { path: "^src/expressions/", sees: ["model"] },
  operatorContract: { path: "^src/operators/(?:operator|definition|suspension)[.]ts$", sees: ["model", "expressions"] },
  operatorDefinition: {
    path: "^src/operators/(?:definitions|fields|[^/]+/definition)[.]ts$",
    sees: ["model", "expressions", "operatorContract"],
  },
  operatorExecutor: {
    path: "^src/operators/(?:(?!operator[.]|definition[.]|suspension[.]|definitions[.]|fields[.])[^/]+[.]ts$|[^/]+/(?!definition[.]))",
    sees: ["model", "expressions", "operatorContract", "operatorDefinition"],
  },
  workflow: { path: "^src/workflow/", sees: ["model", "expressions", "operatorContract", "operatorDefinition"] },
  scheduler: { path: "^src/scheduler/", sees: ["model", "workflow"] },
  ledgerPort: { path: "^src/ledger/(?:port|claims|placement|caller-transactions|rows|writes)[.]ts$", sees: ["model"] },
  ledgerShared: {
    path: "^src/ledger/(?:(?!port[.]|claims[.]|placement[.]|caller-transactions[.]|rows[.]|writes[.]|url[.])[^/]+[.]ts$|admission/|sql/|migrations/)",
    sees: ["model", "ledgerPort"],
  },
  ledgerSqlite: { path: "^src/ledger/sqlite/", sees: ["model", "ledgerPort", "ledgerShared"] },
  ledgerPostgres: { path: "^src/ledger/postgres/", sees: ["model", "ledgerPort", "ledgerShared"] },
  ledgerMemory: { path: "^src/ledger/memory/", sees: ["model", "ledgerPort", "ledgerShared"] },
  ledgerThread: { path: "^src/ledger/thread/", sees: ["model", "ledgerPort", "ledgerSqlite"] },
  ledgerRegistry: {
    path: "^src/ledger/url[.]ts$",
    sees: ["model", "ledgerPort", "ledgerShared", "ledgerSqlite", "ledgerPostgres", "ledgerMemory", "ledgerThread"],
  },
  queuePort: { path: "^src/queue/port[.]ts$", sees: ["model"] },
  queueLedger: { path: "^src/queue/ledger/", sees: ["model", "queuePort"] },
  queueBullmq: { path: "^src/queue/bullmq/", sees: ["model", "queuePort"] },
  queueRegistry: { path: "^src/queue/url[.]ts$", sees: ["model", "queuePort", "queueLedger", "queueBullmq"] },
  engine: {
    path: "^src/engine/",
    sees: [
      "model",
      "expressions",
      "operatorContract",
      "operatorDefinition",
      "operatorExecutor",
      "workflow",
      "scheduler",
      "ledgerPort",
      "ledgerShared",
      "queuePort",
    ],
  },
  server: { path: "^src/server/", sees: ["model"] },
  main: {
    path: "^src/main/",
    sees: [
      "model",
      "expressions",
      "operatorContract",
      "operatorDefinition",
      "operatorExecutor",
      "workflow",
      "ledgerPort",
      "ledgerRegistry",
      "queuePort",
      "queueRegistry",
      "engine",
    ],
  },
  index: {
    path: "^src/index[.]ts$",
    sees: [
      "model",
      "expressions",
      "operatorContract",
      "operatorDefinition",
      "operatorExecutor",
      "workflow",
      "ledgerPort",
      "queuePort",
      "engine",
      "main",
    ],
  },
  cli: {
    path: "^src/cli/",
    sees: [
      "model",
      "expressions",
      "operatorContract",
      "operatorDefinition",
      "operatorExecutor",
      "workflow",
      "ledgerPort",
      "ledgerRegistry",
      "queuePort",
      "queueRegistry",
      "engine",
      "server",
      "main",
    ],
  },
  testing: { path: "^src/testing/", sees: ["*"] },
};

const test = "[.]test[.]ts$";
const notTest = { pathNot: test };
const paths = (names) => names.map((name) => zones[name].path).join("|");

const arrows = Object.entries(zones)
  .filter(([, zone]) => !zone.sees.includes("*"))
  .map(([name, zone]) => ({
    name: `arrow-${name}`,
    severity: "error",
    comment: `${name} may import only itself${zone.sees.map((seen) => `, ${seen}`).join("")}`,
    from: { path: zone.path, ...notTest },
    to: { path: "^src/", pathNot: paths([name, ...zone.sees]) },
  }));

module.exports = {
  forbidden: [
    ...arrows,
    {
      name: "no-cycles",
      severity: "error",
      comment: "Two files that need each other are one file or three",
      from: {},
      to: { circular: true },
    },
    {
      name: "unknown-room",
      severity: "error",
      comment: "A file under src/ that belongs to no zone of .dependency-cruiser.cjs",
      from: {},
      to: { path: "^src/", pathNot: [...Object.values(zones).map((zone) => zone.path), test].join("|") },
    },
    {
      name: "unknown-room-file",
      severity: "error",
      comment: "A file under src/ that belongs to no zone of .dependency-cruiser.cjs",
      from: { path: "^src/", pathNot: [...Object.values(zones).map((zone) => zone.path), test].join("|") },
      to: {},
    },
    {
      name: "pure-rooms-use-no-node",
      severity: "error",
      comment: "Pure rooms decide; they reach no file, clock, network or process",
      from: { path: paths(pureZones), ...notTest },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "testing-is-for-tests",
      severity: "error",
      comment: "Only tests import src/testing/",
      from: { pathNot: `^src/testing/|^test/|${test}` },
      to: { path: zones.testing.path },
    },
    {
      name: "src-stands-alone",
      severity: "error",
      comment: "What is published imports nothing from the rest of the repository",
      from: { path: "^src/", ...notTest },
      to: { path: "^(?:test|scripts|bench|examples|tools)/" },
    },
    {
      name: "no-dev-dependencies",
      severity: "error",
      comment: "src/ runs on a machine that has only the dependencies of package.json, peers among them; src/testing may ask for vitest",
      from: { path: "^src/", pathNot: `${test}|${zones.testing.path}` },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only", "npm-peer"] },
    },
    { name: "resolvable", severity: "error", comment: "An import that leads nowhere", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(?:dist|coverage)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".js"],
    },
  },
};
