/**
 * The columns of a classic checkpoint as Arrow types, in the structure of Spark's own: one nullable struct per action, every
 * field nullable, maps as `key_value` of `key` and `value`, lists as `list` of `element`. Readers compare this structure, so
 * fields that Floe never fills (tags, deletionVector, ...) stand there, too.
 *
 * source  Delta protocol, "Checkpoint Schema"
 */
import { Bool, type DataType, Field, Int32, Int64, List, Map_, Struct, Utf8 } from 'apache-arrow'

const nullable = (name: string, type: DataType): Field => new Field(name, type, true)
const text = (name: string): Field => nullable(name, new Utf8())
const long = (name: string): Field => nullable(name, new Int64())
const integer = (name: string): Field => nullable(name, new Int32())
const flag = (name: string): Field => nullable(name, new Bool())
const struct = (name: string, ...fields: Field[]): Field => nullable(name, new Struct(fields))
const texts = (name: string): Field => nullable(name, new List(text('element')))
const textMap = (name: string): Field => {
  const entry = new Struct<{ key: Utf8; value: Utf8 }>([
    new Field('key', new Utf8(), false),
    new Field('value', new Utf8(), true),
  ])
  const map = new Map_<Utf8, Utf8>(new Field('key_value', entry, false))
  // The constructor renames its child to Arrow's `entries`; the Parquet writer takes the group's name from here.
  map.children[0] = new Field('key_value', entry, false)
  return nullable(name, map)
}

const deletionVector = (): Field =>
  struct(
    'deletionVector',
    text('storageType'),
    text('pathOrInlineDv'),
    integer('offset'),
    integer('sizeInBytes'),
    long('cardinality'),
    long('maxRowIndex'),
  )

export const checkpointFields: readonly Field[] = [
  struct('txn', text('appId'), long('version'), long('lastUpdated')),
  struct(
    'add',
    text('path'),
    textMap('partitionValues'),
    long('size'),
    long('modificationTime'),
    flag('dataChange'),
    textMap('tags'),
    deletionVector(),
    long('baseRowId'),
    long('defaultRowCommitVersion'),
    text('stats'),
  ),
  struct(
    'remove',
    text('path'),
    long('deletionTimestamp'),
    flag('dataChange'),
    flag('extendedFileMetadata'),
    textMap('partitionValues'),
    long('size'),
    deletionVector(),
    long('baseRowId'),
    long('defaultRowCommitVersion'),
  ),
  struct(
    'metaData',
    text('id'),
    text('name'),
    text('description'),
    struct('format', text('provider'), textMap('options')),
    text('schemaString'),
    texts('partitionColumns'),
    textMap('configuration'),
    long('createdTime'),
  ),
  struct(
    'protocol',
    integer('minReaderVersion'),
    integer('minWriterVersion'),
    texts('readerFeatures'),
    texts('writerFeatures'),
  ),
  struct('domainMetadata', text('domain'), text('configuration'), flag('removed')),
]
