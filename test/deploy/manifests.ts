import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import { repositoryRoot } from "../../scripts/tool.ts";

export const DEPLOY = join(repositoryRoot, "deploy");
const KUBERNETES = join(DEPLOY, "kubernetes");

/** One YAML document of a file. */
export interface Manifest {
  /** Relative to deploy/kubernetes. */
  readonly file: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly document: unknown;
}

const Head = z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata: z.looseObject({ name: z.string() }).optional() });

export function manifestFiles(): readonly string[] {
  return globSync("**/*.yaml", { cwd: KUBERNETES })
    .map((file) => file.replaceAll("\\", "/"))
    .toSorted();
}

/** All that is in a text; a mistake of YAML is an error. */
export function manifestsOf(text: string, file: string): readonly Manifest[] {
  return parseAllDocuments(text, { uniqueKeys: true, strict: true }).map((parsed) => {
    if (!("contents" in parsed)) throw new Error(`${file} is empty`);
    const [error] = parsed.errors;
    if (error !== undefined) throw new Error(`${file}: ${error.message}`);
    const document: unknown = parsed.toJS();
    const { apiVersion, kind, metadata } = Head.parse(document);
    return { file, apiVersion, kind, name: metadata?.name ?? "", document };
  });
}

export function readManifests(): readonly Manifest[] {
  return manifestFiles().flatMap((file) => manifestsOf(readFileSync(join(KUBERNETES, file), "utf8"), file));
}

const Environment = z.array(
  z.object({
    name: z.string(),
    value: z.string().optional(),
    valueFrom: z
      .object({ secretKeyRef: z.strictObject({ name: z.string(), key: z.string(), optional: z.boolean().optional() }) })
      .optional(),
  }),
);
const Probe = z.looseObject({
  httpGet: z.object({ path: z.string(), port: z.string() }).optional(),
  tcpSocket: z.object({ port: z.string() }).optional(),
  periodSeconds: z.number(),
  timeoutSeconds: z.number(),
  failureThreshold: z.number().optional(),
});
const Container = z.looseObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()).default([]),
  envFrom: z.array(z.object({ configMapRef: z.object({ name: z.string() }) })).default([]),
  env: Environment.default([]),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
  livenessProbe: Probe.optional(),
  readinessProbe: Probe.optional(),
  lifecycle: z.object({ preStop: z.object({ sleep: z.object({ seconds: z.number() }) }) }).optional(),
  securityContext: z.looseObject({}),
  resources: z.object({ requests: z.record(z.string(), z.string()), limits: z.record(z.string(), z.string()) }),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })).default([]),
});
const Labels = z.record(z.string(), z.string());
const PodSpec = z.looseObject({
  containers: z.array(Container).length(1),
  terminationGracePeriodSeconds: z.number().optional(),
  securityContext: z.looseObject({}),
  automountServiceAccountToken: z.boolean(),
  enableServiceLinks: z.boolean(),
  volumes: z.array(z.looseObject({ name: z.string() })).default([]),
  topologySpreadConstraints: z.array(z.looseObject({ labelSelector: z.object({ matchLabels: Labels }) })).default([]),
});
const Workload = z.looseObject({
  spec: z.looseObject({
    selector: z.object({ matchLabels: Labels }).optional(),
    serviceName: z.string().optional(),
    template: z.object({ metadata: z.object({ labels: Labels }), spec: PodSpec }),
    volumeClaimTemplates: z.array(z.looseObject({ metadata: z.object({ name: z.string() }) })).default([]),
  }),
});

export type PodContainer = z.infer<typeof Container>;
export type Pods = z.infer<typeof Workload>["spec"];

/** What runs in pods: Deployments, StatefulSets and Jobs. */
export interface RunningManifest extends Manifest {
  readonly pods: Pods;
  readonly container: PodContainer;
}

export function running(manifests: readonly Manifest[]): readonly RunningManifest[] {
  return manifests
    .filter(({ kind }) => ["Deployment", "StatefulSet", "Job"].includes(kind))
    .map((manifest) => {
      const pods = Workload.parse(manifest.document).spec;
      const [container] = pods.template.spec.containers;
      if (container === undefined) throw new Error(`${manifest.file} has pods without a container`);
      return { ...manifest, pods, container };
    });
}

const Service = z.looseObject({
  image: z.string(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  volumes: z.array(z.string()).default([]),
  deploy: z.looseObject({ replicas: z.number() }).optional(),
  stop_grace_period: z.string(),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
});
const Compose = z.looseObject({ services: z.record(z.string(), Service), volumes: z.record(z.string(), z.unknown()) });

export const composeText: string = readFileSync(join(DEPLOY, "docker-compose.yml"), "utf8");

export function parseCompose(text: string): unknown {
  return parse(text, { merge: true, uniqueKeys: true, strict: true });
}

export function readCompose(): z.infer<typeof Compose> {
  return Compose.parse(parseCompose(composeText));
}
