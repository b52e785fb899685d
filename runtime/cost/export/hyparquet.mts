/** What is used of two packages that are ES modules only; named here, so that a bundle holds nothing else of them. */
export { parquetMetadata } from 'hyparquet';
export { parquetWriteBuffer } from 'hyparquet-writer';
