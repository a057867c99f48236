import { engineTerms, serviceCommand } from "../service/service-command.ts";
import { SERVER_SETTINGS } from "../settings/settings.ts";

export const defineServer = serviceCommand({
  settings: SERVER_SETTINGS,
  help: `
Listens until SIGTERM or Ctrl-C, and drives runs as a worker does; --no-work leaves them to others. GET /healthz says whether the process
lives, GET /readyz whether it may be given work. Flags count before the environment, the environment before the file. There is no
default ledger.

Examples:
  $ stepwell server --ledger postgres://stepwell:secret@db.internal/stepwell --operators operators.ts
  $ stepwell server --config stepwell.yaml --host 0.0.0.0 --no-work`,
  terms: (settings) => {
    const { host, port, work } = settings;
    return { ...engineTerms(settings), kind: "server", drives: work, address: { host, port } };
  },
});
