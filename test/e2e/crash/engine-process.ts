/** A real engine on a real file, which kills itself where its task says: what it is told is in `words.ts`, and what it says in `protocol.ts`. */
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { openSqliteLedger } from "../../../src/ledger/sqlite/ledger.ts";
import { Stepwell } from "../../../src/main/stepwell.ts";
import { asStepwellError } from "../../../src/model/errors.ts";
import { effectOperators, OpenRequests } from "./effect-operators.ts";
import { Failpoint, openFailing } from "./failing-ledger.ts";
import type { Said } from "./protocol.ts";
import { type Command, readCommand, readTask, type Task } from "./words.ts";
import { WORKFLOWS } from "./workflows.ts";

/** At once, so that what was said before a kill has been said. */
const say = (said: Said): void => void writeSync(1, `${JSON.stringify(said)}\n`);

/** Only an operator that ignores its engine needs longer. */
const GRACES = { cancelGraceMs: 2_000, stopGraceMs: 200 };

async function open({ ledger: file, sink, runs, areCommitsSlow }: Task, failpoint: Failpoint): Promise<Stepwell> {
  const requests = new OpenRequests();
  const beforeCommit = async (): Promise<void> => (areCommitsSlow ? requests.answered() : undefined);
  const ledger = await openFailing(failpoint, () => openSqliteLedger({ file, busyTimeoutMs: 10_000 }), beforeCommit);
  const operators = effectOperators(sink, failpoint, requests);
  const stepwell = new Stepwell({ ledger, operators, concurrency: { runs }, ...GRACES });
  stepwell.listen((event) => {
    if (event.type === "run.broken") say({ say: "broken", what: `${event.runId}: ${event.error.message}` });
    else if (event.type === "ledger.failed") say({ say: "broken", what: `${event.error.code}: ${event.error.message}` });
    else if (event.type !== "step.settled") say({ say: "event", type: event.type });
  });
  await stepwell.open();
  for (const definition of WORKFLOWS) await stepwell.register(definition);
  return stepwell;
}

/** What the caller gets back. */
async function obey(stepwell: Stepwell, command: Exclude<Command, { do: "stop" }>): Promise<string | null> {
  switch (command.do) {
    case "start":
      return stepwell.start(command.workflow, { key: command.key, list: ["x", "y", "z"] }, { idempotencyKey: command.key });
    case "signal":
      await stepwell.signal(command.run, command.name, command.payload, { id: command.id });
      return null;
    case "publish":
      await stepwell.publish(command.event, { order: command.order }, { id: command.id });
      return null;
    case "approve":
      await (await stepwell.tasks()).approve(command.task, { by: command.by });
      return null;
    case "work":
      return work(stepwell, command.topic);
    case "cancel":
    case "pause":
    case "resume":
      await stepwell[command.do](command.run, command.actor);
      return null;
  }
}

/** A worker that asks through this engine: takes one work item, says that it is at it, and brings it back. */
async function work(stepwell: Stepwell, topic: string): Promise<string | null> {
  const tasks = await stepwell.tasks();
  const [task] = await tasks.poll(topic, { worker: `inside ${process.pid}` });
  if (task === undefined) return null;
  await tasks.heartbeat(task.id, task.token);
  await tasks.complete(task.id, task.token, { packed: task.payload });
  return task.id;
}

async function answer(stepwell: Stepwell, command: Exclude<Command, { do: "stop" }>, failpoint: Failpoint): Promise<void> {
  const { n } = command;
  const point = command.do === "start" ? "C04" : "C21";
  try {
    const result = await obey(stepwell, command);
    failpoint.pass("before", [point]);
    say({ say: "done", n, result });
    failpoint.pass("after", [point]);
  } catch (cause) {
    say({ say: "refused", n, code: asStepwellError(cause).code });
  }
}

async function live(): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  say({ say: "warm" });
  const first = await lines.next();
  if (first.done === true) return;
  const task = readTask(first.value);
  const failpoint: Failpoint = new Failpoint(task.crash, (crash) => say({ say: "crash", crash, counts: failpoint.counts }));
  const stepwell = await open(task, failpoint);
  say({ say: "open" });
  for await (const line of lines) {
    const command = readCommand(line);
    if (command.do === "stop") {
      await failpoint.around(["C36"], () => stepwell.stop());
      break;
    }
    void answer(stepwell, command, failpoint);
  }
  say({ say: "stopped", counts: failpoint.counts });
  process.stdin.destroy();
}

await live();
