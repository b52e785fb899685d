/** An object as the API server gives it. Of what differs by kind, a test names the type it expects. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly generation?: number;
    readonly resourceVersion?: string;
    readonly labels?: { readonly [label: string]: string };
    readonly annotations?: { readonly [annotation: string]: string };
    readonly managedFields?: readonly { readonly manager: string; readonly operation: string }[];
  };
}

/** Kind, namespace and name, for people. */
export function describeObject({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;
}
