import { ERROR_CODES, type ErrorCodeInfo } from "../src/model/error-codes.ts";

/** How every page of docs/errors/ begins. */
export function errorPageHead(code: string, info: ErrorCodeInfo): string {
  const kind = info.status === 200 ? "Warning" : `HTTP status ${info.status} · ${info.retryable ? "retryable" : "not retryable"}`;
  return `# ${code}\n\n${info.title}.\n\n${kind}\n\n## What happened\n`;
}

/** The text of docs/errors/README.md. */
export function errorIndex(): string {
  return [
    "# Error codes",
    "",
    "Every error that Stepwell raises on purpose has a code that does not change. Made from `src/model/error-codes.ts` by",
    "`npm run docs`; each page says what happened, how it looks and what to do. *Retryable* means that a retry policy without",
    "codes of its own tries the step again. A warning stops nothing.",
    "",
    "| Code | Meaning | HTTP status | Retryable |",
    "|---|---|---|---|",
    ...Object.entries(ERROR_CODES).map(([code, info]: [string, ErrorCodeInfo]) => {
      const status = info.status === 200 ? "warning" : String(info.status);
      return `| [${code}](${code}.md) | ${info.title} | ${status} | ${info.retryable ? "yes" : "no"} |`;
    }),
    "",
  ].join("\n");
}
