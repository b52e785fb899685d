import { CatalogDatabase, CatalogTable } from '@pulumi/aws/glue';
import { interpolate, type Output, type Resource } from '@pulumi/pulumi';
import type { Tags } from '../tags';
import { costTables, projectionParameters } from './columns';

const PARQUET = 'org.apache.hadoop.hive.ql.io.parquet';

/**
 * Makes the Glue database and its tables.
 *
 * @returns name of the database
 */
export function costDatabase(name: string, bucket: Output<string>, tags: Tags, parent: Resource): Output<string> {
  const database = new CatalogDatabase(
    `${name}-database`,
    // Athena knows no hyphens in names
    { name: name.replaceAll('-', '_'), description: `Costs of ${name}`, tags },
    { parent },
  );
  for (const table of costTables(name)) {
    new CatalogTable(
      `${name}-${table.name}`,
      {
        name: table.name,
        databaseName: database.name,
        description: table.description,
        tableType: 'EXTERNAL_TABLE',
        parameters: bucket.apply((bucketName) => ({
          EXTERNAL: 'TRUE',
          classification: 'parquet',
          ...projectionParameters(table, bucketName),
        })),
        partitionKeys: [{ ...table.partition }],
        storageDescriptor: {
          location: interpolate`s3://${bucket}/${table.folder}`,
          inputFormat: `${PARQUET}.MapredParquetInputFormat`,
          outputFormat: `${PARQUET}.MapredParquetOutputFormat`,
          serDeInfo: { serializationLibrary: `${PARQUET}.serde.ParquetHiveSerDe` },
          // Glue keeps names in lower case, and Athena finds Parquet's columns without regard to it
          columns: Object.entries(table.columns).map(([column, type]) => ({ name: column.toLowerCase(), type })),
        },
      },
      { parent },
    );
  }
  return database.name;
}
