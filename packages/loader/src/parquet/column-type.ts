import type { SchemaElement } from 'hyparquet'

/** How a column can be read, and what a reader would call its type: int32, uint64, decimal(10,2), timestamp(us), list ... */
export interface ColumnType {
  readonly kind:
    | 'integer'
    | 'float'
    | 'decimal'
    | 'boolean'
    | 'string'
    | 'uuid'
    | 'time'
    /** Nothing but nulls: what writers make of a column without values. */
    | 'null'
    | 'other'
  readonly name: string
}

/** The type that a Parquet schema states, by its annotations (parquet-format, LogicalTypes.md). */
export function columnType(element: SchemaElement): ColumnType {
  const { type, converted_type: converted, logical_type: logical, num_children: children } = element
  if (children || type === undefined) return other(logical?.type ?? converted ?? 'group')
  if (element.repetition_type === 'REPEATED') return other('list')
  if (logical?.type === 'NULL') return { kind: 'null', name: 'null' }
  if (logical?.type === 'TIMESTAMP') return { kind: 'time', name: `timestamp(${UNITS[logical.unit]})` }
  if (logical?.type === 'DATE' || converted === 'DATE') return { kind: 'time', name: 'date' }
  if (converted?.startsWith('TIMESTAMP')) return { kind: 'time', name: converted.toLowerCase() }
  if (type === 'INT96') return { kind: 'time', name: 'int96 timestamp' }
  if (type === 'BOOLEAN') return { kind: 'boolean', name: 'boolean' }
  if (type === 'FLOAT' || type === 'DOUBLE') return { kind: 'float', name: type.toLowerCase() }
  if (logical?.type === 'DECIMAL' || converted === 'DECIMAL') {
    return { kind: 'decimal', name: `decimal(${precisionOf(element)},${scaleOf(element)})` }
  }
  if (type === 'INT32' || type === 'INT64') {
    if (logical && logical.type !== 'INTEGER') return other(logical.type)
    if (converted && !/^U?INT_/.test(converted)) return other(converted)
    const width = integerWidth(element)
    return { kind: 'integer', name: width === undefined ? type.toLowerCase() : width.toLowerCase().replace('_', '') }
  }
  if (type === 'FIXED_LEN_BYTE_ARRAY' && element.type_length === 16 && (!logical || logical.type === 'UUID')) {
    // Writers that know no UUIDs leave their 16 bytes unannotated.
    return converted === undefined ? { kind: 'uuid', name: logical ? 'uuid' : 'fixed(16)' } : other(converted)
  }
  if (type === 'BYTE_ARRAY' && (!logical || logical.type === 'STRING' || logical.type === 'ENUM')) {
    // Impala and others leave strings unannotated.
    const annotated = logical !== undefined || converted === 'UTF8' || converted === 'ENUM'
    return converted && !annotated ? other(converted) : { kind: 'string', name: annotated ? 'utf8' : 'binary' }
  }
  return other(logical?.type ?? converted ?? type)
}

/** INT_8 to UINT_64 of an annotated integer: both annotations say the same, writers use either. */
export function integerWidth({ converted_type: converted, logical_type: logical }: SchemaElement): string | undefined {
  if (logical?.type === 'INTEGER') return `${logical.isSigned ? '' : 'U'}INT_${logical.bitWidth}`
  return converted !== undefined && /^U?INT_/.test(converted) ? converted : undefined
}

export function scaleOf({ scale, logical_type: logical }: SchemaElement): number {
  return (logical?.type === 'DECIMAL' ? logical.scale : scale) ?? 0
}

function precisionOf({ precision, logical_type: logical }: SchemaElement): number {
  return (logical?.type === 'DECIMAL' ? logical.precision : precision) ?? 0
}

function other(name: string): ColumnType {
  return { kind: 'other', name: name.toLowerCase() }
}

const UNITS = { MILLIS: 'ms', MICROS: 'us', NANOS: 'ns' } as const
