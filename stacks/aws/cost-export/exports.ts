import { Export } from '@pulumi/aws/bcmdata';
import type { CustomResourceOptions } from '@pulumi/pulumi';
import { awsLocation } from '../location';
import type { AwsLocation } from '../policy';
import type { Tags } from '../tags';
import type { CostBucket } from './bucket';
import { CUR_COLUMNS, exportNames, exportQuery, FOCUS_COLUMNS, Folder, type Columns } from './columns';

interface ExportPlan {
  readonly name: string;
  readonly folder: string;
  /** Table of AWS Data Exports. */
  readonly table: string;
  readonly columns: Columns;
  readonly configuration: (location: AwsLocation) => { [option: string]: string };
}

function plans(component: string): readonly ExportPlan[] {
  const { cur, focus } = exportNames(component);
  return [
    {
      name: cur,
      folder: Folder.CUR,
      table: 'COST_AND_USAGE_REPORT',
      columns: CUR_COLUMNS,
      configuration: ({ partition, accountId }) => ({
        // AWS adds it where it is missing, and the provider then finds that the export is not what it was to be
        BILLING_VIEW_ARN: `arn:${partition}:billing::${accountId}:billingview/primary`,
        TIME_GRANULARITY: 'HOURLY',
        INCLUDE_RESOURCES: 'TRUE',
        // what each pod held of its node, GPUs among it
        INCLUDE_SPLIT_COST_ALLOCATION_DATA: 'TRUE',
        INCLUDE_MANUAL_DISCOUNT_COMPATIBILITY: 'FALSE',
      }),
    },
    {
      name: focus,
      folder: Folder.FOCUS,
      table: 'FOCUS_1_2_AWS',
      columns: FOCUS_COLUMNS,
      configuration: () => ({ TIME_GRANULARITY: 'DAILY' }),
    },
  ];
}

/** Tells AWS to put its bill into the bucket, in both formats, and to correct it until the month's bill is final. */
export function dataExports(
  name: string,
  bucket: CostBucket,
  tags: Tags,
  options: Required<Pick<CustomResourceOptions, 'parent'>> & Pick<CustomResourceOptions, 'provider'>,
): void {
  const location = awsLocation({ parent: options.parent });
  for (const { name: exportName, folder, table, columns, configuration } of plans(name)) {
    new Export(
      exportName,
      {
        export: {
          name: exportName,
          description: `mediform cost export ${name}`,
          dataQueries: [
            {
              queryStatement: exportQuery(table, columns),
              tableConfigurations: { [table]: location.apply(configuration) },
            },
          ],
          destinationConfigurations: [
            {
              s3Destinations: [
                {
                  s3Bucket: bucket.name,
                  s3Prefix: folder,
                  s3Region: location.region,
                  s3OutputConfigurations: [
                    { outputType: 'CUSTOM', format: 'PARQUET', compression: 'PARQUET', overwrite: 'OVERWRITE_REPORT' },
                  ],
                },
              ],
            },
          ],
          refreshCadences: [{ frequency: 'SYNCHRONOUS' }],
        },
        tags,
      },
      {
        ...options,
        dependsOn: [bucket.ready],
        // AWS adds options from time to time, and any difference would replace the export
        ignoreChanges: ['export.dataQueries[0].tableConfigurations'],
      },
    );
  }
}
