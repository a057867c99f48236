import { StepwellError } from "../../src/model/errors.ts";
import { Asking } from "./ask.ts";
import type { TaskTrack } from "./oracle/task-log.ts";
import { APPROVER } from "./programs/approval.ts";
import type { PlannedTask } from "./programs/construct.ts";
import type { Prng } from "./time/prng.ts";
import type { World } from "./world.ts";

const TENANT = "default";
const AGAIN_MS = 400;
const STRANGER = "eve";
/** When a person looks at a request: at once, soon, late, long after. */
const MOMENTS_MS = [0, 0, 5, 60, 700, 4_000, 25_000] as const;

type PlannedApproval = Extract<PlannedTask, { readonly type: "approval" }>;
/** What a person heard at last. */
type Answer = "done" | "TASK_CLOSED" | "TASK_EXPIRED" | "TASK_FORBIDDEN";

interface Verdict {
  readonly isApproved: boolean;
  readonly by: string;
  readonly isElsewhere: boolean;
}

/** Those who decide approvals: early, late, twice, against what was decided, and without being asked. */
export class People {
  /** Decisions that are still to come. */
  busy = 0;
  readonly #world: World;
  readonly #prng: Prng;
  readonly #asking: Asking;

  constructor(world: World) {
    this.#world = world;
    this.#prng = world.aside.fork();
    this.#asking = new Asking(world, { final: ["TASK_CLOSED", "TASK_EXPIRED", "TASK_FORBIDDEN"] });
  }

  /** An approval is durable: whoever is to decide it will. */
  attend(task: TaskTrack, plan: PlannedApproval): void {
    if (!plan.isDecided) return;
    const copies = this.#prng.chance(0.2) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.busy += 1;
      this.#world.kernel.after(this.#prng.pick(MOMENTS_MS) + this.#prng.int(50), null, () => {
        void this.#decide(task, plan).finally(() => {
          this.busy -= 1;
        });
      });
    }
  }

  async #decide(task: TaskTrack, plan: PlannedApproval): Promise<void> {
    const { log } = this.#world;
    const { isApproved, isNamed } = plan;
    if (isNamed && this.#prng.chance(0.3)) {
      const heard = await this.#say(task, { isApproved, by: STRANGER, isElsewhere: false });
      if (heard !== "TASK_FORBIDDEN") log.violated("P12", `${task.where} told a stranger ${heard}`);
    }
    const heard = await this.#say(task, { isApproved, by: APPROVER, isElsewhere: this.#prng.chance(0.3) });
    if (heard === "done" && task.status !== "DONE")
      log.violated("P1", `the decision of ${task.where} was acknowledged before it was durable`);
    if (heard === "TASK_CLOSED" && task.status !== "DONE" && task.status !== "CANCELLED")
      log.violated("P12", `${task.where} refused a decision while it was ${task.status}`);
    if (heard === "TASK_EXPIRED" && task.expiresAt === null) log.violated("P12", `${task.where} cannot expire, and did`);
    if (heard !== "done" || !this.#prng.chance(0.3)) return;
    const against = await this.#say(task, { isApproved: !isApproved, by: APPROVER, isElsewhere: this.#prng.chance(0.3) });
    if (against !== "TASK_CLOSED") log.violated("P12", `${task.where} was decided, and told who decided again ${against}`);
  }

  /** Says it until there is an answer. */
  async #say(task: TaskTrack, verdict: Verdict): Promise<Answer> {
    for (;;) {
      try {
        if ((await this.#tell(task, verdict)) !== undefined) return "done";
      } catch (error) {
        return refusalOf(error);
      }
      await this.#world.kernel.sleep(this.#prng.between(1, AGAIN_MS));
    }
  }

  #tell({ publicId }: TaskTrack, { isApproved, by, isElsewhere }: Verdict): Promise<unknown> {
    if (!isElsewhere)
      return this.#asking.engine(({ engine: { tasks } }) =>
        isApproved ? tasks.approve(publicId, { by }) : tasks.reject(publicId, { by }),
      );
    const entry = { tenant: TENANT, publicId, isApproved, actor: by, comment: null, form: null };
    return this.#asking.elsewhere(({ ledger }) => ledger.tasks.decide(entry));
  }
}

function refusalOf(error: unknown): Exclude<Answer, "done"> {
  const code = error instanceof StepwellError ? error.code : "";
  if (code === "TASK_CLOSED" || code === "TASK_EXPIRED" || code === "TASK_FORBIDDEN") return code;
  throw error;
}
