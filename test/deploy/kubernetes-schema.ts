import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const packageFile = fileURLToPath(import.meta.resolve("kubernetes-types/package.json"));

/** A number with a suffix: `250m`, `1Gi`, `0.5`, `1e3`. */
const QUANTITY = "^[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?\\d+)?$";

type JsonSchema = Readonly<Record<string, unknown>>;

/** Where the resources of an API group stand; what a manifest may be. */
const GROUPS: Readonly<Record<string, string>> = { v1: "core/v1", "apps/v1": "apps/v1", "batch/v1": "batch/v1", "policy/v1": "policy/v1" };

/**
 * The JSON Schema of a resource, from the declarations of `kubernetes-types`, which are made from Kubernetes' own OpenAPI document. Stricter than
 * the API server by default: a field that is not declared is an error, as under `kubectl apply --validate=strict`.
 */
export function kubernetesSchema(apiVersion: string, kind: string): JsonSchema {
  const file = GROUPS[apiVersion];
  if (file === undefined) throw new Error(`${kind} is of ${apiVersion}, and no manifest should be`);
  const definitions: Record<string, JsonSchema> = {};
  const root = new Declarations(definitions).reference(file, kind);
  return { ...root, required: ["apiVersion", "kind", "metadata"], $defs: definitions };
}

/** Follows declarations from file to file; each interface becomes one definition. */
class Declarations {
  readonly #definitions: Record<string, JsonSchema>;
  readonly #files = new Map<string, ts.SourceFile>();

  constructor(definitions: Record<string, JsonSchema>) {
    this.#definitions = definitions;
  }

  reference(file: string, name: string): JsonSchema {
    const key = `${file}/${name}`.replaceAll("/", ".");
    if (this.#definitions[key] === undefined) {
      this.#definitions[key] = {};
      this.#definitions[key] = this.#declared(file, name);
    }
    return { $ref: `#/$defs/${key}` };
  }

  #declared(file: string, name: string): JsonSchema {
    for (const statement of this.#source(file).statements) {
      if (ts.isInterfaceDeclaration(statement) && statement.name.text === name) return this.#object(file, statement.members);
      if (ts.isTypeAliasDeclaration(statement) && statement.name.text === name)
        return name === "Quantity" ? { type: ["string", "number"], pattern: QUANTITY } : this.#type(file, statement.type);
      const isImported = ts.isImportDeclaration(statement) && statement.importClause?.namedBindings?.getText().match(`\\b${name}\\b`);
      if (isImported && ts.isStringLiteral(statement.moduleSpecifier))
        return this.reference(join(dirname(file), statement.moduleSpecifier.text), name);
    }
    throw new Error(`${file} declares no ${name}`);
  }

  #object(file: string, members: ts.NodeArray<ts.TypeElement>): JsonSchema {
    const fields = members.filter(ts.isPropertySignature);
    const open = members.find(ts.isIndexSignatureDeclaration);
    return {
      type: "object",
      properties: Object.fromEntries(fields.map((field) => [nameOf(field), this.#type(file, field.type)])),
      required: fields.filter((field) => field.questionToken === undefined).map(nameOf),
      additionalProperties: open === undefined ? false : this.#type(file, open.type),
    };
  }

  #type(file: string, node: ts.TypeNode | undefined): JsonSchema {
    if (node === undefined) return {};
    if (ts.isTypeReferenceNode(node)) {
      const name = node.typeName.getText();
      return name === "Array" ? { type: "array", items: this.#type(file, node.typeArguments?.[0]) } : this.reference(file, name);
    }
    if (ts.isArrayTypeNode(node)) return { type: "array", items: this.#type(file, node.elementType) };
    if (ts.isUnionTypeNode(node)) return { anyOf: node.types.map((type) => this.#type(file, type)) };
    if (ts.isTypeLiteralNode(node)) return this.#object(file, node.members);
    if (ts.isLiteralTypeNode(node) && ts.isStringLiteral(node.literal)) return { const: node.literal.text };
    const type = KEYWORDS.get(node.kind);
    if (type === undefined) throw new Error(`${file} has a type that is not understood: ${node.getText()}`);
    return type;
  }

  #source(file: string): ts.SourceFile {
    const known = this.#files.get(file);
    if (known !== undefined) return known;
    const text = readFileSync(join(dirname(packageFile), `${file}.d.ts`), "utf8");
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    this.#files.set(file, source);
    return source;
  }
}

const nameOf = (field: ts.PropertySignature): string => (ts.isStringLiteral(field.name) ? field.name.text : field.name.getText());

/** Numbers of manifests are whole: quantities are texts. */
const KEYWORDS: ReadonlyMap<ts.SyntaxKind, JsonSchema> = new Map<ts.SyntaxKind, JsonSchema>([
  [ts.SyntaxKind.StringKeyword, { type: "string" }],
  [ts.SyntaxKind.NumberKeyword, { type: "integer" }],
  [ts.SyntaxKind.BooleanKeyword, { type: "boolean" }],
  [ts.SyntaxKind.AnyKeyword, {}],
  [ts.SyntaxKind.UnknownKeyword, {}],
]);
