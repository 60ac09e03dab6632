// Rule: which field made a rule, and which rules a field made: read from the rules' origins. Pure.
import type { LabState } from "../state";
import type { OriginView, RuleLine } from "../wire";

/** A field of a document, as a rule's origin names it. `document`: a key, `Service shop/web`. */
export interface FieldAt {
  readonly document: string;
  readonly field: string;
}

/** The document in which an origin can be read, and the field there; null where kube-proxy made it of nothing. */
export function fieldOfOrigin(origin: OriginView, state: LabState): FieldAt | null {
  if (origin.kind === "kube-proxy" || origin.kind === "") return null;
  const name = origin.namespace === "" ? origin.name : `${origin.namespace}/${origin.name}`;
  const own = origin.kind === "KubeProxyConfiguration" ? keyOfKind(state, origin.kind) : `${origin.kind} ${name}`;
  if (own !== null && state.documents.has(own)) return { document: own, field: origin.field };
  if (origin.kind === "EndpointSlice") return fromSlice(origin, state);
  return null;
}

/** A slice that the controller made: its endpoints are there because of the Service's selector. */
function fromSlice(origin: OriginView, state: LabState): FieldAt | null {
  for (const service of state.services.values()) {
    if (service.namespace === origin.namespace && origin.name.startsWith(`${service.name}-`) && state.documents.has(service.key)) {
      return { document: service.key, field: "spec.selector" };
    }
  }
  return null;
}

function keyOfKind(state: LabState, kind: string): string | null {
  for (const document of state.documents.values()) if (document.kind === kind) return document.key;
  return null;
}

/** Did this field, or one inside it, make the line? */
export function madeBy(line: RuleLine, place: FieldAt, state: LabState): boolean {
  return line.origins.some((origin) => {
    const from = fieldOfOrigin(origin, state);
    return from !== null && from.document === place.document && covers(place.field, from.field);
  });
}

export function covers(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);
}
