import { Server, ServerCredentials, status, type ServiceDefinition, type UntypedHandleCall } from '@grpc/grpc-js';

/** A method with one request and one answer; what it throws, the engine shows. */
export function unary<Request, Response>(
  method: (request: Request) => Response | Promise<Response>,
): UntypedHandleCall {
  return (call: { request: Request }, answer: (error: object | null, response?: Response) => void) => {
    Promise.resolve()
      .then(() => method(call.request))
      .then(
        (response) => answer(null, response),
        (error: unknown) => answer({ code: status.UNKNOWN, details: (error as Error).message }),
      );
  };
}

/** Serves a plugin of the engine on a free port of the loopback interface. */
export async function servePlugin(
  service: ServiceDefinition,
  methods: { [method: string]: UntypedHandleCall },
): Promise<{ server: Server; port: number }> {
  const server = new Server();
  server.addService(service, methods);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { server, port };
}
