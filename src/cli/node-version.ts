/** The first Node.js release line with everything that Stepwell uses (`node:sqlite` without a flag, type stripping). */
const FIRST_MAJOR = 24;

/** What to tell somebody whose Node.js is too old; undefined when it is not. Itself readable by any Node.js with modules. */
export function nodeTooOld(version: string): string | undefined {
  const major = Number(version.split(".")[0]);
  return major >= FIRST_MAJOR ? undefined : `stepwell: Node.js ${version} is too old; Stepwell needs Node.js ${FIRST_MAJOR} or newer.`;
}
