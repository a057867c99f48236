import type { Route, Routes, Shares, TenantShare } from "../placement.ts";
import { decodeRoute, decodeShare, placeOf } from "./admission-rows.ts";
import { COLD_WRITES, READS } from "./reads.ts";
import type { SqlBackend } from "./sql-backend.ts";

export function sqlShares(backend: Pick<SqlBackend, "rows" | "within">): Shares {
  return {
    list: async () => (await backend.rows(READS.shares)).map(decodeShare),
    get: async (tenant) => (await backend.rows(READS.share, tenant)).map(decodeShare)[0],
    put: ({ tenant, weight, most }: TenantShare) =>
      backend.within(function* (transaction) {
        yield* transaction.rows(COLD_WRITES.putShare, tenant, weight, most);
      }),
  };
}

export function sqlRoutes(backend: Pick<SqlBackend, "rows" | "within">): Routes {
  return {
    list: async () => (await backend.rows(READS.routes)).map(decodeRoute),
    put: (route: Route) =>
      backend.within(function* (transaction) {
        yield* transaction.rows(COLD_WRITES.putRoute, ...placeOf(route), route.group);
      }),
    remove: (match) =>
      backend.within(function* (transaction) {
        return (yield* transaction.rows(COLD_WRITES.removeRoute, ...placeOf(match))).length > 0;
      }),
  };
}
