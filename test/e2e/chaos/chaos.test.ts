import { expect, test } from "vitest";
import { needOwnPostgres } from "../../fixtures/postgres/database.ts";
import { withChaosPlace } from "./place.ts";
import { runRound } from "./round.ts";
import { Tally } from "./tally.ts";
import { PRESENT } from "./versions.ts";

const SEED = 20_262;
/** The whole of it is in `npm run chaos`; this shows that nothing is wrong with it. */
const ROUND_MS = 10_000;
const TIMEOUT_MS = 300_000;

test(
  "S0-14 P1 P2 P3 P5 P15 P16 whatever workers, clocks, network and server suffer during an upgrade, nothing is lost, repeated, early or written by a fenced worker",
  async (context) => {
    needOwnPostgres(context);
    const tally = new Tally(SEED);
    const finding = await withChaosPlace((place) => runRound(SEED, place, ROUND_MS));
    const wrong = tally.add(finding);
    process.stdout.write(`${String(tally)}\n`);
    expect(wrong).toEqual([]);
    expect([...finding.beside.keys()].toSorted()).toEqual([PRESENT.name, "next"]);
  },
  TIMEOUT_MS,
);
