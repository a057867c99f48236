import { InvariantViolation } from "../model/errors.ts";

/**
 * The member that must be there: ordinals index every list of a draft.
 *
 * @throws InvariantViolation when there is no such member
 */
export function at<Member>(list: ArrayLike<Member>, index: number): Member {
  const member = list[index];
  if (member === undefined) throw new InvariantViolation(`there is no member ${index} among ${list.length}`);
  return member;
}
