import type { Route, TenantShare } from "../ledger/placement.ts";
import type { Ledger } from "../ledger/port.ts";
import { StepwellError } from "../model/errors.ts";
import { LIMITS } from "../model/limits.ts";

/** What a route matches; null, or nothing, matches everything. */
export interface RouteMatch {
  readonly tenant?: string | null;
  readonly workflow?: string | null;
  readonly topic?: string | null;
}

/** Where runs and steps go, and what tenants are given. A change counts for what is placed from then on, in other processes a second later. */
export class PlacementCommands {
  readonly #ledger: Pick<Ledger, "routes" | "shares">;

  constructor(ledger: Pick<Ledger, "routes" | "shares">) {
    this.#ledger = ledger;
  }

  /** Those that say most stand first: a topic says more than a workflow, and that more than a tenant. */
  routes(): Promise<readonly Route[]> {
    return this.#ledger.routes.list();
  }

  /**
   * Sends what matches to workers of a group; a route that matches the same is replaced. Runs that are there stay where they are.
   *
   * @throws StepwellError `USAGE` for a name that no group can have
   */
  async route(match: RouteMatch, group: string): Promise<void> {
    refuseName("group", group);
    await this.#ledger.routes.put({ ...matchOf(match), group });
  }

  /** Whether there was a route that matches just this. */
  unroute(match: RouteMatch): Promise<boolean> {
    return this.#ledger.routes.remove(matchOf(match));
  }

  /** Of tenants of which something is said. */
  shares(): Promise<readonly TenantShare[]> {
    return this.#ledger.shares.list();
  }

  /**
   * Gives a tenant a share: how much of what is admitted, in proportion to the others' weights, and how many runs at once.
   *
   * @param most null: any number
   * @throws StepwellError `USAGE` for a weight or a bound that is no whole number from 1
   */
  async share(tenant: string, weight: number, most: number | null): Promise<void> {
    refuseName("tenant", tenant);
    refuseCount("weight", weight);
    if (most !== null) refuseCount("bound", most);
    await this.#ledger.shares.put({ tenant, weight, most });
  }
}

function matchOf({ tenant = null, workflow = null, topic = null }: RouteMatch): Omit<Route, "group"> {
  for (const [what, name] of Object.entries({ tenant, workflow, topic })) if (name !== null) refuseName(what, name);
  return { tenant, workflow, topic };
}

function refuseName(what: string, name: string): void {
  if (name !== "" && name.length <= LIMITS.idLength && !/[\p{Cc},\s]/u.test(name)) return;
  throw new StepwellError("USAGE", `the name of a ${what} has 1 to ${LIMITS.idLength} characters, without blanks and commas`);
}

function refuseCount(what: string, count: number): void {
  if (Number.isSafeInteger(count) && count >= 1 && count <= LIMITS.runsPerLimit) return;
  throw new StepwellError("USAGE", `a ${what} is a whole number from 1 to ${LIMITS.runsPerLimit}`, {
    hint:
      what === "bound"
        ? "To give a tenant nothing, stop its starts; without a bound it may have any number."
        : "1 is what every tenant has.",
  });
}
