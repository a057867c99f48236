import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { operatorContext } from "../../test/fixtures/operator-context.ts";
import { priceOrders, scoreRisk, summarise, triage } from "./operators.ts";
import { EURO_RATES, printLabels, reserveStock } from "./shop.ts";

const batch: { orders: Parameters<typeof priceOrders>[0]["orders"] } = JSON.parse(
  readFileSync(join(import.meta.dirname, "orders.json"), "utf8"),
);

describe("the batch of orders.json", () => {
  const rates = EURO_RATES;
  const orders = priceOrders(batch);
  const context = operatorContext();
  const risks = scoreRisk({ orders, rates }, context);
  const { reservations } = reserveStock({ orders });
  const decided = triage({ orders, reservations, risks, threshold: 0.7 });

  test("prices are added up to the cent", () => {
    expect(orders.map(({ id, total }) => [id, total])).toContainEqual(["SO-1041", 327]);
    expect(() => priceOrders({ orders: [...batch.orders, ...batch.orders] })).toThrow("in the batch twice");
  });

  test("three orders are held, each for its own reason", () => {
    expect(decided.hold.map(({ order, reason }) => `${order.id}: ${reason}`)).toEqual([
      "SO-1045: the card was declined",
      "SO-1048: for review: first order, worth over 3,000 EUR, goes to another country, express",
      "SO-1050: out of stock: 8 × Milk pitcher, 600 ml",
    ]);
    expect(decided.review).toEqual(["SO-1048"]);
    expect(context.lines).toEqual([expect.objectContaining({ level: "warn", fields: { order: "SO-1048", score: 0.95 } })]);
  });

  test("the summary says what was shipped and what was held", () => {
    const { labels } = printLabels({ orders: decided.ship, tariff: { standard: 7.9, express: 18.5 } });
    const summary = summarise({ ...decided, labels, rates, tariffSource: "by the printed list", fraudCase: "FC-1048", messages: 12 });
    expect(summary.headline).toMatch(/^12 orders: 9 shipped for EUR [\d,]+\.\d\d, 3 held$/);
    expect(summary.shipped).toHaveLength(9);
    expect(summary.shipped[0]).toMatch(/^SO-1041 Harbour Street Café, Rotterdam \(EUR 327\.00\): Parcelway NL\d{8}$/);
    expect(summary).toMatchObject({
      fraudCase: "FC-1048",
      customersTold: 12,
      revenue: { shippingCost: "EUR 92.30 (by the printed list)" },
    });
  });

  test("an unknown currency is an error that names it", () => {
    expect(() => scoreRisk({ orders, rates: { EUR: 1 } }, context)).toThrow("no exchange rate for GBP");
  });
});
