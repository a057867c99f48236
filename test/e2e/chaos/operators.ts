/** What workers under chaos do: the module of `stepwell worker --operators`. */
import { chaosOperators } from "./effects.ts";

export const { effect, large, fails, obedient } = chaosOperators(process.env["CHAOS_SINK"] ?? "");
