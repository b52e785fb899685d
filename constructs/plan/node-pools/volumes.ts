import type { NodeClassSpec } from './spec';

/** A volume that a node starts with. */
export interface NodeVolume {
  readonly deviceName: string;
  readonly sizeGiB: number;
}

/** Size of Bottlerocket's system volume in GiB; images and logs are on a volume of their own. */
const BOTTLEROCKET_SYSTEM_GIB = 4;

/** Volumes of a node, by where its machine image keeps container images and logs. */
export function nodeVolumes({
  amiAlias,
  rootVolumeGiB,
}: Pick<NodeClassSpec, 'amiAlias' | 'rootVolumeGiB'>): NodeVolume[] {
  return amiAlias.startsWith('bottlerocket@')
    ? [
        { deviceName: '/dev/xvda', sizeGiB: BOTTLEROCKET_SYSTEM_GIB },
        { deviceName: '/dev/xvdb', sizeGiB: rootVolumeGiB },
      ]
    : [{ deviceName: '/dev/xvda', sizeGiB: rootVolumeGiB }];
}
