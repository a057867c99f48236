import type { OperatorContext } from "../../src/operators/operator.ts";

/** The functions that workflow.yaml calls by name. Each takes what the step's `with` gives and returns plain data. */

type Rates = Readonly<Record<string, number>>;

interface Line {
  readonly sku: string;
  readonly title: string;
  readonly quantity: number;
  readonly unitPrice: number;
}

interface Order {
  readonly id: string;
  readonly customer: { readonly name: string; readonly city: string; readonly country: string; readonly previousOrders: number };
  readonly deliverTo: string;
  readonly delivery: "standard" | "express";
  readonly payment: "authorized" | "declined";
  readonly currency: string;
  readonly lines: readonly Line[];
}

interface PricedOrder extends Order {
  /** In the order's own currency. */
  readonly total: number;
}

/** Adds up every order. An order that comes twice in the batch would be paid and shipped twice, so that is an error. */
export function priceOrders({ orders }: { readonly orders: readonly Order[] }): readonly PricedOrder[] {
  const ids = new Set(orders.map(({ id }) => id));
  if (ids.size < orders.length) throw new Error("an order is in the batch twice");
  return orders.map((order) => ({ ...order, total: cents(sum(order.lines, (line) => line.quantity * line.unitPrice)) }));
}

interface Risk {
  readonly order: string;
  /** 0 (none) to 1. */
  readonly score: number;
  readonly signs: readonly string[];
}

/** What the fraud desk has learned to look at, and how much each sign weighs. */
const SIGNS: readonly { readonly sign: string; readonly weight: number; readonly shows: (order: PricedOrder, euros: number) => boolean }[] =
  [
    { sign: "first order", weight: 0.3, shows: ({ customer }) => customer.previousOrders === 0 },
    { sign: "worth over 3,000 EUR", weight: 0.35, shows: (_, euros) => euros > 3_000 },
    { sign: "goes to another country", weight: 0.2, shows: ({ customer, deliverTo }) => deliverTo !== customer.country },
    { sign: "express", weight: 0.1, shows: ({ delivery }) => delivery === "express" },
  ];

export function scoreRisk(
  { orders, rates }: { readonly orders: readonly PricedOrder[]; readonly rates: Rates },
  { log }: OperatorContext,
): readonly Risk[] {
  return orders.map((order) => {
    const shown = SIGNS.filter(({ shows }) => shows(order, inEuros(order, rates)));
    const score = cents(sum(shown, ({ weight }) => weight));
    if (score > 0.5) log.warn("an order looks risky", { order: order.id, score });
    return { order: order.id, score, signs: shown.map(({ sign }) => sign) };
  });
}

interface Reservation {
  readonly order: string;
  readonly missing: readonly { readonly title: string; readonly quantity: number }[];
}

interface TriageInput {
  readonly orders: readonly PricedOrder[];
  readonly reservations: readonly Reservation[];
  readonly risks: readonly Risk[];
  readonly threshold: number;
}

/** Decides about each order: ship it, or hold it and say why. The risky ones are also for the fraud desk to review. */
export function triage({ orders, reservations, risks, threshold }: TriageInput) {
  const decisions = orders.map((order) => {
    const risk = risks.find((candidate) => candidate.order === order.id);
    const missing = reservations.find((candidate) => candidate.order === order.id)?.missing ?? [];
    const risky = risk !== undefined && risk.score >= threshold;
    return { order, risky, reason: risky ? `for review: ${risk.signs.join(", ")}` : reasonToHold(order, missing) };
  });
  return {
    ship: decisions.filter(({ reason }) => reason === null).map(({ order }) => order),
    hold: decisions.flatMap(({ order, reason }) => (reason === null ? [] : [{ order, reason }])),
    review: decisions.filter(({ risky }) => risky).map(({ order }) => order.id),
  };
}

function reasonToHold(order: Order, missing: Reservation["missing"]): string | null {
  if (order.payment === "declined") return "the card was declined";
  if (missing.length === 0) return null;
  return `out of stock: ${missing.map(({ quantity, title }) => `${quantity} × ${title}`).join(", ")}`;
}

interface Label {
  readonly order: string;
  readonly carrier: string;
  readonly tracking: string;
  readonly costEur: number;
}

interface SummaryInput {
  readonly ship: readonly PricedOrder[];
  readonly hold: readonly { readonly order: PricedOrder; readonly reason: string }[];
  readonly labels: readonly Label[];
  readonly rates: Rates;
  readonly tariffSource: string;
  /** Null when nothing had to be reviewed. */
  readonly fraudCase: string | null;
  /** Null when the mail service failed. */
  readonly messages: number | null;
}

/** The morning report: what a person at the shop wants to know, in words. */
export function summarise({ ship, hold, labels, rates, tariffSource, fraudCase, messages }: SummaryInput) {
  const revenue = sum(ship, (order) => inEuros(order, rates));
  const postage = sum(labels, ({ costEur }) => costEur);
  return {
    headline: `${ship.length + hold.length} orders: ${ship.length} shipped for ${euros(revenue)}, ${hold.length} held`,
    revenue: {
      captured: euros(revenue),
      held: euros(sum(hold, ({ order }) => inEuros(order, rates))),
      shippingCost: `${euros(postage)} (${tariffSource})`,
    },
    shipped: labels.map(({ order: id, carrier, tracking }) => {
      const order = ship.find((candidate) => candidate.id === id);
      return `${order === undefined ? id : describe(order)}: ${carrier} ${tracking}`;
    }),
    held: hold.map(({ order, reason }) => `${describe(order)}: ${reason}`),
    fraudCase: fraudCase ?? "none",
    customersTold: messages ?? 0,
  };
}

function describe({ id, customer, total, currency }: PricedOrder): string {
  return `${id} ${customer.name}, ${customer.city} (${money(total, currency)})`;
}

function inEuros({ total, currency }: PricedOrder, rates: Rates): number {
  const rate = rates[currency];
  if (rate === undefined) throw new Error(`there is no exchange rate for ${currency}`);
  return total / rate;
}

const euros = (amount: number): string => money(amount, "EUR");

function money(amount: number, currency: string): string {
  return `${currency} ${amount.toLocaleString("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

function sum<Item>(items: readonly Item[], amountOf: (item: Item) => number): number {
  return items.reduce((total, item) => total + amountOf(item), 0);
}

/** Rounds away what binary fractions leave behind. */
function cents(amount: number): number {
  return Math.round(amount * 100) / 100;
}
