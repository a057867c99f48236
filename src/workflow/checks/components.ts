import { at } from "../at.ts";
import type { EdgesByStep } from "../topology.ts";

const UNSEEN = -1;

/** Numbers the strongly connected components of steps (Tarjan 1972, without recursion): steps with one number can reach each other. */
export function componentsOf(outgoing: EdgesByStep): Int32Array {
  const component = new Int32Array(outgoing.length).fill(UNSEEN);
  const found = new Int32Array(outgoing.length).fill(UNSEEN);
  const low = new Int32Array(outgoing.length);
  const open: number[] = [];
  let clock = 0;
  let components = 0;
  const enter = (step: number) => {
    found[step] = clock;
    low[step] = clock++;
    open.push(step);
    return { step, edges: at(outgoing, step).values() };
  };
  const lower = (step: number, value: number) => {
    low[step] = Math.min(at(low, step), value);
  };
  const leave = (step: number, parent: number | undefined) => {
    if (parent !== undefined) lower(parent, at(low, step));
    if (low[step] !== found[step]) return;
    for (const member of open.splice(open.lastIndexOf(step))) component[member] = components;
    components++;
  };
  for (const start of outgoing.keys()) {
    if (found[start] !== UNSEEN) continue;
    const path = [enter(start)];
    for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
      const { step, edges } = frame;
      const next = edges.next();
      if (next.done === true) {
        path.pop();
        leave(step, path.at(-1)?.step);
        continue;
      }
      const { to } = next.value;
      if (found[to] === UNSEEN) path.push(enter(to));
      else if (component[to] === UNSEEN) lower(step, at(found, to));
    }
  }
  return component;
}
