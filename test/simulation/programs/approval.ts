import type { Construct } from "./construct.ts";
import { growLeaf, type Leaf, type LeafEnd, predictLeaf, writeWaiting } from "./leaf.ts";
import { type Bound, boundEnd, boundIn, growBound } from "./signal.ts";

/** A step that asks a person. */
interface Approval extends Leaf, Bound {
  readonly kind: "approval";
  readonly isApproved: boolean;
  readonly onReject: "fail" | "continue";
  /** One person alone may decide. */
  readonly isNamed: boolean;
}

export const APPROVER = "ann";

export const approval: Construct<Approval> = {
  kind: "approval",
  weight: 2,
  atLeast: 1,
  since: 2,
  grow: (garden) => {
    const { prng } = garden;
    const leaf = growLeaf(garden, "approval", "a");
    const bound = growBound(garden);
    const isApproved = prng.chance(0.6);
    return { ...leaf, ...bound, isApproved, onReject: prng.pick(["fail", "continue"]), isNamed: prng.chance(0.5) };
  },
  write: (node, draft, needs) => {
    const { id, isApproved, isSent, onReject, isNamed } = node;
    draft.tasks.set(draft.prefix + id, { type: "approval", isDecided: isSent, isApproved, isNamed });
    const assigned = isNamed ? { assignees: [APPROVER] } : {};
    return writeWaiting(node, draft, needs, "approval", { title: id, onReject, ...assigned, ...boundIn(node, "expires") });
  },
  predict: (node, prediction, before) =>
    predictLeaf(node, prediction, before, { calls: true, failures: 1 }, () => boundEnd(node, prediction) ?? decidedEnd(node)),
};

function decidedEnd({ isApproved, onReject }: Approval): LeafEnd {
  if (!isApproved && onReject === "fail") return { ok: false, reason: null };
  return { ok: true, output: { approved: isApproved, by: APPROVER, comment: null, form: null } };
}
