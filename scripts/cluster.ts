/**
 * Starts a Kubernetes cluster on this machine and runs it until Ctrl-C: a real control plane, simulated nodes. With the
 * name of an example, the example is applied, and the nodes are as its pools would make them.
 */
import { startCluster } from '../test/e2e/support/cluster';
import { exampleNames, namespacesOf, nodesFor, synthExample } from '../test/e2e/support/examples';

async function main(example: string | undefined): Promise<void> {
  if (example !== undefined && !exampleNames.includes(example)) {
    throw new Error(`no example ${example}; there are ${exampleNames.join(', ')}`);
  }
  const objects = example === undefined ? [] : await synthExample(example);
  const cluster = await startCluster();
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => (interrupted = true));
  }
  try {
    const nodes = nodesFor(objects);
    await cluster.addNodes(...(nodes.length > 0 ? nodes : [{ name: 'node-1' }]));
    if (objects.length > 0) {
      const { warnings } = await cluster.apply([...namespacesOf(objects), ...objects], { expectNoWarnings: false });
      warnings.forEach((warning) => console.error(`Warning: ${warning}`));
    }
    console.log(`export KUBECONFIG=${cluster.kubeconfig}`);
    console.log(`alias kubectl=${cluster.kubectlPath}`);
    console.error('Ctrl-C ends the cluster');
    await cluster.waitFor('Ctrl-C', () => interrupted, Infinity);
  } finally {
    await cluster.stop();
  }
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
