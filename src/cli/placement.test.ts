import { describe, expect, test } from "vitest";
import { Workspace } from "../../test/fixtures/cli-process.ts";

const FILES = {
  "say.yaml": "name: say\nsteps:\n  say: { uses: log, with: { message: hello } }\n",
  "limited.yaml": "name: limited\nconcurrency: 1\nsteps:\n  go: { uses: log, with: { message: hello } }\n",
};

async function outputOf(place: Workspace, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await place.run(args);
  expect([exitCode, stderr]).toStrictEqual([0, ""]);
  return stdout;
}

describe("stepwell routes", () => {
  test("are set, listed with those that say most first, and removed", async () => {
    using place = new Workspace(FILES);
    await place.run(["run", "say.yaml"]);
    expect(await outputOf(place, "routes", "list")).toBe(
      "No routes: runs and steps with a topic go to the group of that name, others to default\n",
    );
    await outputOf(place, "routes", "set", "big", "--tenant", "acme", "--workflow", "render");
    expect(await outputOf(place, "routes", "set", "pool", "--topic", "gpu")).toBe(
      "topic gpu goes to group pool from now on; what is there stays where it is\n",
    );
    await outputOf(place, "routes", "set", "gpu-pool", "--topic", "gpu");
    expect(await outputOf(place, "routes", "list")).toBe(
      "TOPIC  WORKFLOW  TENANT  GROUP\ngpu    any       any     gpu-pool\nany    render    acme    big\n",
    );
    expect(JSON.parse(await outputOf(place, "routes", "list", "--json"))).toMatchObject({ routes: [{ topic: "gpu", tenant: null }, {}] });
    await outputOf(place, "routes", "remove", "--topic", "gpu");
    expect(await place.run(["routes", "remove", "--topic", "gpu"])).toMatchObject({
      exitCode: 1,
      stdout: "There is no route that matches just topic gpu\n",
    });
  });

  test("with a name that no group can have are refused in one line", async () => {
    using place = new Workspace(FILES);
    await place.run(["run", "say.yaml"]);
    const { exitCode, stderr } = await place.run(["routes", "set", "a,b", "--topic", "gpu"]);
    expect([exitCode, stderr.split("\n")[0]]).toStrictEqual([
      2,
      "stepwell: USAGE: the name of a group has 1 to 128 characters, without blanks and commas",
    ]);
  });
});

describe("stepwell tenants", () => {
  test("are given shares, which are listed; a bound of zero is refused", async () => {
    using place = new Workspace(FILES);
    await place.run(["run", "say.yaml"]);
    expect(await outputOf(place, "tenants", "list")).toBe("Every tenant has weight 1, and may have any number of runs at once\n");
    expect(await outputOf(place, "tenants", "set", "acme", "--weight", "3", "--most", "50")).toBe(
      "acme has weight 3 and at most 50 runs at once, for what asks for its turn from now on\n",
    );
    await outputOf(place, "tenants", "set", "beta");
    expect(await outputOf(place, "tenants", "list")).toBe("TENANT  WEIGHT  MOST\nacme         3    50\nbeta         1   any\n");
    expect((await place.run(["tenants", "set", "acme", "--most", "0"])).exitCode).toBe(2);
  });
});

test("S0-12 a run that is left to others has the limits of its workflow", async () => {
  using place = new Workspace(FILES);
  const ids: string[] = [];
  for (let count = 0; count < 2; count++) {
    const { id } = JSON.parse(await outputOf(place, "run", "limited.yaml", "--detach", "--json"));
    ids.push(id);
  }
  expect(await outputOf(place, "explain", ids[1] ?? "")).toContain("is in the queue");
});
