import type { Define } from "../../command.ts";
import { definePublish } from "./publish.ts";

export const defineEvents: Define = (command, session) => {
  command.addHelpText(
    "after",
    `
Examples:
  $ stepwell events publish order.paid --data '{"orderId": "SO-1041"}'`,
  );
  definePublish(command.command("publish").description("publish an event to every step that waits for it"), session);
};
