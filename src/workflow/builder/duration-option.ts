/** A number of milliseconds or a text like `200ms`, `1h30m`, `PT5M`. */
export type DurationOption = string | number;
