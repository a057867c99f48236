/** Where a run stands among its parents. */
export interface Lineage {
  readonly depth: number;
  readonly rootRunId: number;
}
