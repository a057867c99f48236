/** Where a member stands in a definition, from its root. */
export type Path = readonly (string | number)[];

const PLAIN_NAME = /^[A-Za-z_$][\w$-]*$/;

/** A path as a person reads it: `steps.fetch.with["content-type"]`, `steps[2].id`; the root is empty. */
export function pathText(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (!PLAIN_NAME.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}

/** The path that `pathText` wrote. */
export function parsePath(text: string): Path {
  return [...text.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|[^.[\]]+/g)].map(([name, index, quoted]) => {
    if (index !== undefined) return Number(index);
    return quoted === undefined ? name : String(JSON.parse(quoted));
  });
}
