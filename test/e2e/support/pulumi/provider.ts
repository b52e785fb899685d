import type { Server, UntypedHandleCall } from '@grpc/grpc-js';
import { PluginInfo } from '@pulumi/pulumi/proto/plugin_pb';
import { ResourceProviderService } from '@pulumi/pulumi/proto/provider_grpc_pb';
import * as messages from '@pulumi/pulumi/proto/provider_pb';
import { Empty } from 'google-protobuf/google/protobuf/empty_pb';
import { Struct, type JavaScriptValue } from 'google-protobuf/google/protobuf/struct_pb';
import { isDeepStrictEqual } from 'node:util';
import type { Cluster } from '../cluster';
import { describeObject, type KubeObject } from '../kube-object';
import { waitFor } from '../wait';
import { ApiClient, ApiError } from './api-client';
import { servePlugin, unary } from './unary';

/** What the engine sends in the place of a value that is not known yet. */
const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';
const FIELD_MANAGER = 'pulumi';

/**
 * A double of Pulumi's Kubernetes provider, which these tests cannot install: it speaks the same protocol, takes the
 * same inputs, and does a server-side apply with strict validation. A preview is a dry run of the API server.
 *
 * It proves the program, the order in which the engine works, and what the API server thinks of the objects. It does
 * not prove Pulumi's own provider: that waits until pods are ready, has a list of fields that force a replacement (here
 * the API server says which are immutable), reads kubeconfigs, reports conflicts of field managers, and shows each field
 * that differs.
 */
export class ProviderDouble {
  /** What was done, in that order, such as `create ConfigMap imaging/ct`; previews and reads are not in it. */
  readonly log: string[] = [];
  private server?: Server;

  private constructor(private readonly api: ApiClient) {}

  static async start(cluster: Cluster): Promise<{ provider: ProviderDouble; port: number }> {
    const provider = new ProviderDouble(new ApiClient(cluster));
    const { server, port } = await servePlugin(ResourceProviderService, provider.methods());
    provider.server = server;
    return { provider, port };
  }

  stop(): void {
    this.server?.forceShutdown();
    this.api.close();
  }

  private methods(): { [method: string]: UntypedHandleCall } {
    return {
      attach: unary(() => new Empty()),
      cancel: unary(() => new Empty()),
      getPluginInfo: unary(() => new PluginInfo().setVersion('4.0.0')),
      checkConfig: unary((request: messages.CheckRequest) => checked(request)),
      diffConfig: unary(() => new messages.DiffResponse()),
      configure: unary(() => new messages.ConfigureResponse().setSupportspreview(true)),
      check: unary((request: messages.CheckRequest) => checked(request)),
      diff: unary((request: messages.DiffRequest) =>
        this.diff(objectOf(request.getOldInputs()), objectOf(request.getNews())),
      ),
      create: unary((request: messages.CreateRequest) => this.create(request)),
      read: unary((request: messages.ReadRequest) => this.read(request)),
      update: unary((request: messages.UpdateRequest) => this.update(request)),
      delete: unary((request: messages.DeleteRequest) => this.delete(request)),
    };
  }

  private async create(request: messages.CreateRequest): Promise<messages.CreateResponse> {
    const object = objectOf(request.getProperties());
    const state = request.getPreview() ? await this.preview(object) : await this.apply('create', object);
    return new messages.CreateResponse().setId(idOf(object)).setProperties(structOf(state));
  }

  private async update(request: messages.UpdateRequest): Promise<messages.UpdateResponse> {
    const object = objectOf(request.getNews());
    const state = request.getPreview() ? await this.preview(object) : await this.apply('update', object);
    return new messages.UpdateResponse().setProperties(structOf(state));
  }

  private async read(request: messages.ReadRequest): Promise<messages.ReadResponse> {
    const live = await this.api.get(namedBy(request.getType(), request.getId()));
    if (live === undefined) {
      // without an id, the engine knows that it is gone
      return new messages.ReadResponse();
    }
    return new messages.ReadResponse()
      .setId(request.getId())
      .setProperties(structOf(live))
      .setInputs(structOf(asWritten(live, objectOf(request.getInputs())) as object));
  }

  private async delete(request: messages.DeleteRequest): Promise<Empty> {
    const object = namedBy(request.getType(), request.getId());
    this.log.push(`delete ${describeObject(object)}`);
    await this.api.delete(object);
    await waitFor(`${describeObject(object)} to be gone`, async () => (await this.api.get(object)) === undefined);
    return new Empty();
  }

  private async diff(before: KubeObject, after: KubeObject): Promise<messages.DiffResponse> {
    const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
    if (isDeepStrictEqual(before, after)) {
      return new messages.DiffResponse().setChanges(DIFF_NONE);
    }
    const response = new messages.DiffResponse().setChanges(DIFF_SOME).setDeletebeforereplace(true);
    return (await this.isImmutable(after)) ? response.setReplacesList(['spec']) : response;
  }

  private async isImmutable(object: KubeObject): Promise<boolean> {
    try {
      await this.preview(object);
      return false;
    } catch (error) {
      // what else is wrong, the preview of the update will say
      return error instanceof ApiError && error.code === 422 && /immutable|are forbidden/.test(error.message);
    }
  }

  private async apply(action: string, object: KubeObject): Promise<KubeObject> {
    this.log.push(`${action} ${describeObject(object)}`);
    return this.api.apply(object, { fieldManager: FIELD_MANAGER, dryRun: false });
  }

  private async preview(object: KubeObject): Promise<KubeObject> {
    if (JSON.stringify(object).includes(UNKNOWN)) {
      return object;
    }
    const mode = { fieldManager: FIELD_MANAGER, dryRun: true };
    try {
      return await this.api.apply(object, mode);
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 404)) {
        throw error;
      }
      // its namespace is yet to be made; any other shows what is wrong with the object itself
      await this.api.apply({ ...object, metadata: { ...object.metadata, namespace: 'default' } }, mode);
      return object;
    }
  }
}

function checked(request: messages.CheckRequest): messages.CheckResponse {
  return new messages.CheckResponse().setInputs(request.getNews());
}

function objectOf(struct: Struct | undefined): KubeObject {
  return (struct?.toJavaScript() ?? {}) as unknown as KubeObject;
}

function structOf(object: object): Struct {
  return Struct.fromJavaScript(object as { [field: string]: JavaScriptValue });
}

function idOf({ metadata: { name, namespace } }: KubeObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** As `kubernetes:apps/v1:Deployment` and `imaging/ct` name it. */
function namedBy(type: string, id: string): KubeObject {
  const [, apiVersion = '', kind = ''] = type.split(':');
  const [name = '', namespace] = id.split('/').reverse();
  return { apiVersion: apiVersion.replace('core/', ''), kind, metadata: { name, namespace } };
}

/** What of an object was once written: other fields, and what the API server adds, belong to others. */
function asWritten(live: unknown, written: unknown): unknown {
  if (Array.isArray(live) && Array.isArray(written) && live.length === written.length) {
    return live.map((item, index) => asWritten(item, written[index]));
  }
  if (!isMap(live) || !isMap(written)) {
    return live;
  }
  const fields = Object.entries(written).map(([field, value]) => {
    // the API server leaves out what is false or an empty list
    const leftOut = live[field] === undefined && (value === false || isDeepStrictEqual(value, []));
    return [field, leftOut ? value : asWritten(live[field], value)] as const;
  });
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

function isMap(value: unknown): value is { readonly [field: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
