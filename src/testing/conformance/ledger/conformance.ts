import { describe } from "vitest";
import { describeAdmission } from "./admission.ts";
import { describeCommits } from "./commits.ts";
import { describeEvents } from "./events.ts";
import { describeInbox } from "./inbox.ts";
import type { MakeLedger } from "./kit.ts";
import { describeOwnership } from "./ownership.ts";
import { describeReads } from "./reads.ts";
import { describeRecovery } from "./recovery.ts";
import { describeReopening } from "./reopening.ts";
import { describeRetention } from "./retention.ts";
import { describeRuns } from "./runs.ts";
import { describeScopes } from "./scopes.ts";
import { describeSharedOwners } from "./shared-owners.ts";
import { describeSoleOwner } from "./sole-owner.ts";
import { describeSteps } from "./steps.ts";
import { describeApprovals, describeWork } from "./tasks.ts";
import { describeVersions } from "./versions.ts";
import { describeWaits } from "./waits.ts";

/** What every ledger must do, whatever stores it; `isShared` as the ledger says of itself. */
export function describeLedgerConformance(name: string, make: MakeLedger, { isShared }: { readonly isShared: boolean }): void {
  describe(`${name} ledger`, () => {
    describeVersions(make);
    describeRuns(make);
    describeSteps(make);
    describeCommits(make);
    describeInbox(make);
    describeScopes(make);
    describeWaits(make);
    describeEvents(make);
    describeApprovals(make);
    describeWork(make);
    describeReopening(make);
    describeRetention(make);
    describeAdmission(make);
    describeOwnership(make);
    if (isShared) describeSharedOwners(make);
    else describeSoleOwner(make);
    describeReads(make);
    describeRecovery(make);
  });
}
