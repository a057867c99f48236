import { engineTerms, serviceCommand } from "../service/service-command.ts";
import { WORKER_SETTINGS } from "../settings/settings.ts";

export const defineWorker = serviceCommand({
  settings: WORKER_SETTINGS,
  help: `
Drives runs until SIGTERM or Ctrl-C, then lets running attempts end, hands back what is unfinished and ends with 0; told again, it ends
at once. Flags count before the environment, the environment before the file. There is no default ledger.

Examples:
  $ stepwell worker --ledger postgres://stepwell:secret@db.internal/stepwell --operators operators.ts
  $ stepwell worker --config stepwell.yaml --concurrency 50 --show-config
  $ stepwell worker --health-port 8080 --health-host 0.0.0.0`,
  terms: (settings) => {
    const { healthPort: port, healthHost: host } = settings;
    return { ...engineTerms(settings), kind: "worker", drives: true, address: port === undefined ? undefined : { host, port } };
  },
});
