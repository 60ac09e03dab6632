// Rule: the form and the YAML say the same; what the form writes leaves comments and order as they were.
import { describe, expect, test } from "vitest";
import { fieldAt, readDraft, spanOf, spansOf, writeField } from "../src/lab/draft";
import { at, formOf, written, type Field } from "../src/lab/forms";

const WEB = `# The Service in front of them.
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  type: NodePort # try ClusterIP
  selector: {app: web}
  ports:
  - name: http
    port: 80
    targetPort: http
`;

describe("a field written by the form", () => {
  test("changes its line alone", () => {
    expect(writeField(WEB, ["spec", "type"], "ClusterIP")).toBe(WEB.replace("NodePort", "ClusterIP"));
    expect(writeField(WEB, ["spec", "ports", 0, "port"], 8080)).toBe(WEB.replace("port: 80", "port: 8080"));
  });
  test("is added where it belongs, with what it stands in", () => {
    const text = writeField(WEB, ["spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"], 60);
    expect(at(readDraft(text).value, ["spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"])).toBe(60);
    expect(text).toContain("# The Service in front of them.");
  });
  test("is taken away with what is empty without it", () => {
    const added = writeField(WEB, ["metadata", "annotations", "packetwalk.dev/ready"], "false");
    expect(readDraft(added).value).toMatchObject({ metadata: { annotations: { "packetwalk.dev/ready": "false" } } });
    expect(writeField(added, ["metadata", "annotations", "packetwalk.dev/ready"], undefined)).toBe(WEB);
  });
  test("may be an item of a list", () => {
    const text = writeField(WEB, ["spec", "ports", 1], { port: 443, targetPort: 8443 });
    expect(readDraft(text).value).toMatchObject({ spec: { ports: [{ port: 80 }, { port: 443, targetPort: 8443 }] } });
  });
  test("is not written into a text that cannot be read", () => {
    expect(writeField("a: [", ["a"], 1)).toBe("a: [");
  });
  test("a text that YAML would take for something else keeps its quotes", () => {
    const text = writeField(WEB, ["spec", "selector"], { app: "yes", tier: "3" });
    expect(readDraft(text).value).toMatchObject({ spec: { selector: { app: "yes", tier: "3" } } });
    expect(text).toMatch(/"yes"|'yes'/);
  });
});

test("a text that cannot be read says where", () => {
  const draft = readDraft("kind: Pod\nmetadata:\n  name: [a\n");
  expect(draft.value).toBeNull();
  expect(draft.problems[0]?.line).toBeGreaterThan(1);
});

test("aliases do not blow up", () => {
  const bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n";
  expect(readDraft(bomb).problems.length).toBeGreaterThan(0);
});

describe("a field's place in the text", () => {
  const spans = spansOf(WEB);
  test("is found from a letter, the innermost first", () => {
    expect(fieldAt(spans, WEB.indexOf("targetPort"))).toBe("spec.ports[0].targetPort");
    expect(fieldAt(spans, WEB.indexOf("web, namespace"))).toBe("metadata.name");
  });
  test("is found from its name; a field that is not written, where it would stand", () => {
    expect(WEB.slice(spanOf(spans, "spec.type")!.from)).toMatch(/^type: NodePort/);
    expect(spanOf(spans, "spec.ports[0].nodePort")?.field).toBe("spec.ports[0]");
    expect(spanOf(spans, "spec.clusterIP")?.field).toBe("spec");
    expect(spanOf(spans, "nothing.here")).toBeNull();
  });
});

test("what the form is given is written as Kubernetes reads it", () => {
  const fields = new Map(formOf("Service")!.flatMap((section) => section.fields).map((field) => [field.field, field] as const));
  const field = (name: string): Field => fields.get(name)!;
  expect(written(field("spec.externalIPs"), "198.51.100.1, 198.51.100.2")).toEqual(["198.51.100.1", "198.51.100.2"]);
  expect(written(field("spec.externalIPs"), " ")).toBeUndefined();
  expect(written(field("spec.publishNotReadyAddresses"), true)).toBe(true);
  expect(written(field("spec.publishNotReadyAddresses"), false)).toBeUndefined();
  const ready = formOf("Pod")!.flatMap((section) => section.fields).find((one) => one.field === "packetwalk.dev/ready")!;
  expect(written(ready, false)).toBe("false");
});
