// Rule: both languages are complete, and every reason of the engine has its words in both.
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { CATALOGUES, fill, preferredLanguage, setLanguage, t, type Key } from "../src/i18n";
import { told } from "../src/reasons";
import { inChinese, served } from "../src/server-words";

const reasons = JSON.parse(readFileSync(new URL("reasons.json", import.meta.url), "utf8")) as string[];
const said = JSON.parse(readFileSync(new URL("server-words.json", import.meta.url), "utf8")) as string[];
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

describe("what the server says", () => {
  test.each(said)("%s", (text) => {
    const chinese = inChinese(text);
    expect(chinese).toMatch(/\p{Script=Han}|^\S+ → /u);
    expect(chinese).not.toMatch(/\{\w+\}|\b(not|is|the|and|or|with|of|for|it|no|there|from|now|more)\b/);
  });
  test("is left as it is in English, and marked where it has no Chinese", () => {
    expect(served("control plane")).toEqual({ words: "control plane", tag: null });
    setLanguage("zh-hans", false);
    expect(served("control plane")).toEqual({ words: "控制平面", tag: null });
    expect(served("Service shop/web, line 3: 0 is no port. Write another.")).toEqual({
      words: "Service shop/web, line 3: 0 is no port. Write another.",
      tag: "en",
    });
    expect(served(t("lab.refused.fault")).tag).toBeNull();
    expect(served("shop/web-1").tag).toBeNull();
  });
  test("stays text, however long or deep", () => {
    setLanguage("zh-hans", false);
    expect(served("undid: ".repeat(50) + "deleted Pod a").tag).toBe("en");
    expect(served("there is no Pod '<img onerror>'. There are none.").words).toContain("<img onerror>");
    expect(served(`deleted ${"x ".repeat(50_000)}`).tag).toBe("en");
  });
});

test("switching the language changes what is said", () => {
  expect(t("time.play")).toBe("Play");
  setLanguage("zh-hans", false);
  expect(t("time.play")).toBe("播放");
});
