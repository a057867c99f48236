import type { Construct, Program } from "./construct.ts";
import { growLeaf, type Leaf, predictLeaf, writeWaiting } from "./leaf.ts";

/** A workflow of its own, as a child. */
interface Child extends Leaf {
  readonly kind: "child";
  readonly program: Program;
  readonly close: "cancel" | "abandon";
}

export const child: Construct<Child> = {
  kind: "child",
  weight: 1,
  atLeast: 2,
  grow: (garden) => {
    const leaf = growLeaf(garden, "child", "k");
    return { ...leaf, program: garden.program(garden.prng.between(1, 3)), close: garden.prng.pick(["cancel", "abandon"]) };
  },
  write: (node, draft, needs) => {
    const { program, close } = node;
    draft.children.set(program.name, program);
    return writeWaiting(node, draft, needs, "workflow", { name: program.name, input: "{{ input }}", close });
  },
  predict: (node, prediction, before) =>
    predictLeaf(node, prediction, before, { calls: true, failures: 1 }, () => {
      const seen = prediction.seen.child(prediction.prefix + node.id);
      if (seen === undefined) return { ok: true, output: node.program.predict(prediction.seen).output };
      if (seen.isCut) return { ok: false, reason: null };
      const { status, output } = node.program.predict(seen);
      return status === "SUCCEEDED" ? { ok: true, output } : { ok: false, reason: null };
    }),
};
