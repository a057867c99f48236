import { z } from "zod";

/** What the shop's back office does, without HTTP. Every answer follows from the request alone. */

const Order = z.object({
  id: z.string(),
  currency: z.string(),
  total: z.number(),
  deliverTo: z.string(),
  delivery: z.enum(["standard", "express"]),
  lines: z.array(z.object({ sku: z.string(), title: z.string(), quantity: z.number().int().positive() })),
});
const Orders = z.array(Order);

/** Units on the shelf. */
const STOCK: Readonly<Record<string, number>> = {
  "BEAN-HOUSE-1KG": 140,
  "BEAN-DECAF-1KG": 60,
  "GRINDER-M2": 12,
  "KETTLE-GN-1L": 18,
  "FILTER-V60-100": 200,
  "CUP-12OZ-500": 40,
  "PITCHER-600": 25,
  "SCALE-B1": 9,
};

/** Units of a currency for one euro. */
export const EURO_RATES = { EUR: 1, GBP: 0.86, SEK: 11.12, USD: 1.09 };

/** Reserves order by order, first come first served; an order that lacks anything reserves nothing. */
export function reserveStock(body: unknown) {
  const { orders } = z.object({ orders: Orders }).parse(body);
  const left = new Map(Object.entries(STOCK));
  return {
    reservations: orders.map(({ id, lines }) => {
      const missing = lines
        .map(({ sku, title, quantity }) => ({ sku, title, quantity: quantity - (left.get(sku) ?? 0) }))
        .filter(({ quantity }) => quantity > 0);
      if (missing.length === 0) for (const { sku, quantity } of lines) left.set(sku, (left.get(sku) ?? 0) - quantity);
      return { order: id, missing };
    }),
  };
}

export function openFraudCase(body: unknown) {
  const { orders } = z.object({ orders: z.array(z.string()) }).parse(body);
  return { case: `FC-${orders.join("-").replaceAll("SO-", "")}`, orders, answerWithin: "1 working day" };
}

export function capturePayments(body: unknown) {
  const { orders } = z.object({ orders: Orders }).parse(body);
  return {
    captures: orders.map(({ id, currency, total }) => ({ order: id, currency, amount: total, receipt: `R-${digest(`${id}/${total}`)}` })),
  };
}

const Tariff = z.object({ standard: z.number(), express: z.number() });

export function printLabels(body: unknown) {
  const { orders, tariff } = z.object({ orders: Orders, tariff: Tariff }).parse(body);
  return {
    labels: orders.map(({ id, delivery, deliverTo }) => ({
      order: id,
      carrier: delivery === "express" ? "Skyline Express" : "Parcelway",
      tracking: `${deliverTo}${digest(id)}`,
      costEur: tariff[delivery],
    })),
  };
}

export function sendMessages(body: unknown) {
  const { shipped, held } = z.object({ shipped: z.array(z.unknown()), held: z.array(z.unknown()) }).parse(body);
  return { sent: shipped.length + held.length };
}

/** Eight digits that look like a number from a machine and are the same every time (FNV-1a). */
function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return String(hash % 100_000_000).padStart(8, "0");
}
