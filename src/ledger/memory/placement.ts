import type { Routes, Shares } from "../placement.ts";
import { decodeRoute, decodeShare, placeOf } from "../sql/admission-rows.ts";
import type { MemoryRow, MemoryTables } from "./tables.ts";

type Writing = <T>(work: () => T) => T;

export function memoryShares(tables: MemoryTables, write: Writing): Shares {
  return {
    list: async () => [...tables.all("tenant_share")].map(decodeShare).toSorted((a, b) => (a.tenant < b.tenant ? -1 : 1)),
    get: async (tenant) => tables.find("tenant_share", { tenant }).map(decodeShare)[0],
    put: async (share) => write(() => put(tables, "tenant_share", { tenant: share.tenant }, { ...share })),
  };
}

export function memoryRoutes(tables: MemoryTables, write: Writing): Routes {
  const keyOf = (match: Parameters<Routes["remove"]>[0]): MemoryRow => {
    const [tenant, workflow, topic] = placeOf(match);
    return { tenant, workflow, topic };
  };
  return {
    list: async () => [...tables.all("route")].toSorted(byPlace).map(decodeRoute),
    put: async (route) => write(() => put(tables, "route", keyOf(route), { ...keyOf(route), worker_group: route.group })),
    remove: async (match) =>
      write(() => {
        const [stored] = tables.find("route", keyOf(match));
        if (stored !== undefined) tables.remove("route", stored);
        return stored !== undefined;
      }),
  };
}

function put(tables: MemoryTables, table: "tenant_share" | "route", key: MemoryRow, row: MemoryRow): void {
  const [stored] = tables.find(table, key);
  if (stored === undefined) tables.insert(table, row);
  else tables.update(table, stored, row);
}

/** As the statement orders them. */
function byPlace(a: MemoryRow, b: MemoryRow): number {
  for (const column of ["topic", "workflow", "tenant"]) {
    const [left, right] = [String(a[column]), String(b[column])];
    if (left !== right) return left > right ? -1 : 1;
  }
  return 0;
}
