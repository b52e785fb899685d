/** Bundles the programs before any test runs: constructs read them, and nothing stale is tested. */
module.exports = async () => {
  const { bundleAll } = await import('../../scripts/bundle.mjs');
  await bundleAll();
};
