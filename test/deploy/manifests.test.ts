import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { runTool } from "../../scripts/tool.ts";
import { ALL_SETTINGS, variablesOf } from "../../src/cli/settings/settings.ts";
import { VERSION } from "../../src/main/version.ts";
import { parseDuration } from "../../src/model/duration.ts";
import { healthRoutes } from "../../src/server/health.ts";
import { serve } from "../fixtures/loopback-server.ts";
import { COMPOSE_FORMATS, composeSchema } from "./compose-schema.ts";
import { kubernetesSchema } from "./kubernetes-schema.ts";
import {
  composeText,
  DEPLOY,
  type Manifest,
  manifestFiles,
  manifestsOf,
  parseCompose,
  readCompose,
  readManifests,
  running,
} from "./manifests.ts";

const manifests = readManifests();
const workloads = running(manifests);
const ours = workloads.filter(({ container }) => container.image.startsWith("stepwell"));
const compose = readCompose();
const composed = Object.entries(compose.services);
const ourServices = composed.filter(([, { image }]) => image.startsWith("stepwell"));

const variables: ReadonlySet<string> = new Set(Object.entries(ALL_SETTINGS).flatMap(([name, setting]) => variablesOf(name, setting)));
/** Between the end of the grace and that of the process: answers on their way, connections, the thread of the heartbeat. */
const AFTER_GRACE_MS = 5_000;

const Labels = z.record(z.string(), z.string());
const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { ...COMPOSE_FORMATS } });
const isCompose = ajv.compile(composeSchema());

/** What a schema says against a document. */
function problemsOf({ apiVersion, kind, document }: Pick<Manifest, "apiVersion" | "kind" | "document">): readonly string[] {
  const validate = ajv.compile(kubernetesSchema(apiVersion, kind));
  validate(document);
  return (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
}

/** Answers with 200 where a process of ours says how it is. */
async function statusOf(path: string): Promise<number> {
  await using server = await serve(healthRoutes({ live: () => ({}), unready: () => Promise.resolve(undefined) }));
  return (await fetch(`${server.url}${path}`)).status;
}

describe("the manifests of Kubernetes", () => {
  const resources = manifests.filter(({ kind }) => kind !== "Kustomization");

  test.each(resources)("$file: $kind $name is valid by its schema", (manifest) => {
    expect(problemsOf(manifest)).toStrictEqual([]);
  });

  test.each([
    ["an unknown field", "readinessProbe:", "readynessProbe:", "additional properties"],
    ["a value of the wrong type", "replicas: 2", "replicas: two", "must be integer"],
    ["a field that is missing", "maxSkew: 1", "minDomains: 1", "must have required property 'maxSkew'"],
    ["a quantity that is none", "memory: 256Mi", "memory: 256MB", "must match pattern"],
  ])("%s is found out", (_what, correct, wrong, message) => {
    const text = readFileSync(join(DEPLOY, "kubernetes", "workers.yaml"), "utf8");
    expect(text).toContain(correct);
    const found = manifestsOf(text.replace(correct, wrong), "workers.yaml").flatMap(problemsOf);
    expect(found.join("\n")).toContain(message);
  });

  test("are all applied, in no namespace of their own", () => {
    for (const folder of ["", "trial/"]) {
      const list = manifests.find(({ file }) => file === `${folder}kustomization.yaml`)?.document;
      const { resources: named } = z.looseObject({ resources: z.array(z.string()) }).parse(list);
      const there = manifestFiles().filter(
        (file) => dirname(`/${file}`) === `/${folder}`.replace(/(?<=.)\/$/, "") && !file.endsWith("kustomization.yaml"),
      );
      expect(named.map((file) => `${folder}${file}`).toSorted()).toStrictEqual(there);
    }
    const names = resources.map(({ document }) => z.looseObject({ metadata: z.looseObject({}) }).parse(document).metadata);
    expect(names.filter((metadata) => "namespace" in metadata)).toStrictEqual([]);
  });

  test("have selectors that match the labels of their pods, and of no others", () => {
    for (const { kind, pods, name } of workloads.filter((each) => each.kind !== "Job")) {
      const { labels } = pods.template.metadata;
      expect([kind, name, pods.selector?.matchLabels]).toStrictEqual([kind, name, labels]);
      for (const { labelSelector } of pods.template.spec.topologySpreadConstraints) expect(labelSelector.matchLabels).toStrictEqual(labels);
      expect(workloads.filter((other) => isDeepStrictEqual(other.pods.template.metadata.labels, labels))).toHaveLength(1);
    }
  });

  test("have Services that lead to a port of a container, and budgets for each Deployment", () => {
    const Service = z.looseObject({
      spec: z.looseObject({ selector: Labels, ports: z.array(z.object({ name: z.string(), port: z.number(), targetPort: z.string() })) }),
    });
    for (const { name, document } of manifests.filter(({ kind }) => kind === "Service")) {
      const { selector, ports } = Service.parse(document).spec;
      const behind = workloads.filter(({ pods }) => isDeepStrictEqual(pods.template.metadata.labels, selector));
      expect([name, behind.length]).toStrictEqual([name, 1]);
      for (const { port, targetPort } of ports)
        expect(behind[0]?.container.ports).toContainEqual({ name: targetPort, containerPort: port });
    }
    const Budget = z.looseObject({ spec: z.looseObject({ selector: z.object({ matchLabels: Labels }) }) });
    const budgets = manifests
      .filter(({ kind }) => kind === "PodDisruptionBudget")
      .map(({ document }) => Budget.parse(document).spec.selector.matchLabels);
    for (const { pods } of workloads.filter(({ kind }) => kind === "Deployment"))
      expect(budgets).toContainEqual(pods.template.metadata.labels);
    for (const { pods, kind } of workloads.filter((each) => each.kind === "StatefulSet"))
      expect([kind, manifests.filter((each) => each.kind === "Service" && each.name === pods.serviceName)]).toHaveLength(2);
  });

  test("probe what a process answers, on the port where it listens", async () => {
    const probed = ours.filter(({ kind }) => kind === "Deployment");
    expect(probed.map(({ name }) => name).toSorted()).toStrictEqual(["stepwell-server", "stepwell-worker"]);
    for (const { container } of probed) {
      const [port] = container.ports;
      const said = container.env.find(({ name }) => name === (container.args[0] === "server" ? "STEPWELL_PORT" : "STEPWELL_HEALTH_PORT"));
      expect(said?.value).toBe(String(port?.containerPort));
      expect(container.livenessProbe?.httpGet).toStrictEqual({ path: "/healthz", port: port?.name });
      expect(container.readinessProbe?.httpGet).toStrictEqual({ path: "/readyz", port: port?.name });
      for (const probe of [container.livenessProbe, container.readinessProbe]) {
        expect(await statusOf(probe?.httpGet?.path ?? "")).toBe(200);
        // a ledger that does not answer is reported after three
        expect(probe?.timeoutSeconds).toBeGreaterThan(3);
      }
    }
  });

  test("kill a worker for its silence no sooner than others take its runs over", () => {
    const leaseMs = ALL_SETTINGS["lease"]?.fallback;
    for (const { container } of ours.filter(({ kind }) => kind === "Deployment")) {
      const { periodSeconds = 0, failureThreshold = 0 } = container.livenessProbe ?? {};
      expect(periodSeconds * failureThreshold * 1_000).toBeGreaterThan(5 * Number(leaseMs));
    }
  });

  test("give every container as little as it needs", () => {
    for (const { container, pods, name } of workloads) {
      const { spec } = pods.template;
      expect([name, spec.securityContext]).toStrictEqual([
        name,
        expect.objectContaining({ runAsNonRoot: true, runAsUser: expect.any(Number), seccompProfile: { type: "RuntimeDefault" } }),
      ]);
      expect(container.securityContext).toStrictEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect([spec.automountServiceAccountToken, spec.enableServiceLinks]).toStrictEqual([false, false]);
      expect(Object.keys(container.resources.requests)).toStrictEqual(["cpu", "memory"]);
      expect(container.resources.limits["memory"]).toBeDefined();
      const volumes = [...spec.volumes.map((volume) => volume.name), ...pods.volumeClaimTemplates.map(({ metadata }) => metadata.name)];
      expect(container.volumeMounts.map((mount) => mount.name).toSorted()).toStrictEqual(volumes.toSorted());
    }
  });

  test("take the ledger from a Secret, and the rest from settings that there are", () => {
    const configuration = manifests.find(({ kind }) => kind === "ConfigMap");
    const { data } = z.looseObject({ data: z.record(z.string(), z.string()) }).parse(configuration?.document);
    for (const { container, name } of ours) {
      for (const { configMapRef } of container.envFrom) expect(configMapRef.name).toBe(configuration?.name);
      const said = [...container.env.map((each) => each.name), ...(container.envFrom.length > 0 ? Object.keys(data) : [])];
      expect([name, said.filter((variable) => !variables.has(variable))]).toStrictEqual([name, []]);
      expect(new Set(said).size).toBe(said.length);
      const ledger = container.env.find((each) => each.name === "STEPWELL_LEDGER");
      expect(ledger?.valueFrom?.secretKeyRef).toStrictEqual({ name: "stepwell", key: "ledger" });
    }
    for (const { container } of ours.filter(({ kind }) => kind === "Deployment")) {
      const queue = container.env.find((each) => each.name === "STEPWELL_QUEUE");
      expect(queue?.valueFrom?.secretKeyRef).toStrictEqual({ name: "stepwell", key: "queue", optional: true });
    }
    expect(manifests.filter(({ kind }) => kind === "Secret")).toStrictEqual([]);
  });

  test("leave a process longer to end than its grace", () => {
    const configuration = manifests.find(({ kind }) => kind === "ConfigMap");
    const { data } = z.looseObject({ data: z.object({ STEPWELL_GRACE: z.string() }) }).parse(configuration?.document);
    for (const { container, pods } of ours.filter(({ kind }) => kind === "Deployment")) {
      const pauseSeconds = container.lifecycle?.preStop.sleep.seconds ?? 0;
      const leftMs = ((pods.template.spec.terminationGracePeriodSeconds ?? 0) - pauseSeconds) * 1_000;
      expect(leftMs).toBeGreaterThanOrEqual(parseDuration(data.STEPWELL_GRACE) + AFTER_GRACE_MS);
    }
  });

  test("run the image of this version, and migrate once for each", () => {
    expect(new Set(ours.map(({ container }) => container.image))).toStrictEqual(new Set([`stepwell:${VERSION}`]));
    expect(ours.filter(({ kind }) => kind === "Job").map(({ name }) => name)).toStrictEqual([`stepwell-migrate-${VERSION}`]);
    const kustomization = manifests.find(({ file }) => file === "kustomization.yaml")?.document;
    expect(kustomization).toMatchObject({ images: [{ name: "stepwell", newTag: VERSION }] });
  });
});

describe("deploy/docker-compose.yml", () => {
  test("is valid by the schema of the Compose Specification", () => {
    isCompose(parseCompose(composeText));
    expect(isCompose.errors).toBeNull();
  });

  test.each([
    ["an unknown field", "read_only: true", "readonly: true"],
    ["a duration that is none", "stop_grace_period: 45s", "stop_grace_period: soon"],
    ["a port that is none", "127.0.0.1:8000:8000", "127.0.0.1:http"],
  ])("%s is found out", (_what, correct, wrong) => {
    expect(composeText).toContain(correct);
    expect(isCompose(parseCompose(composeText.replace(correct, wrong)))).toBe(false);
  });

  test("has a server, two workers, PostgreSQL, Redis, and a migration before them", () => {
    expect(Object.keys(compose.services)).toStrictEqual(["server", "worker", "migrate", "postgres", "redis"]);
    expect(compose.services["worker"]?.deploy?.replicas).toBe(2);
    for (const [name, { depends_on: needs, image }] of ourServices) {
      const rest = { redis: { condition: "service_healthy" }, migrate: { condition: "service_completed_successfully" } };
      expect(needs).toStrictEqual({ postgres: { condition: "service_healthy" }, ...(name === "migrate" ? {} : rest) });
      expect(image).toBe(`stepwell:${VERSION}`);
    }
    for (const [, { depends_on: needs }] of composed)
      expect(Object.keys(needs).filter((need) => !(need in compose.services))).toStrictEqual([]);
    const volumes = composed.flatMap(([, service]) => service.volumes.map((volume) => volume.split(":", 1).join("")));
    expect(volumes.toSorted()).toStrictEqual(Object.keys(compose.volumes).toSorted());
  });

  test("has its queue on that Redis", () => {
    for (const [, { environment }] of ourServices) {
      const { username, password, hostname, port } = new URL(environment["STEPWELL_QUEUE"]?.replace("${REDIS_PASSWORD:?}", "secret") ?? "");
      expect([username, password, compose.services[hostname]?.image, port]).toStrictEqual([
        "default",
        "secret",
        "redis:8-bookworm",
        "6379",
      ]);
    }
  });

  test("asks for the health that a process answers, where it listens", async () => {
    for (const [name, variable] of [
      ["server", "STEPWELL_PORT"],
      ["worker", "STEPWELL_HEALTH_PORT"],
    ] as const) {
      const service = compose.services[name];
      const url = new URL(/fetch\('([^']+)'\)/.exec(service?.healthcheck?.test.join(" ") ?? "")?.[1] ?? "");
      expect(url.port).toBe(service?.environment[variable]);
      expect(url.pathname).toBe("/readyz");
      expect(await statusOf(url.pathname)).toBe(200);
    }
  });

  test("asks for it so that an unhealthy process is told from a healthy one", async () => {
    const check = compose.services["worker"]?.healthcheck?.test ?? [];
    for (const status of [200, 503]) {
      await using server = await serve((_request, response) => response.writeHead(status).end());
      const script = check.at(-1)?.replace(/http:\/\/127\.0\.0\.1:\d+/, server.url) ?? "";
      expect(check.slice(0, 3)).toStrictEqual(["CMD", "node", "-e"]);
      const { exitCode } = await runTool(["node", "-e", script], "collect");
      expect(exitCode).toBe(status === 200 ? 0 : 1);
    }
  });

  test("says settings that there are, and leaves a process longer to end than its grace", () => {
    for (const [name, { environment, stop_grace_period: stopGrace }] of ourServices) {
      expect([name, Object.keys(environment).filter((variable) => !variables.has(variable))]).toStrictEqual([name, []]);
      expect(parseDuration(stopGrace)).toBeGreaterThanOrEqual(parseDuration(environment["STEPWELL_GRACE"] ?? "") + AFTER_GRACE_MS);
    }
  });

  test("knows no password, and does not start without", () => {
    const passwords = composed.flatMap(([, { environment }]) =>
      Object.entries(environment).filter(([name]) => /PASSWORD|LEDGER|QUEUE/.test(name)),
    );
    expect(passwords.length).toBeGreaterThanOrEqual(4);
    expect(passwords.filter(([, value]) => !/\$\{[A-Z_]+:\?[^}]*\}/.test(value))).toStrictEqual([]);
    expect(composed.flatMap(([, { ports }]) => ports).filter((port) => !port.startsWith("127.0.0.1:"))).toStrictEqual([]);
  });

  test("gives our processes as little as they need", () => {
    for (const [, service] of ourServices)
      expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"], tmpfs: ["/tmp"] });
  });
});

describe("Redis, wherever it runs", () => {
  test("never throws away a job to make room", () => {
    const commands = [
      compose.services["redis"]?.command?.join(" "),
      workloads.find(({ name }) => name === "redis")?.container.args.join(" "),
    ];
    for (const command of commands) expect(command).toContain("--maxmemory-policy noeviction");
  });
});
