import { type Draft, levelsIn } from "../draft.ts";
import type { Report } from "../findings.ts";

/** Reports what is to be undone inside a block, and a policy without anything to undo. */
export function checkCompensation({ definition, root }: Draft, report: Report): void {
  const byLevel = levelsIn(root).map(({ steps }) => steps.filter(({ fields }) => fields["compensate"] !== undefined));
  for (const { path } of byLevel.slice(1).flat()) {
    const message = "A step inside a block has no `compensate`: only steps of the workflow itself are undone";
    const hint = "Put the steps into a workflow of their own and run it with `uses: workflow`, or undo them by a step behind the block.";
    report({ code: "FIELD_INVALID", path: [...path, "compensate"], key: true, message, hint });
  }
  if (definition["compensation"] === undefined || byLevel.flat().length > 0) return;
  const hint = "Say at each step what undoes it: `compensate: { uses: refund }`.";
  report({
    code: "FIELD_INVALID",
    path: ["compensation"],
    key: true,
    message: "`compensation` means nothing: no step has `compensate`",
    hint,
  });
}
