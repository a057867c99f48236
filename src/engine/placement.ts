import { DEFAULT_GROUP, type Route } from "../ledger/placement.ts";
import type { Ledger } from "../ledger/port.ts";
import type { Clock } from "../model/clock.ts";
import type { Step } from "../workflow/graph.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import type { OperatorRegistry } from "./operators.ts";

/** How old what is known of routes and shares may be when a run is started. */
const FRESH_MS = 1_000;
/** What stands before the name of a group where a wait names what it wants: no operator is called so. */
const OF_GROUP = "@";

/** What is to be placed. */
export interface Placed {
  readonly tenant: string;
  readonly workflow: string;
  readonly topic: string | null;
}

/** Where runs and steps go: which worker group, and whether this engine serves it. */
export class Placement {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #operators: OperatorRegistry;
  /** Null: all of them. */
  readonly #groups: readonly string[] | null;
  #routes: readonly Route[] = [];
  #bounded: ReadonlySet<string> = new Set();
  /** On the monotonic clock. */
  #readAt: number | undefined;

  constructor(ledger: Ledger, clock: Clock, operators: OperatorRegistry, groups: readonly string[] | undefined) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#operators = operators;
    this.#groups = ledger.isShared ? (groups ?? null) : null;
  }

  /** The worker groups whose runs this engine drives; null: every run. */
  get groups(): readonly string[] | null {
    return this.#groups;
  }

  /** Who wants one of these is for this engine: its own operators, and its groups for steps that have a topic. */
  get offers(): readonly string[] {
    return [...this.#operators.registeredNames(), ...(this.#groups ?? []).map((group) => OF_GROUP + group)];
  }

  /** Reads the routes and the shares, unless that was just done. */
  refreshed(): MaybePromise<void> {
    const now = this.#clock.monotonic();
    if (this.#readAt !== undefined && now - this.#readAt < FRESH_MS) return undefined;
    return this.#read(now);
  }

  async #read(now: number): Promise<void> {
    const [routes, shares] = await Promise.all([this.#ledger.routes.list(), this.#ledger.shares.list()]);
    this.#readAt = now;
    this.#routes = routes;
    this.#bounded = new Set(shares.filter(({ most }) => most !== null).map(({ tenant }) => tenant));
  }

  /** The group of the route that says most about it; without one a topic is a group of its own. */
  groupOf(placed: Placed): string {
    let best: Route | undefined;
    for (const route of this.#routes) if (matches(route, placed) && (best === undefined || weightOf(route) > weightOf(best))) best = route;
    return best?.group ?? placed.topic ?? DEFAULT_GROUP;
  }

  serves(group: string): boolean {
    return this.#groups?.includes(group) ?? true;
  }

  /** Whether all runs of a tenant wait for their turn, because it may have only so many at once. */
  isBounded(tenant: string): boolean {
    return this.#bounded.has(tenant);
  }

  /** What a step wants that this engine has not: an operator, or its group; null when it has both. */
  wants(step: Step, { tenant, workflow }: Pick<Placed, "tenant" | "workflow">): string | null {
    if (step.topic !== null) {
      const group = this.groupOf({ tenant, workflow, topic: step.topic });
      if (!this.serves(group)) return OF_GROUP + group;
    }
    const uses = step.uses ?? "";
    return this.#operators.get(uses) === undefined ? uses : null;
  }

  /** Whether this engine has what a wait names. */
  has(wanted: string): boolean {
    const group = groupWanted(wanted);
    return group === null ? this.#operators.get(wanted) !== undefined : this.serves(group);
  }
}

/** The group that a wait names; null when it names an operator. */
export const groupWanted = (key: string): string | null => (key.startsWith(OF_GROUP) ? key.slice(OF_GROUP.length) : null);

const matches = (route: Route, { tenant, workflow, topic }: Placed): boolean =>
  (route.tenant ?? tenant) === tenant && (route.workflow ?? workflow) === workflow && (route.topic === null || route.topic === topic);

/** A topic says more than a workflow, and that more than a tenant. */
const weightOf = ({ tenant, workflow, topic }: Route): number =>
  (topic === null ? 0 : 4) + (workflow === null ? 0 : 2) + (tenant === null ? 0 : 1);
