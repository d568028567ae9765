// A shop's cart: six modules, money at the root of a diamond (item, discount -> cart), receipt, index.

const money = `/** Amounts are whole cents, so that sums are exact. */
export function cents(text) {
  const m = /^(\\d+)(?:\\.(\\d{2}))?$/.exec(text);
  if (!m) throw new RangeError(\`not an amount: \${text}\`);
  return Number(m[1]) * 100 + Number(m[2] ?? 0);
}

export function format(amount) {
  const sign = amount < 0 ? "-" : "";
  const abs = Math.abs(amount);
  return \`\${sign}\${Math.floor(abs / 100)}.\${String(abs % 100).padStart(2, "0")}\`;
}
`
const moneyTest = `import assert from "node:assert/strict";
import test from "node:test";
import { cents, format } from "../src/money.js";

test("amounts are read as whole cents", () => {
  assert.equal(cents("12.34"), 1234);
  assert.equal(cents("7"), 700);
  assert.throws(() => cents("1.2.3"), RangeError);
});

test("amounts are written with two digits", () => {
  assert.equal(format(1205), "12.05");
  assert.equal(format(-5), "-0.05");
});
`
const item = `import { cents } from "./money.js";

export function item(name, price, count = 1) {
  if (!Number.isInteger(count) || count < 1) throw new RangeError(\`bad count: \${count}\`);
  return Object.freeze({ name, price: cents(price), count });
}

export const lineTotal = (line) => line.price * line.count;
`
const itemTest = `import assert from "node:assert/strict";
import test from "node:test";
import { item, lineTotal } from "../src/item.js";

test("a line is worth its price times its count", () => {
  assert.equal(lineTotal(item("tea", "2.50", 3)), 750);
});

test("a count is a whole number above zero", () => {
  assert.throws(() => item("tea", "2.50", 0), RangeError);
});
`
const discount = `import { cents } from "./money.js";

/** Percentages round half up, to the customer's favour. */
export const percent = (rate) => (amount) => amount - Math.ceil((amount * rate) / 100);

export const voucher = (value) => (amount) => Math.max(0, amount - cents(value));

export const applyAll = (amount, rules) => rules.reduce((left, rule) => rule(left), amount);
`
const discountTest = `import assert from "node:assert/strict";
import test from "node:test";
import { applyAll, percent, voucher } from "../src/discount.js";

test("a percentage is taken off", () => assert.equal(percent(10)(1000), 900));
test("a voucher never pays out", () => assert.equal(voucher("5.00")(300), 0));
test("rules apply in order", () => {
  assert.equal(applyAll(1000, [percent(50), voucher("1.00")]), 400);
});
`
const cart = `import { applyAll } from "./discount.js";
import { lineTotal } from "./item.js";

export class Cart {
  #lines = [];
  #rules = [];

  add(line) {
    this.#lines.push(line);
    return this;
  }

  discount(rule) {
    this.#rules.push(rule);
    return this;
  }

  get lines() {
    return [...this.#lines];
  }

  total() {
    const sum = this.#lines.reduce((n, line) => n + lineTotal(line), 0);
    return applyAll(sum, this.#rules);
  }
}
`
const cartTest = `import assert from "node:assert/strict";
import test from "node:test";
import { Cart } from "../src/cart.js";
import { percent } from "../src/discount.js";
import { item } from "../src/item.js";

test("an empty cart is worth nothing", () => assert.equal(new Cart().total(), 0));
test("discounts apply to the sum", () => {
  const cart = new Cart().add(item("tea", "2.50", 2)).add(item("cup", "5.00")).discount(percent(10));
  assert.equal(cart.total(), 900);
  assert.equal(cart.lines.length, 2);
});
`
const receipt = `import { lineTotal } from "./item.js";
import { format } from "./money.js";

export function receipt(cart) {
  const lines = cart.lines.map((l) => \`\${l.count} x \${l.name}  \${format(lineTotal(l))}\`);
  return [...lines, \`total  \${format(cart.total())}\`].join("\\n");
}
`
const receiptTest = `import assert from "node:assert/strict";
import test from "node:test";
import { Cart } from "../src/cart.js";
import { item } from "../src/item.js";
import { receipt } from "../src/receipt.js";

test("a receipt lists the lines and the total", () => {
  const cart = new Cart().add(item("tea", "2.50", 2));
  assert.equal(receipt(cart), "2 x tea  5.00\\ntotal  5.00");
});
`
const index = `export { Cart } from "./cart.js";
export { applyAll, percent, voucher } from "./discount.js";
export { item, lineTotal } from "./item.js";
export { cents, format } from "./money.js";
export { receipt } from "./receipt.js";
`
const indexTest = `import assert from "node:assert/strict";
import test from "node:test";
import * as shop from "../src/index.js";

test("the package offers all of its parts", () => {
  assert.deepEqual(Object.keys(shop).sort(), [
    "Cart", "applyAll", "cents", "format", "item", "lineTotal", "percent", "receipt", "voucher",
  ]);
});

test("a purchase from end to end", () => {
  const cart = new shop.Cart().add(shop.item("tea", "10.00")).discount(shop.voucher("2.50"));
  assert.match(shop.receipt(cart), /total {2}7\\.50$/);
});
`

/** @type {[string, string, string, string[], string, string][]} */
const modules = [
  ["T1", "money", "Exact amounts in whole cents: cents(text), format(amount).", [], money, moneyTest],
  ["T2", "item", "A line of a cart: item(name, price, count), lineTotal(line).", ["T1"], item, itemTest],
  ["T3", "discount", "Rules: percent, voucher, applyAll.", ["T1"], discount, discountTest],
  ["T4", "cart", "class Cart with add, discount, lines, total.", ["T2", "T3"], cart, cartTest],
  ["T5", "receipt", "receipt(cart) as text.", ["T4"], receipt, receiptTest],
  ["T6", "index", "Re-export every module.", ["T5"], index, indexTest],
]

export default {
  name: "library",
  title: "Shopping cart library",
  objective:
    "Build a small shopping cart library in src/ (money, item, discount, cart, receipt, index), " +
    "each module with its own tests in test/.",
  expect: { phase: "sealed" },
  test: "node --test",
  seed: {
    "package.json": '{\n  "name": "shop",\n  "version": "1.0.0",\n  "type": "module"\n}\n',
  },
  plan: {
    summary: "Six modules from the bottom up; item and discount can be built side by side.",
    verify: ["node --test"],
    tasks: modules.map(([id, name, description, deps]) => ({
      id,
      title: `Module ${name}`,
      description,
      files: [`src/${name}.js`, `test/${name}.test.js`],
      deps,
      accept: [`test/${name}.test.js passes`],
      verify: [`node --test test/${name}.test.js`],
    })),
    decisions: ["Amounts are whole cents."],
  },
  workers: Object.fromEntries(
    modules.map(([id, name, , , source, tests]) => [
      id,
      {
        files: { [`src/${name}.js`]: source, [`test/${name}.test.js`]: tests },
        summary: `Module ${name} with its tests`,
      },
    ]),
  ),
}
