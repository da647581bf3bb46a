import type { Operation } from './faults.ts'

export interface Route {
  operation: Operation
  method: string
  path: RegExp
  /** Type of the body in the client's schemas. */
  schema: string | undefined
}

/** The REST paths that publishing and querying use. */
const routes: Route[] = [
  route('root', 'GET', '/'),
  route('quotas', 'GET', '/quotas'),
  route('listCollections', 'GET', '/collections'),
  route('listAliases', 'GET', '/aliases'),
  route('updateAliases', 'POST', '/collections/aliases', 'ChangeAliasesOperation'),
  route('getCollection', 'GET', '/collections/NAME'),
  route('createCollection', 'PUT', '/collections/NAME', 'CreateCollection'),
  route('updateCollection', 'PATCH', '/collections/NAME', 'UpdateCollection'),
  route('deleteCollection', 'DELETE', '/collections/NAME'),
  route('createIndex', 'PUT', '/collections/NAME/index', 'CreateFieldIndex'),
  route('upsert', 'PUT', '/collections/NAME/points', 'PointsList'),
  route('count', 'POST', '/collections/NAME/points/count', 'CountRequest'),
  route('getPoints', 'POST', '/collections/NAME/points', 'PointRequest'),
  route('deletePoints', 'POST', '/collections/NAME/points/delete', 'PointIdsList'),
  route('overwritePayload', 'PUT', '/collections/NAME/points/payload', 'SetPayload'),
  route('scroll', 'POST', '/collections/NAME/points/scroll', 'ScrollRequest'),
  route('getPoint', 'GET', '/collections/NAME/points/NAME'),
  route('query', 'POST', '/collections/NAME/points/query', 'QueryRequest'),
  route('queryBatch', 'POST', '/collections/NAME/points/query/batch', 'QueryRequestBatch'),
  route('queryGroups', 'POST', '/collections/NAME/points/query/groups', 'QueryGroupsRequest'),
  route('optimizations', 'GET', '/collections/NAME/optimizations'),
]

function route(operation: Operation, method: string, path: string, schema?: string): Route {
  return { operation, method, path: new RegExp(`^${path.replaceAll('NAME', '([^/]+)')}$`), schema }
}

/** What a request asks for, and the names in its path: the collection, and for single points the id. */
export function findRoute(method: string, path: string): { route: Route; names: string[] } | undefined {
  for (const candidate of routes) {
    const match = candidate.method === method && candidate.path.exec(path)
    if (match) return { route: candidate, names: match.slice(1).map(decodeURIComponent) }
  }
  return undefined
}
