import { type Call, growCall, predictCall, ranWith, writeCall } from "./call.ts";
import type { Construct, Expected, Node, Passed } from "./construct.ts";
import { flag } from "./input.ts";
import { notRun, passedBy, refused } from "./join.ts";
import { record } from "./leaf.ts";

interface Case {
  readonly holds: boolean;
  readonly target: Call;
}

/** A switch, the calls that it selects from, and a call that goes on with whichever ran. */
interface Choice extends Node {
  readonly kind: "choice";
  readonly id: string;
  readonly mode: "exclusive" | "inclusive";
  readonly cases: readonly Case[];
  readonly otherwise: Call | null;
  readonly after: Call;
}

export const choice: Construct<Choice> = {
  kind: "choice",
  weight: 2,
  atLeast: 4,
  grow: (garden) => {
    garden.left -= 1;
    const { prng } = garden;
    return {
      kind: "choice",
      id: garden.newId("s"),
      mode: prng.pick(["exclusive", "inclusive"]),
      cases: Array.from({ length: prng.between(1, 2) }, () => ({ holds: prng.chance(0.5), target: growCall(garden) })),
      otherwise: prng.chance(0.5) ? growCall(garden) : null,
      // under `all` it could never run after an exclusive switch, which the validator refuses
      after: { ...growCall(garden), join: prng.pick(["some", "settled"]) },
    };
  },
  write: ({ id, mode, cases, otherwise, after }, draft, needs) => {
    const entries = cases.map(({ holds, target }, index) => ({ when: flag(holds, index), then: [target.id] }));
    const last = otherwise === null ? [] : [{ otherwise: [otherwise.id] }];
    draft.steps.set(id, { switch: [...entries, ...last], mode, ...(needs.length > 0 ? { needs: [...needs] } : {}) });
    const targets = targetsOf({ cases, otherwise });
    for (const target of targets) writeCall(target, draft, []);
    return writeCall(
      after,
      draft,
      targets.map((target) => target.id),
    );
  },
  predict: (node, prediction, before) => {
    const { id, cases, otherwise, after } = node;
    const selected = selectedBy(node);
    const output = { selected: selected.map((target) => target.id) };
    const end: Expected = refused("some", before, false) ?? { status: "SUCCEEDED", reason: null, output, calls: false, failures: 0 };
    record({ id, onError: "fail" }, prediction, end);
    const switched = passedBy(id, end, false);
    const passed = targetsOf({ cases, otherwise }).flatMap((target): readonly Passed[] => {
      // a switch speaks before the data, and its target needs nothing else
      if (switched.counts === "F" && target.join !== "settled") return record(target, prediction, notRun("CANCELLED", "needs_failed"));
      const isSelected = switched.counts === "S" && selected.includes(target);
      return record(target, prediction, isSelected ? ranWith(target, prediction, []) : notRun("SKIPPED", "branch"));
    });
    return predictCall(after, prediction, passed);
  },
};

function targetsOf({ cases, otherwise }: Pick<Choice, "cases" | "otherwise">): readonly Call[] {
  return [...cases.map(({ target }) => target), ...(otherwise === null ? [] : [otherwise])];
}

function selectedBy({ mode, cases, otherwise }: Choice): readonly Call[] {
  const holding = cases.filter(({ holds }) => holds).map(({ target }) => target);
  if (holding.length === 0) return otherwise === null ? [] : [otherwise];
  return mode === "exclusive" ? holding.slice(0, 1) : holding;
}
