/** A JSON value as RFC 8259 defines it: finite numbers, no undefined, no functions. */
export type Json = null | boolean | number | string | JsonList | JsonObject;
type JsonList = readonly Json[];
export interface JsonObject {
  readonly [key: string]: Json;
}
