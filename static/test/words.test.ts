// Rule: both languages are complete, and every reason of the engine has its words in both.
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { CATALOGUES, fill, preferredLanguage, setLanguage, t, type Key } from "../src/i18n";
import { told } from "../src/reasons";

const reasons = JSON.parse(readFileSync(new URL("reasons.json", import.meta.url), "utf8")) as string[];
const keys = Object.keys(CATALOGUES.en) as Key[];
const parameters = (text: string): string[] =>
  [...new Set([...text.matchAll(/\{(\w+)/g)].map((found) => found[1]!))].sort();

afterEach(() => setLanguage("en", false));

describe("the catalogues", () => {
  test("have the same keys", () => {
    expect(Object.keys(CATALOGUES["zh-hans"]).sort()).toEqual([...keys].sort());
  });
  test.each(keys)("%s says something in both languages, with the same parameters", (key) => {
    const english = CATALOGUES.en[key];
    const chinese = CATALOGUES["zh-hans"][key];
    expect(english.trim()).not.toBe("");
    expect(chinese.trim()).not.toBe("");
    expect(parameters(chinese)).toEqual(parameters(english));
  });
});

describe("filling a text", () => {
  test("puts parameters in, as text", () => {
    expect(fill("{a} to {b}", { a: "<img onerror>", b: "$&" })).toBe("<img onerror> to $&");
  });
  test("chooses the word after a number", () => {
    expect(fill("{n} {n|rule|rules}", { n: 1 })).toBe("1 rule");
    expect(fill("{n} {n|rule|rules}", { n: 2 })).toBe("2 rules");
  });
  test("leaves what it does not know", () => {
    expect(fill("{a}", {})).toBe("{a}");
  });
});

test("a stored language goes before the browser's", () => {
  expect(preferredLanguage("zh-hans", ["en-GB"])).toBe("zh-hans");
  expect(preferredLanguage(null, ["fr", "zh-CN", "en"])).toBe("zh-hans");
  expect(preferredLanguage("klingon", ["fr"])).toBe("en");
});

describe("the engine's reasons", () => {
  test.each(reasons)("%s", (reason) => {
    expect(told(reason)).not.toBeNull();
    setLanguage("zh-hans", false);
    const chinese = told(reason);
    expect(chinese).not.toBeNull();
    expect(chinese).toMatch(/\p{Script=Han}|^[\d.,a-z:@ -]+$/u);
    expect(chinese?.replace(/@\S+| \. \S+/g, "")).not.toMatch(/\{\w+\}|\b(not|is|in|the|and|with|of|for|it|no)\b/);
  });
  test("are told in English as the engine tells them, remarks aside", () => {
    const same = reasons.filter((reason) => told(reason) === reason).length;
    expect(same / reasons.length).toBeGreaterThan(0.9);
  });
});

test("switching the language changes what is said", () => {
  expect(t("time.play")).toBe("Play");
  setLanguage("zh-hans", false);
  expect(t("time.play")).toBe("播放");
});
