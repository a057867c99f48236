/** Of runs and workers that name none. */
export const DEFAULT_GROUP = "default";

/** Of engines that name none. */
export const DEFAULT_TENANT = "default";

/** What tenants are given. Those of which nothing is said have weight 1 and no bound. */
export interface Shares {
  list(): Promise<readonly TenantShare[]>;
  get(tenant: string): Promise<TenantShare | undefined>;
  /** Counts for runs that ask for their turn from now on. */
  put(share: TenantShare): Promise<void>;
}

/** What a tenant is given. */
export interface TenantShare {
  readonly tenant: string;
  /** Of what is admitted, in proportion to the other tenants'; at least 1. */
  readonly weight: number;
  /** Runs that hold a slot at once; null: any number. */
  readonly most: number | null;
}

/** Where runs and steps go. A change counts for what is placed from then on. */
export interface Routes {
  /** Those that say most stand first. */
  list(): Promise<readonly Route[]>;
  /** A route that matches the same is replaced. */
  put(route: Route): Promise<void>;
  /** Whether there was one that matches just this. */
  remove(match: Omit<Route, "group">): Promise<boolean>;
}

/** What matches goes to workers of the group. Null matches everything. */
export interface Route {
  readonly tenant: string | null;
  readonly workflow: string | null;
  /** Of a workflow, or of a step. */
  readonly topic: string | null;
  readonly group: string;
}
